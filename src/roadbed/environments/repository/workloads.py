"""Queries on workloads and on which of their instances is which."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.environments.models import Application, Deployment, Environment, Instance, Workload
from roadbed.environments.types import WorkloadFilter


@dataclass(frozen=True)
class WorkloadRow:
    """A workload where it stands, with its active instance and the deployment that made that."""

    workload: Workload
    environment: Environment
    application: Application
    instance: Instance | None
    deployment: Deployment | None


def _workloads() -> Any:
    return (
        select(Workload, Environment, Application, Instance, Deployment)
        .join(Environment, Environment.id == Workload.environment_id)
        .join(Application, Application.id == Environment.application_id)
        .outerjoin(Instance, Instance.id == Workload.active_instance_id)
        .outerjoin(Deployment, Deployment.id == Instance.deployment_id)
    )


async def find_workload(session: ReadSession, workload_id: UUID) -> WorkloadRow | None:
    row = (await session.execute(_workloads().where(Workload.id == workload_id))).first()
    return WorkloadRow(*row) if row else None


async def list_page(
    session: ReadSession, wanted: WorkloadFilter, *, before_id: UUID | None, limit: int
) -> list[WorkloadRow]:
    """List workloads, those that were made last first, from below `before_id`."""
    query = _workloads().order_by(Workload.id.desc()).limit(limit)
    conditions = (
        (Application.name, wanted.application),
        (Environment.name, wanted.environment),
        (Workload.component, wanted.component),
        (Workload.name, wanted.name),
    )
    for column, value in conditions:
        if value is not None:
            query = query.where(column == value)
    if before_id is not None:
        query = query.where(Workload.id < before_id)
    return [WorkloadRow(*row) for row in await session.execute(query)]


async def list_workloads(
    session: ReadSession,
    *,
    environment_ids: Collection[UUID] | None = None,
    components: Collection[str] | None = None,
    application_id: UUID | None = None,
) -> list[WorkloadRow]:
    """List workloads by application, name, and the way to production."""
    query = _workloads().order_by(Application.name, Workload.name, Environment.order, Environment.name)
    if environment_ids is not None:
        query = query.where(Workload.environment_id.in_(environment_ids))
    if application_id is not None:
        query = query.where(Environment.application_id == application_id)
    if components is not None:
        query = query.where(Workload.component.in_(components))
    return [WorkloadRow(*row) for row in await session.execute(query)]


async def put_workload(session: WriteSession, values: dict[str, Any]) -> Workload:
    """Make the workload unless there is one of that name, and lock it."""
    await session.execute(insert(Workload).values(values).on_conflict_do_nothing())
    query = select(Workload).where(Workload.environment_id == values["environment_id"], Workload.name == values["name"])
    return (await session.scalars(locking(query))).one()


async def lock_workload(session: WriteSession, workload_id: UUID) -> Workload | None:
    found: Workload | None = await session.scalar(locking(select(Workload).where(Workload.id == workload_id)))
    return found


async def remove_workloads(session: WriteSession, ids: Sequence[UUID]) -> None:
    await session.execute(delete(Workload).where(Workload.id.in_(ids)))


async def list_instances_of_deployment(session: ReadSession, deployment_id: UUID) -> list[Instance]:
    return list(await session.scalars(select(Instance).where(Instance.deployment_id == deployment_id)))


async def has_other_deployments(session: ReadSession, instance: Instance) -> bool:
    """Tell whether the workload of an instance has instances of other deployments too."""
    query = select(Instance.id).where(
        Instance.workload_id == instance.workload_id, Instance.deployment_id != instance.deployment_id
    )
    return await session.scalar(query.limit(1)) is not None


async def list_instances_of_component(
    session: ReadSession, *, environment_id: UUID, component: str
) -> list[tuple[Instance, Workload]]:
    """List all instances of a component in an environment, newest first."""
    query = (
        select(Instance, Workload)
        .join(Workload, Workload.id == Instance.workload_id)
        .where(Workload.environment_id == environment_id, Workload.component == component)
        .order_by(Instance.id.desc())
    )
    return [(instance, workload) for instance, workload in await session.execute(query)]
