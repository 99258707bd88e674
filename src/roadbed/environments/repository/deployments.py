"""Queries on applications, environments, deployments and sets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.environments.models import Application, Deployment, DeploymentSet, Environment, Workload
from roadbed.environments.types import DeploymentFilter, DeploymentState
from roadbed.kit.clock import now

Row = tuple[Deployment, Environment, Application]


async def find_application(session: ReadSession, name: str) -> Application | None:
    found: Application | None = await session.scalar(select(Application).where(Application.name == name))
    return found


async def find_application_of_entity(session: ReadSession, *, uid: UUID, ref: str) -> Application | None:
    """Return the application that is bound to an entity: by its uid, else by its ref."""
    query = select(Application).where((Application.entity_uid == uid) | (Application.entity_ref == ref))
    rows = sorted(await session.scalars(query), key=lambda row: row.entity_uid != uid)
    return rows[0] if rows else None


async def find_application_of_component(session: ReadSession, component: str) -> Application | None:
    """Return the application in which a component runs, or ran."""
    query = (
        select(Application)
        .join(Environment, Environment.application_id == Application.id)
        .join(Workload, Workload.environment_id == Environment.id)
        .where(Workload.component == component)
        .limit(1)
    )
    found: Application | None = await session.scalar(query)
    return found


async def find_application_of_ref(session: ReadSession, ref: str) -> Application | None:
    """Return the application that is bound to the entity of this ref."""
    found: Application | None = await session.scalar(select(Application).where(Application.entity_ref == ref))
    return found


async def remove_application(session: WriteSession, application_id: UUID) -> None:
    """Delete an application with its environments and their deployments."""
    await session.execute(delete(Application).where(Application.id == application_id))


async def list_open_runs(session: ReadSession, application_id: UUID) -> list[UUID]:
    """Return the runs of deployments of an application that have not ended."""
    query = (
        select(Deployment.run_id)
        .join(Environment, Environment.id == Deployment.environment_id)
        .where(Environment.application_id == application_id, Deployment.finished_at.is_(None))
    )
    return list(await session.scalars(query))


async def list_names(session: ReadSession, start: str) -> set[str]:
    """Return the names of applications that begin with `start`."""
    return set(await session.scalars(select(Application.name).where(Application.name.startswith(start))))


async def list_page(
    session: ReadSession, *, application: str | None, before_id: UUID | None, limit: int
) -> list[tuple[Environment, Application]]:
    """List environments, those that were made last first, from below `before_id`."""
    query = (
        select(Environment, Application)
        .join(Application, Application.id == Environment.application_id)
        .order_by(Environment.id.desc())
        .limit(limit)
    )
    if application is not None:
        query = query.where(Application.name == application)
    if before_id is not None:
        query = query.where(Environment.id < before_id)
    return [(environment, owner) for environment, owner in await session.execute(query)]


async def list_environments(
    session: ReadSession, application_id: UUID | None = None
) -> list[tuple[Environment, Application]]:
    """List the environments of one application, or of all, in the order of the way to production."""
    query = (
        select(Environment, Application)
        .join(Application, Application.id == Environment.application_id)
        .order_by(Application.name, Environment.order, Environment.name)
    )
    if application_id is not None:
        query = query.where(Environment.application_id == application_id)
    return [(environment, application) for environment, application in await session.execute(query)]


async def find_environment(session: ReadSession, application_id: UUID, name: str) -> Environment | None:
    found: Environment | None = await session.scalar(
        select(Environment).where(Environment.application_id == application_id, Environment.name == name)
    )
    return found


async def lock_environment(session: WriteSession, environment_id: UUID) -> Environment:
    """Return an environment as it is now, and keep others from changing it."""
    query = locking(select(Environment).where(Environment.id == environment_id))
    return (await session.scalars(query)).one()


def _deployments() -> Any:
    return (
        select(Deployment, Environment, Application)
        .join(Environment, Environment.id == Deployment.environment_id)
        .join(Application, Application.id == Environment.application_id)
    )


async def find_deployment(session: ReadSession, deployment_id: UUID) -> Row | None:
    return await _first(session, _deployments().where(Deployment.id == deployment_id))


async def find_deployment_of_run(session: ReadSession, run_id: UUID) -> Row | None:
    return await _first(session, _deployments().where(Deployment.run_id == run_id))


async def lock_deployment_of_run(session: WriteSession, run_id: UUID) -> Row | None:
    return await _first(session, locking(_deployments().where(Deployment.run_id == run_id), of=Deployment))


async def find_newest(session: ReadSession, wanted: DeploymentFilter) -> Row | None:
    return await _first(session, _filter(wanted).order_by(Deployment.id.desc()).limit(1))


async def list_deployments(
    session: ReadSession, wanted: DeploymentFilter, *, before_id: UUID | None = None, limit: int
) -> list[Row]:
    """List deployments, newest first, from below `before_id`."""
    query = _filter(wanted).order_by(Deployment.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(Deployment.id < before_id)
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


def _filter(wanted: DeploymentFilter) -> Any:
    query = _deployments()
    conditions = (
        (Environment.application_id, wanted.application_id),
        (Environment.name, wanted.environment),
        (Deployment.component, wanted.component),
        (Deployment.state, wanted.state),
        (Deployment.version, wanted.version),
        (Deployment.artifact, wanted.artifact),
    )
    for column, value in conditions:
        if value is not None:
            query = query.where(column == value)
    if wanted.commit is not None:
        query = query.where(Deployment.commit.startswith(wanted.commit, autoescape=True))
    return query


async def list_rivals(session: ReadSession, deployment: Deployment) -> list[Deployment]:
    """Return the other deployments of a component in an environment that are on their way or newer, oldest first."""
    query = (
        select(Deployment)
        .where(
            Deployment.environment_id == deployment.environment_id,
            Deployment.component == deployment.component,
            Deployment.id != deployment.id,
            Deployment.finished_at.is_(None) | (Deployment.id > deployment.id),
        )
        .order_by(Deployment.id)
    )
    return list(await session.scalars(query))


async def list_sets(session: ReadSession, ids: Sequence[str]) -> dict[str, DeploymentSet]:
    rows = await session.scalars(select(DeploymentSet).where(DeploymentSet.id.in_(ids)))
    return {row.id: row for row in rows}


async def put_set(session: WriteSession, set_id: str, content: dict[str, Any]) -> None:
    values = {"id": set_id, "content": content, "created_at": now()}
    await session.execute(insert(DeploymentSet).values(values).on_conflict_do_nothing())


async def list_versions(session: ReadSession, component: str) -> list[str]:
    """Return the versions of a component that were deployed somewhere, newest first."""
    query = (
        select(Deployment.version)
        .where(Deployment.component == component, Deployment.state == DeploymentState.SUCCEEDED)
        .order_by(Deployment.id.desc())
        .limit(10)
    )
    return list(dict.fromkeys(await session.scalars(query)))


async def _first(session: ReadSession, query: Any) -> Row | None:
    found = (await session.execute(query)).first()
    return None if found is None else (found[0], found[1], found[2])
