"""Every query on resources."""

from uuid import UUID

from sqlalchemy import delete, select

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.provisioning.models import Resource
from roadbed.provisioning.types import EnvironmentKey, ResourceFilter


async def find(session: ReadSession, resource_id: UUID) -> Resource | None:
    return await session.get(Resource, resource_id)


async def lock(session: WriteSession, resource_id: UUID) -> Resource | None:
    found: Resource | None = await session.scalar(locking(select(Resource).where(Resource.id == resource_id)))
    return found


async def find_by_name(session: ReadSession, environment: EnvironmentKey, *, type_: str, name: str) -> Resource | None:
    query = select(Resource).where(
        Resource.application == environment.application,
        Resource.environment == environment.name,
        Resource.type == type_,
        Resource.name == name,
    )
    found: Resource | None = await session.scalar(query)
    return found


async def list_named(session: ReadSession, environment: EnvironmentKey, name: str) -> list[Resource]:
    """List the resources of one id in an environment; types tell them apart."""
    query = select(Resource).where(
        Resource.application == environment.application,
        Resource.environment == environment.name,
        Resource.name == name,
    )
    return list(await session.scalars(query))


async def list_resources(
    session: ReadSession, wanted: ResourceFilter, *, before_id: UUID | None = None, limit: int
) -> list[Resource]:
    """List resources, newest first, from below `before_id`."""
    query = select(Resource).order_by(Resource.id.desc()).limit(limit)
    if wanted.application:
        query = query.where(Resource.application == wanted.application)
    if wanted.environment:
        query = query.where(Resource.environment == wanted.environment)
    if wanted.type:
        query = query.where(Resource.type == wanted.type)
    if wanted.state:
        query = query.where(Resource.state == wanted.state)
    if before_id:
        query = query.where(Resource.id < before_id)
    return list(await session.scalars(query))


async def list_of_driver(session: ReadSession, driver: str) -> list[Resource]:
    return list(await session.scalars(select(Resource).where(Resource.driver == driver).order_by(Resource.id)))


async def remove(session: WriteSession, resource_id: UUID) -> None:
    await session.execute(delete(Resource).where(Resource.id == resource_id))
