"""Pages: what runs where, one environment, and the strip on the page of a component."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from roadbed.catalog.contract import EntitySummary, Health
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database, Reading
from roadbed.core.html import render
from roadbed.core.services import Services
from roadbed.environments.access import ENVIRONMENT_READ, EnvironmentReader
from roadbed.environments.service import reading
from roadbed.environments.types import DeploymentFilter, DeploymentState, EnvironmentView, WorkloadView

router = APIRouter()

_HEALTH = {
    Health.HEALTHY: ("ok", "Healthy"),
    Health.DEPLOYING: ("run", "Deploying"),
    Health.UNKNOWN: ("off", "Unknown"),
    Health.DEGRADED: ("warn", "Degraded"),
    Health.FAILING: ("bad", "Failing"),
}
_DEPLOYMENT = {
    DeploymentState.RUNNING: ("run", "Running"),
    DeploymentState.SUCCEEDED: ("ok", "Done"),
    DeploymentState.FAILED: ("bad", "Failed"),
    DeploymentState.CANCELLED: ("off", "Cancelled"),
    DeploymentState.SUPERSEDED: ("off", "Superseded"),
}
_SHOWN_DEPLOYMENTS = 20


def _state(workload: WorkloadView) -> tuple[str, str]:
    return _HEALTH[Health(workload.health)]


@router.get("/environments")
async def list_page(request: Request, session: Reading, _: EnvironmentReader) -> HTMLResponse:
    """Show what runs where: workloads down, environments across."""
    environments = await reading.list_environments(session)
    names = list(dict.fromkeys(view.name for view in sorted(environments, key=lambda view: view.order)))
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for workload in await reading.list_workloads(session):
        row = rows.setdefault(
            (workload.application_name, workload.name),
            {"name": workload.name, "application": workload.application_name, "href": _page(workload), "cells": {}},
        )
        row["cells"][workload.environment] = {"workload": workload, "state": _state(workload)}
    return await render(request, "environments/list.html", {"names": names, "rows": list(rows.values())})


def _page(workload: WorkloadView) -> str:
    kind, _, rest = workload.component.partition(":")
    return f"/catalog/{kind}/{rest}"


@router.get("/environments/{application}/{environment}")
async def environment_page(
    request: Request, session: Reading, _: EnvironmentReader, application: str, environment: str
) -> HTMLResponse:
    """Show what runs in an environment, with which variables, and what was deployed there."""
    found, owner = await reading.get_environment(session, application, environment)
    wanted = DeploymentFilter(application_id=owner.id, environment=environment)
    deployments = await reading.list_deployments(session, wanted, limit=_SHOWN_DEPLOYMENTS)
    workloads = await reading.list_workloads(session, environment_ids=[found.id])
    context = {
        "environment": reading.environment_view(found, owner),
        "workloads": [{"workload": one, "state": _state(one), "href": _page(one)} for one in workloads],
        "deployments": [{"deployment": one, "state": _DEPLOYMENT[one.state]} for one in deployments],
    }
    return await render(request, "environments/environment.html", context)


async def load_strip(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the lanes of a component: one an environment of its application; None when nothing was deployed."""
    services: Services = request.app.state.services
    if not services.get(DeciderService).has(await current_actor(request), ENVIRONMENT_READ):
        return None
    async with services.get(Database).read() as session:
        workloads = await reading.list_workloads(session, component=str(entity.ref))
        environments = await reading.list_environments(session) if workloads else []
    if not workloads:
        return None
    by_name = {one.environment: one for one in workloads}
    mine = sorted(
        (view for view in environments if view.application_name == workloads[0].application_name),
        key=lambda view: view.order,
    )
    return {"lanes": [_lane(view, by_name.get(view.name)) for view in mine]}


def _lane(view: EnvironmentView, workload: WorkloadView | None) -> dict[str, Any]:
    links = [("Details", view.page)]
    if workload is not None and workload.url is not None:
        links.insert(0, ("Open", workload.url))
    return {
        "name": view.name.capitalize(),
        "workload": workload,
        "state": _state(workload) if workload else None,
        "links": links,
    }
