"""Queries on the entities that declare kinds, and on what depends on them."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select, text

from roadbed.catalog.models import Entity, LocationFile
from roadbed.core.db import ReadSession

# Written out: with a parameter, PostgreSQL could not know that the index of these entities serves.
_IS_KIND = text("entities.kind = 'Kind'")


class Declared(NamedTuple):
    """An entity that declares a kind."""

    ref: str
    digest: str
    location_id: UUID | None
    is_orphan: bool


async def list_declared(session: ReadSession) -> list[Declared]:
    """Return the entities that declare kinds, in the order of their refs."""
    query = select(Entity.ref, Entity.digest, Entity.location_id, Entity.orphaned_at.is_not(None))
    return [Declared(*row) for row in await session.execute(query.where(_IS_KIND).order_by(Entity.ref))]


async def list_documents(session: ReadSession, refs: Collection[str]) -> dict[str, dict[str, Any]]:
    query = select(Entity.ref, Entity.document).where(_IS_KIND, Entity.ref.in_(refs))
    return {ref: document for ref, document in await session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


async def count_of_kinds(session: ReadSession, names: Iterable[str], *, without: UUID | None = None) -> dict[str, int]:
    """Return how many entities there are of each of these kinds; those of one location are left out."""
    query = select(Entity.kind, func.count()).where(Entity.kind.in_(list(names))).group_by(Entity.kind)
    if without is not None:
        query = query.where(Entity.location_id.is_distinct_from(without))
    return {kind: count for kind, count in await session.execute(query)}  # noqa: C416 - as above


async def list_put(session: ReadSession, kind: str, *, after: str, limit: int) -> Sequence[Entity]:
    """Return entities of a kind that were put over the API, in the order of their refs, from behind `after`."""
    query = select(Entity).where(Entity.kind == kind, Entity.location_id.is_(None), Entity.ref > after)
    return (await session.scalars(query.order_by(Entity.ref).limit(limit))).all()


async def list_users(session: ReadSession, name: str) -> list[tuple[UUID, str]]:
    """Return the locations with files that depend on a kind, with the digest of it that they were checked against."""
    digest = LocationFile.kinds[name].astext
    query = select(LocationFile.location_id, digest).where(LocationFile.kinds.has_key(name)).distinct()
    return [(location_id, known) for location_id, known in await session.execute(query)]
