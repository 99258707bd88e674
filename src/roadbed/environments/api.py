"""REST: environments, deployments and the logs of workloads. Deploying and rolling back start runs."""

import asyncio
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request

from roadbed.core.db import Reading, Writing
from roadbed.core.http.streams import EventStream
from roadbed.core.idempotency import Once
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.environments.access import Deployer, EnvironmentReader
from roadbed.environments.schemas import (
    ComparisonOut,
    DeployComponentIn,
    DeployIn,
    DeploymentOut,
    DeploymentPageOut,
    DeploymentQuery,
    DifferenceOut,
    EnvironmentOut,
    EnvironmentPageOut,
    EnvironmentQuery,
    FollowQuery,
    LogOut,
    LogQuery,
    PlacedWorkloadOut,
    RollbackIn,
    StartedOut,
    WorkloadComparisonOut,
    WorkloadOut,
    WorkloadPageOut,
    WorkloadQuery,
)
from roadbed.environments.service import reading
from roadbed.environments.service.comparing import compare_environments
from roadbed.environments.service.following import LogFollower, read_position
from roadbed.environments.service.instances import read_log
from roadbed.environments.service.redeploying import deploy_component, promote, roll_back
from roadbed.environments.service.steering import restart_workload, stop_workload
from roadbed.environments.types import (
    Choice,
    DeploymentFilter,
    EnvironmentView,
    WorkloadAddress,
    WorkloadFilter,
    WorkloadView,
)

router = APIRouter(tags=["environments"])

