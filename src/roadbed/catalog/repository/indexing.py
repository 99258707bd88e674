"""Queries that fill the index: entities as they are, all or by ref, with all that belongs to them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, Text, bindparam, cast, exists, func, select

from roadbed.catalog.models import Change, Entity, EntityRelation, EntityStatus, Location, LocationError
from roadbed.catalog.rules.index.entries import Kept, make_location
from roadbed.core.db import ReadSession, among

_COLUMNS = (
    Entity.id,
    Entity.ref,
    cast(Entity.document, Text).label("document"),
    Entity.digest,
    Entity.title,
    Entity.sort_key,
    Entity.owner_ref,
    Entity.system_ref,
    Entity.location_id,
    Entity.is_built_in,
    Entity.file,
    Entity.line,
    Entity.updated_at,
    Entity.orphaned_at,
)

# What each ref is related to: `type target` a line. What orphans declare is left out: they are few and have an index;
# joined with the other entities, the query read all of these.
_RELATIONS = (
    select(
        EntityRelation.source_ref,
        func.string_agg(EntityRelation.type + " " + EntityRelation.target_ref, "\n").label("lines"),
    )
    .where(~exists().where(Entity.id == EntityRelation.origin_id, Entity.orphaned_at.is_not(None)))
    .group_by(EntityRelation.source_ref)
)
_HEALTH = select(EntityStatus.ref, EntityStatus.state).where(EntityStatus.key == "health")

# Asked each second: putting such a query together takes longer than running it.
_CHANGED = (
    select(Change.position, Change.ref)
    .where(Change.position > bindparam("after"))
    .order_by(Change.position)
    .limit(bindparam("most"))
)


async def stream_all(session: ReadSession, *, size: int) -> AsyncIterator[list[Kept]]:
    """Yield all entities in the order of their refs, so many at a time."""
    faults = await _list_faults(session)
    relations, health = _RELATIONS.subquery(), _HEALTH.subquery()
    query = (
        select(*_COLUMNS, relations.c.lines, health.c.state)
        .outerjoin(relations, relations.c.source_ref == Entity.ref)
        .outerjoin(health, health.c.ref == Entity.ref)
        .order_by(Entity.ref)
    )
    async for rows in (await session.stream(query)).partitions(size):
        yield [_kept(row, row.lines, row.state, faults) for row in rows]


async def count_all(session: ReadSession) -> int:
    return await session.scalar(select(func.count()).select_from(Entity)) or 0


async def list_by_refs(session: ReadSession, refs: Sequence[str]) -> list[Kept]:
    """Return those of these entities that exist."""
    rows = (await session.execute(select(*_COLUMNS).where(among(Entity.ref, refs)))).all()
    found = [row.ref for row in rows]
    relations = await _list_pairs(session, _RELATIONS.where(among(EntityRelation.source_ref, found)))
    health = await _list_pairs(session, _HEALTH.where(among(EntityStatus.ref, found)))
    faults = await _list_faults(session, found)
    return [_kept(row, relations.get(row.ref), health.get(row.ref), faults) for row in rows]


async def list_locations(session: ReadSession, refs: Sequence[str] | None = None) -> list[Kept]:
    """Return the Location entities of the locations that were read at least once; all, or these."""
    query = select(Location).where(Location.read_at.is_not(None))
    if refs is not None:
        query = query.where(among(Location.entity_ref, refs))
    return [
        make_location(
            row.entity_ref,
            uid=str(row.id),
            type_=row.type,
            target=row.target,
            faults=[row.error["message"]] if row.error else [],
        )
        for row in await session.scalars(query)
    ]


async def list_changed(session: ReadSession, *, after: int, limit: int) -> list[tuple[int, str]]:
    """Return (position, ref) of the changes behind a position, in their order."""
    found = await session.execute(_CHANGED, {"after": after, "most": limit})
    return [(position, ref) for position, ref in found]


def _kept(row: Any, lines: str | None, health: str | None, faults: Mapping[str, Sequence[str]]) -> Kept:
    return Kept(
        uid=str(row.id),
        ref=row.ref,
        written=row.document,
        digest=row.digest,
        record=_record(row, health),
        relations=lines or "",
        faults=faults.get(row.ref, ()),
    )


def _record(row: Any, health: str | None) -> dict[str, Any]:
    return {
        "title": row.title,
        "sort_key": row.sort_key,
        "owner": row.owner_ref,
        "system": row.system_ref,
        "location_id": str(row.location_id) if row.location_id else None,
        "is_built_in": row.is_built_in,
        "file": row.file,
        "line": row.line,
        "digest": row.digest,
        "updated_at": row.updated_at,
        "orphaned_at": row.orphaned_at,
        "health": health,
    }


async def _list_pairs(session: ReadSession, query: Select[str, str]) -> dict[str, str]:
    return {key: value for key, value in await session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


async def _list_faults(session: ReadSession, refs: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return what is wrong with newer contents of entities, all or these, that were therefore not taken."""
    query = (
        select(LocationError.ref, LocationError.reason)
        .join(Entity, Entity.ref == LocationError.ref)
        .where(
            LocationError.severity == "error",
            LocationError.code.in_(("invalid", "target")),
            LocationError.location_id.is_not_distinct_from(Entity.location_id),
            LocationError.file == Entity.file,
        )
        .order_by(LocationError.ref, LocationError.line, LocationError.id)
    )
    if refs is not None:
        query = query.where(among(LocationError.ref, refs))
    faults: dict[str, list[str]] = {}
    for ref, reason in await session.execute(query):
        faults.setdefault(ref, []).append(reason)
    return faults
