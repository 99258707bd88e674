"""Pages: one environment, what can be done there, and what differs from another one."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.core.access import DeciderService
from roadbed.core.db import Reading, Writing
from roadbed.core.html import render
from roadbed.environments.access import ENVIRONMENT_DEPLOY, Deployer, EnvironmentReader
from roadbed.environments.service import reading
from roadbed.environments.service.comparing import compare_environments
from roadbed.environments.service.redeploying import promote, roll_back
from roadbed.environments.service.steering import restart_workload, stop_workload
from roadbed.environments.types import (
    Choice,
    DeploymentFilter,
    DeploymentView,
    EnvironmentView,
    WorkloadAddress,
    WorkloadView,
)
from roadbed.environments.web.words import DEPLOYMENT_WORDS, entity_page, health_words

router = APIRouter()

PLACE = "/environments/{application}/{environment}"
_SHOWN_DEPLOYMENTS = 20


@router.get(PLACE)
async def environment_page(
    request: Request, session: Reading, actor: EnvironmentReader, application: str, environment: str
) -> HTMLResponse:
    """Show what runs in an environment, with which variables, and what was deployed there."""
    found, owner = await reading.get_environment(session, application, environment)
    wanted = DeploymentFilter(application_id=owner.id, environment=environment)
    deployments = await reading.list_deployments(session, wanted, limit=_SHOWN_DEPLOYMENTS)
    workloads = await reading.list_workloads(session, environment_ids=[found.id])
    places = await reading.list_environments(session, application_id=owner.id)
    context = {
        "environment": reading.environment_view(found, owner),
        "others": [view for view in places if view.name != environment],
        "may_deploy": session.services.get(DeciderService).has(actor, ENVIRONMENT_DEPLOY),
        "workloads": [_show(one, places, deployments) for one in workloads],
        "deployments": [{"deployment": one, "state": DEPLOYMENT_WORDS[one.state]} for one in deployments],
    }
    return await render(request, "environments/environment.html", context)


def _show(workload: WorkloadView, places: list[EnvironmentView], deployments: list[DeploymentView]) -> dict[str, Any]:
    """Return a workload with what can be done with it: where it goes next, and whether there is a way back."""
    earlier = {one.set_id for one in deployments if one.component == workload.component and one.set_id is not None}
    return {
        "workload": workload,
        "state": health_words(workload),
        "href": entity_page(workload),
        "next": next((view.name for view in places if view.order > workload.order), None),
        "has_earlier": len(earlier) > 1,
    }


@router.get(PLACE + "/compare/{other}")
async def compare_page(
    request: Request, session: Reading, _: EnvironmentReader, application: str, environment: str, other: str
) -> HTMLResponse:
    """Show what differs between two environments."""
    found = await compare_environments(session, application, before=environment, after=other)
    return await render(request, "environments/compare.html", {"comparison": found})


@router.post(PLACE + "/promote")
async def promote_from_page(
    session: Writing,
    actor: Deployer,
    application: str,
    environment: str,
    target: Annotated[str, Form()],
    component: Annotated[str, Form()],
) -> RedirectResponse:
    """Deploy to another environment what runs in this one."""
    place = await reading.get_environment(session, application, target)
    choice = Choice(component=component, source=environment)
    view = await promote(session, actor, target=place, choice=choice)
    return RedirectResponse(f"/runs/{view.run_id}", 303)


@router.post(PLACE + "/rollback")
async def roll_back_from_page(
    session: Writing, actor: Deployer, application: str, environment: str, component: Annotated[str, Form()]
) -> RedirectResponse:
    """Go back to what ran before."""
    place = await reading.get_environment(session, application, environment)
    view = await roll_back(session, actor, target=place, component=component)
    return RedirectResponse(f"/runs/{view.run_id}", 303)


@router.post(PLACE + "/workloads/{workload}/restart")
async def restart_from_page(
    session: Writing, actor: Deployer, address: Annotated[WorkloadAddress, Depends()]
) -> RedirectResponse:
    """Restart a workload, or start one that is stopped."""
    run = await restart_workload(session, actor, await reading.get_workload_at(session, address))
    return RedirectResponse(f"/runs/{run.id}", 303)


@router.post(PLACE + "/workloads/{workload}/stop")
async def stop_from_page(
    session: Writing, actor: Deployer, address: Annotated[WorkloadAddress, Depends()]
) -> RedirectResponse:
    """Stop a workload."""
    run = await stop_workload(session, actor, await reading.get_workload_at(session, address))
    return RedirectResponse(f"/runs/{run.id}", 303)