PLACE = "/environments/{application}/{environment}"
WORKLOAD = PLACE + "/workloads/{workload}"


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
async def list_all(
    session: Reading, _: EnvironmentReader, query: Annotated[EnvironmentQuery, Query()]
) -> EnvironmentPageOut:
    """List environments with what runs in them, those of the newest application first."""
    found = await reading.list_environment_page(
        session, application=query.application, before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    workloads = await reading.list_workloads(session, environment_ids=[view.id for view in shown])
    items = [
        _show(
            view,
            [one for one in workloads if (one.application_name, one.environment) == (view.application_name, view.name)],
        )
        for view in shown
    ]
    return EnvironmentPageOut(items=items, next_cursor=id_cursor(shown[-1].id) if len(found) > len(shown) else None)


@router.get("/workloads")
async def list_workloads(
    session: Reading, _: EnvironmentReader, query: Annotated[WorkloadQuery, Query()]
) -> WorkloadPageOut:
    """List workloads with where they are and what runs of them, those that were made last first."""
    wanted = WorkloadFilter(
        application=query.application,
        environment=query.environment,
        component=query.component.lower() if query.component else None,
        name=query.name,
    )
    found = await reading.list_workload_page(
        session, wanted, before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    return WorkloadPageOut(
        items=[PlacedWorkloadOut.model_validate(view) for view in shown],
        next_cursor=id_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.get(PLACE)
async def read_one(session: Reading, _: EnvironmentReader, application: str, environment: str) -> EnvironmentOut:
    """Give one environment: what runs there, how it is, and with which variables."""
    found, owner = await reading.get_environment(session, application, environment)
    workloads = await reading.list_workloads(session, environment_ids=[found.id])
    return _show(reading.environment_view(found, owner), workloads)


@router.get(PLACE + "/compare/{other}")
async def compare(
    session: Reading, _: EnvironmentReader, application: str, environment: str, other: str
) -> ComparisonOut:
    """Tell what differs between two environments of an application: versions, variables, classes of resources."""
    found = await compare_environments(session, application, before=environment, after=other)
    return ComparisonOut(
        application=found.before.application_name,
        before=found.before.name,
        after=found.after.name,
        is_equal=found.is_equal,
        workloads=[WorkloadComparisonOut.model_validate(one) for one in found.workloads],
        resources=[DifferenceOut.model_validate(one) for one in found.resources],
    )


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


@router.post("/deployments", status_code=202)
async def deploy_anywhere(session: Writing, actor: Deployer, body: DeployComponentIn, once: Once) -> DeploymentOut:
    """Deploy a component to an environment: a version, commit or artifact of it, or the newest artifact."""
    if known := await once.find(DeploymentOut):
        return known
    choice = Choice(
        component=body.component,
        source=body.from_environment,
        version=body.version,
        commit=body.commit,
        artifact=body.artifact,
    )
    view = await deploy_component(session, actor, environment=body.environment, choice=choice)
    return await once.keep(DeploymentOut.model_validate(view))


@router.post(PLACE + "/deployments", status_code=202)
async def deploy(
    session: Writing, actor: Deployer, application: str, environment: str, body: DeployIn, once: Once
) -> DeploymentOut:
    """Deploy what was deployed before, here or in another environment of the application."""
    if known := await once.find(DeploymentOut):
        return known
    target = await reading.get_environment(session, application, environment)
    choice = Choice(
        component=body.component,
        source=body.from_environment,
        version=body.version,
        commit=body.commit,
        artifact=body.artifact,
    )
    view = await promote(session, actor, target=target, choice=choice)
    return await once.keep(DeploymentOut.model_validate(view))


@router.post(PLACE + "/rollback", status_code=202)
async def rollback(
    session: Writing,
    actor: Deployer,
    application: str,
    environment: str,
    once: Once,
    body: RollbackIn | None = None,
) -> DeploymentOut:
    """Deploy what ran before, or what an earlier deployment of this environment led to."""
    if known := await once.find(DeploymentOut):
        return known
    target = await reading.get_environment(session, application, environment)
    wanted = body or RollbackIn()
    view = await roll_back(
        session, actor, target=target, component=wanted.component, deployment_id=wanted.deployment_id
    )
    return await once.keep(DeploymentOut.model_validate(view))


@router.post(WORKLOAD + "/restart", status_code=202)
async def restart(
    session: Writing, actor: Deployer, address: Annotated[WorkloadAddress, Depends()], once: Once
) -> StartedOut:
    """End the process of a workload and start it anew; one that is stopped is started."""
    if known := await once.find(StartedOut):
        return known
    view = await reading.get_workload_at(session, address)
    run = await restart_workload(session, actor, view)
    return await once.keep(StartedOut(run_id=run.id, title=run.title))


@router.post(WORKLOAD + "/stop", status_code=202)
async def stop(
    session: Writing, actor: Deployer, address: Annotated[WorkloadAddress, Depends()], once: Once
) -> StartedOut:
    """End the process of a workload, until it is started or deployed again."""
    if known := await once.find(StartedOut):
        return known
    view = await reading.get_workload_at(session, address)
    run = await stop_workload(session, actor, view)
    return await once.keep(StartedOut(run_id=run.id, title=run.title))


@router.get(WORKLOAD + "/logs")
async def read_logs(
    request: Request,
    session: Reading,
    _: EnvironmentReader,
    address: Annotated[WorkloadAddress, Depends()],
    query: Annotated[LogQuery, Query()],
) -> LogOut:
    """Give lines that a workload printed, secret values masked. Where nothing runs, those of the last attempt."""
    found = await reading.get_workload_at(session, address)
    instance_id = await reading.find_log_instance(session, found.id)
    if instance_id is None:
        return LogOut(instance_id=None, lines=[], position=0, next_position=0, lost_bytes=0)
    piece = await asyncio.to_thread(
        read_log, request.app.state.services, instance_id, position=query.position, limit=query.limit
    )
    return LogOut(
        instance_id=instance_id,
        lines=piece.lines,
        position=piece.position,
        next_position=piece.next_position,
        lost_bytes=piece.lost_bytes,
    )


@router.get(WORKLOAD + "/logs/events", response_class=EventStream)
async def follow_logs(
    request: Request,
    session: Reading,
    _: EnvironmentReader,
    address: Annotated[WorkloadAddress, Depends()],
    query: Annotated[FollowQuery, Query()],
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventStream:
    """Stream what a workload prints as server-sent events, over its restarts and deployments.

    `line` has `number`, `text` and `instance_id`; `end` comes when the workload is gone. A client that comes back
    sends `Last-Event-ID`, misses no line, and knows by `number` which ones it has already.
    """
    found = await reading.get_workload_at(session, address)
    position = read_position(last_event_id or query.position)
    follower = LogFollower(request.app.state.services, found.id, position=position, tail=query.tail)
    return EventStream(follower.events())
