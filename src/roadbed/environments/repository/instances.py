"""Queries on the processes of workloads."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.environments.models import Application, Deployment, Environment, Instance, Workload
from roadbed.environments.types import InstanceState

_WISH = ("artifact", "command", "variables", "probes", "is_wanted")


@dataclass(frozen=True)
class PlacedWorkload:
    """A workload with where it is, and its active instance if it has one."""

    workload: Workload
    environment: Environment
    application: Application
    instance: Instance | None


@dataclass(frozen=True)
class PlacedInstance:
    """An instance with where it is and the version that it runs."""

    instance: Instance
    workload: Workload
    environment: Environment
    application: Application
    version: str


async def put(session: WriteSession, row: dict[str, Any]) -> Instance:
    """Add an instance, or want the one of this deployment and workload again; it keeps its id and port."""
    statement = insert(Instance).values(row)
    statement = statement.on_conflict_do_update(
        index_elements=["deployment_id", "workload_id"],
        set_={name: statement.excluded[name] for name in _WISH},
    )
    found = await session.scalars(statement.returning(Instance), execution_options={"populate_existing": True})
    return found.one()


async def change(session: WriteSession, instance_id: UUID, values: dict[str, Any]) -> None:
    await session.execute(update(Instance).where(Instance.id == instance_id).values(values))


async def find(session: ReadSession, instance_id: UUID) -> PlacedInstance | None:
    return next(iter(await _list(session, Instance.id == instance_id)), None)


async def list_wanted(session: ReadSession) -> list[Instance]:
    return list(await session.scalars(select(Instance).where(Instance.is_wanted).order_by(Instance.id)))


async def list_placed(session: ReadSession) -> list[PlacedInstance]:
    """List all instances that are wanted or whose process did not end yet."""
    return await _list(session, _is_there())


async def list_taken_ports(session: ReadSession) -> set[int]:
    ports = await session.scalars(select(Instance.port).where(Instance.port.is_not(None), _is_there()))
    return {port for port in ports if port is not None}


async def list_kept_artifacts(session: ReadSession) -> set[str]:
    """Return the digests of what runs, shall run, or is what a stopped workload is started with again."""
    wanted = or_(_is_there(), Instance.id.in_(_active_ids()))
    return set(await session.scalars(select(Instance.artifact).where(wanted).distinct()))


async def list_kept_ids(session: ReadSession, *, latest: int) -> set[UUID]:
    """Return the ids of instances that are there or active, and of the `latest` of each workload."""
    rank = func.row_number().over(partition_by=Instance.workload_id, order_by=Instance.id.desc())
    ranked = select(Instance.id, _is_there().label("is_there"), rank.label("rank")).subquery()
    query = select(ranked.c.id).where(or_(ranked.c.is_there, ranked.c.rank <= latest, ranked.c.id.in_(_active_ids())))
    return set(await session.scalars(query))


async def find_newest_id(session: ReadSession, workload_id: UUID) -> UUID | None:
    """Return the instance of a workload that was made last."""
    query = select(Instance.id).where(Instance.workload_id == workload_id).order_by(Instance.id.desc()).limit(1)
    found: UUID | None = await session.scalar(query)
    return found


async def list_known_ids(session: ReadSession, instance_ids: Collection[UUID]) -> set[UUID]:
    """Return those of the ids that exist."""
    return set(await session.scalars(select(Instance.id).where(Instance.id.in_(instance_ids))))


async def list_workloads(session: ReadSession) -> list[PlacedWorkload]:
    """List all workloads with their active instances."""
    query = (
        select(Workload, Environment, Application, Instance)
        .join(Environment, Environment.id == Workload.environment_id)
        .join(Application, Application.id == Environment.application_id)
        .outerjoin(Instance, Instance.id == Workload.active_instance_id)
        .order_by(Workload.id)
    )
    return [PlacedWorkload(*row) for row in await session.execute(query)]


async def list_workloads_of(session: ReadSession, component: str) -> Sequence[tuple[Workload, Environment]]:
    """List a component's workloads by the order of their environments."""
    query = (
        select(Workload, Environment)
        .join(Environment, Environment.id == Workload.environment_id)
        .where(Workload.component == component)
        .order_by(Environment.order, Workload.id)
    )
    return [(workload, environment) for workload, environment in await session.execute(query)]


async def lock_placed_workload(session: WriteSession, workload_id: UUID) -> tuple[Workload, Environment, Application]:
    """Return a workload that is known to exist, with where it is, and keep others from changing it."""
    query = (
        select(Workload, Environment, Application)
        .join(Environment, Environment.id == Workload.environment_id)
        .join(Application, Application.id == Environment.application_id)
        .where(Workload.id == workload_id)
    )
    found = await session.execute(locking(query, of=Workload))
    workload, environment, application = found.one()
    return workload, environment, application


def _active_ids() -> Select[UUID | None]:
    return select(Workload.active_instance_id).where(Workload.active_instance_id.is_not(None))


def _is_there() -> ColumnElement[bool]:
    return or_(Instance.is_wanted, Instance.state != InstanceState.STOPPED.value)


async def _list(session: ReadSession, condition: ColumnElement[bool]) -> list[PlacedInstance]:
    query = (
        select(Instance, Workload, Environment, Application, Deployment.version)
        .join(Workload, Workload.id == Instance.workload_id)
        .join(Environment, Environment.id == Workload.environment_id)
        .join(Application, Application.id == Environment.application_id)
        .join(Deployment, Deployment.id == Instance.deployment_id)
        .where(condition)
        .order_by(Instance.id)
    )
    return [
        PlacedInstance(instance, workload, environment, application, version)
        for instance, workload, environment, application, version in await session.execute(query)
    ]
