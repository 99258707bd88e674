"""REST: environments, deployments and the logs of workloads. Deploying and rolling back start runs."""

import asyncio
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request

from roadbed.core.db import Reading, Writing
from roadbed.core.paging import PageQuery, id_cursor, id_of_cursor
from roadbed.environments.access import Deployer, EnvironmentReader
from roadbed.environments.schemas import (
    DeployIn,
    DeploymentOut,
    DeploymentPageOut,
    DeploymentQuery,
    EnvironmentOut,
    EnvironmentPageOut,
    LogOut,
    LogQuery,
    RollbackIn,
    WorkloadOut,
)
from roadbed.environments.service import reading
from roadbed.environments.service.instances import read_log
from roadbed.environments.service.redeploying import Choice, promote, roll_back
from roadbed.environments.types import DeploymentFilter, EnvironmentView, WorkloadView

router = APIRouter(tags=["environments"])

IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", max_length=200)]
PLACE = "/environments/{application}/{environment}"


@dataclass
class WorkloadAddress:
    """A workload by the names in its address."""

    application: str
    environment: str
    workload: str


def _show(view: EnvironmentView, workloads: list[WorkloadView]) -> EnvironmentOut:
    return EnvironmentOut(
        application=view.application,
        application_name=view.application_name,
        name=view.name,
        type=view.type,
        set_id=view.set_id,
        workloads=[WorkloadOut.model_validate(workload) for workload in workloads],
    )


@router.get("/environments")
async def list_all(session: Reading, _: EnvironmentReader, query: Annotated[PageQuery, Query()]) -> EnvironmentPageOut:
    """List environments with what runs in them, those of the newest application first."""
    before = id_of_cursor(query.cursor)
    found = sorted(await reading.list_environments(session), key=lambda view: view.id, reverse=True)
    left = [view for view in found if before is None or view.id < before]
    shown = left[: query.limit]
    workloads = await reading.list_workloads(session)
    items = [
        _show(
            view,
            [one for one in workloads if (one.application_name, one.environment) == (view.application_name, view.name)],
        )
        for view in shown
    ]
    return EnvironmentPageOut(items=items, next_cursor=id_cursor(shown[-1].id) if len(left) > len(shown) else None)


@router.get(PLACE)
async def read_one(session: Reading, _: EnvironmentReader, application: str, environment: str) -> EnvironmentOut:
    """Give one environment: what runs there, how it is, and with which variables."""
    found, owner = await reading.get_environment(session, application, environment)
    workloads = await reading.list_workloads(session, environment_id=found.id)
    return _show(reading.environment_view(found, owner), workloads)


@router.get(PLACE + "/deployments")
async def list_deployments(
    session: Reading,
    _: EnvironmentReader,
    application: str,
    environment: str,
    query: Annotated[DeploymentQuery, Query()],
) -> DeploymentPageOut:
    """List the deployments of an environment, newest first."""
    _found, owner = await reading.get_environment(session, application, environment)
    wanted = DeploymentFilter(
        application_id=owner.id,
        environment=environment,
        component=query.component.lower() if query.component else None,
        state=query.state,
    )
    found = await reading.list_deployments(session, wanted, before_id=id_of_cursor(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return DeploymentPageOut(
        items=[DeploymentOut.model_validate(view) for view in shown],
        next_cursor=id_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.get("/deployments/{deployment_id}")
async def read_deployment(session: Reading, _: EnvironmentReader, deployment_id: UUID) -> DeploymentOut:
    """Give one deployment."""
    return DeploymentOut.model_validate(reading.deployment_view(*await reading.get_deployment(session, deployment_id)))


@router.post(PLACE + "/deployments", status_code=202)
async def deploy(
    session: Writing, actor: Deployer, application: str, environment: str, body: DeployIn, key: IdempotencyKey = None
) -> DeploymentOut:
    """Deploy what was deployed before, here or in another environment of the application.

    The same `Idempotency-Key` by the same account answers with the same deployment.
    """
    target = await reading.get_environment(session, application, environment)
    choice = Choice(
        component=body.component,
        source=body.from_environment,
        version=body.version,
        commit=body.commit,
        artifact=body.artifact,
    )
    view = await promote(session, actor, target=target, choice=choice, key=f"{actor.id}:{key}" if key else "")
    return DeploymentOut.model_validate(view)


@router.post(PLACE + "/rollback", status_code=202)
async def rollback(
    session: Writing,
    actor: Deployer,
    application: str,
    environment: str,
    body: RollbackIn | None = None,
    key: IdempotencyKey = None,
) -> DeploymentOut:
    """Deploy what ran before, or what an earlier deployment of this environment led to."""
    target = await reading.get_environment(session, application, environment)
    wanted = body or RollbackIn()
    view = await roll_back(
        session,
        actor,
        target=target,
        component=wanted.component,
        deployment_id=wanted.deployment_id,
        key=f"{actor.id}:{key}" if key else "",
    )
    return DeploymentOut.model_validate(view)


@router.get(PLACE + "/workloads/{workload}/logs")
async def read_logs(
    request: Request,
    session: Reading,
    _: EnvironmentReader,
    address: Annotated[WorkloadAddress, Depends()],
    query: Annotated[LogQuery, Query()],
) -> LogOut:
    """Give lines that a workload printed, secret values masked."""
    environment, _owner = await reading.get_environment(session, address.application, address.environment)
    found = await reading.get_workload(session, environment, address.workload)
    if found.instance_id is None:
        return LogOut(instance_id=None, lines=[], next_position=0, lost_bytes=0)
    piece = await asyncio.to_thread(
        read_log, request.app.state.services, found.instance_id, position=query.position, limit=query.limit
    )
    return LogOut(
        instance_id=found.instance_id,
        lines=piece.lines,
        next_position=piece.next_position,
        lost_bytes=piece.lost_bytes,
    )
