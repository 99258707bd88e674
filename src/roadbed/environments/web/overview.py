"""Pages: what runs where, and the strip on the page of a component."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from roadbed.catalog.contract import EntitySummary
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database, Reading
from roadbed.core.html import render
from roadbed.core.services import Services
from roadbed.environments.access import ENVIRONMENT_READ, EnvironmentReader
from roadbed.environments.service import reading
from roadbed.environments.types import DeploymentFilter, DeploymentState, EnvironmentView, WorkloadView
from roadbed.environments.web.words import entity_page, health_words

router = APIRouter()


@router.get("/environments")
async def list_page(request: Request, session: Reading, _: EnvironmentReader) -> HTMLResponse:
    """Show what runs where: workloads down, environments across."""
    environments = await reading.list_environments(session)
    names = list(dict.fromkeys(view.name for view in sorted(environments, key=lambda view: view.order)))
    places: dict[str, dict[str, str]] = {}
    for view in environments:
        places.setdefault(view.application_name, {})[view.name] = view.page
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for workload in await reading.list_workloads(session):
        row = rows.setdefault(
            (workload.application_name, workload.name),
            {
                "name": workload.name,
                "application": workload.application_name,
                "href": entity_page(workload),
                "places": places.get(workload.application_name, {}),
                "cells": {},
            },
        )
        row["cells"][workload.environment] = {"workload": workload, "state": health_words(workload)}
    context = {"names": names, "count": len(environments), "rows": list(rows.values())}
    return await render(request, "environments/list.html", context)


async def load_strip(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the lanes of a component: one an environment of its application; None when nothing was deployed."""
    services: Services = request.app.state.services
    if not services.get(DeciderService).has(await current_actor(request), ENVIRONMENT_READ):
        return None
    async with services.get(Database).read() as session:
        workloads = await reading.list_workloads(session, components=(str(entity.ref),))
        if not workloads:
            return None
        environments = await reading.list_environments(session)
        wanted = DeploymentFilter(component=str(entity.ref), state=DeploymentState.RUNNING)
        under_way = {one.environment: one for one in await reading.list_deployments(session, wanted)}
    by_name = {one.environment: one for one in workloads}
    mine = sorted(
        (view for view in environments if view.application_name == workloads[0].application_name),
        key=lambda view: view.order,
    )
    lanes: list[dict[str, Any]] = []
    for view in mine:
        before = lanes[-1] if lanes else None
        lanes.append({**_lane(view, by_name.get(view.name)), "before": before, "next": under_way.get(view.name)})
    return {"lanes": lanes}


def _lane(view: EnvironmentView, workload: WorkloadView | None) -> dict[str, Any]:
    links = [("Details", view.page)]
    if workload is not None:
        links.append(("Log", workload.log_page))
    if workload is not None and workload.url is not None:
        links.insert(0, ("Open", workload.url))
    return {
        "name": view.name.capitalize(),
        "workload": workload,
        "state": health_words(workload) if workload else None,
        "links": links,
    }
