"""Queries that fill the index: entities as they are, in ranges and by ref, with all that belongs to them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, bindparam, cast, exists, func, select

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

# Asked each second: putting such a query together takes longer than running it.
_CHANGED = (
    select(Change.position, Change.ref)
    .where(Change.position > bindparam("after"))
    .order_by(Change.position)
    .limit(bindparam("most"))
)


async def list_range(session: ReadSession, *, after: str, limit: int) -> list[Kept]:
    """Return entities in the order of their refs, from behind `after`."""
    query = select(*_COLUMNS).where(Entity.ref > after).order_by(Entity.ref).limit(limit)
    return await _complete(session, (await session.execute(query)).all())


async def list_by_refs(session: ReadSession, refs: Sequence[str]) -> list[Kept]:
    """Return those of these entities that exist."""
    query = select(*_COLUMNS).where(among(Entity.ref, refs))
    return await _complete(session, (await session.execute(query)).all())


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


async def _complete(session: ReadSession, rows: Sequence[Any]) -> list[Kept]:
    refs = [row.ref for row in rows]
    relations = await _list_relations(session, refs)
    health = await _list_health(session, refs)
    faults = await _list_faults(session, refs)
    return [
        Kept(
            uid=str(row.id),
            ref=row.ref,
            written=row.document,
            digest=row.digest,
            record=_record(row, health.get(row.ref)),
            relations=[_split(line) for line in relations.get(row.ref, "").splitlines()],
            faults=faults.get(row.ref, ()),
        )
        for row in rows
    ]


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


def _split(line: str) -> tuple[str, str]:
    type_, _, target = line.partition(" ")
    return type_, target


async def _list_relations(session: ReadSession, refs: Sequence[str]) -> dict[str, str]:
    """Return `type target` a line for each of these refs; what orphans declare is left out.

    Orphans are few and have an index: joined with the other entities, the query read all of these each time.
    """
    line = EntityRelation.type + " " + EntityRelation.target_ref
    is_of_orphan = exists().where(Entity.id == EntityRelation.origin_id, Entity.orphaned_at.is_not(None))
    query = (
        select(EntityRelation.source_ref, func.string_agg(line, "\n"))
        .where(among(EntityRelation.source_ref, refs), ~is_of_orphan)
        .group_by(EntityRelation.source_ref)
    )
    return {source: lines for source, lines in await session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


async def _list_health(session: ReadSession, refs: Sequence[str]) -> dict[str, str]:
    """Return the state of the status `health` of those that have one."""
    query = select(EntityStatus.ref, EntityStatus.state).where(
        among(EntityStatus.ref, refs), EntityStatus.key == "health"
    )
    return {ref: state for ref, state in await session.execute(query)}  # noqa: C416 - as above


async def _list_faults(session: ReadSession, refs: Sequence[str]) -> dict[str, list[str]]:
    """Return what is wrong with newer contents of these entities, that were therefore not taken."""
    query = (
        select(LocationError.ref, LocationError.reason)
        .join(Entity, Entity.ref == LocationError.ref)
        .where(
            among(LocationError.ref, refs),
            LocationError.severity == "error",
            LocationError.code.in_(("invalid", "target")),
            LocationError.location_id.is_not_distinct_from(Entity.location_id),
            LocationError.file == Entity.file,
        )
        .order_by(LocationError.ref, LocationError.line, LocationError.id)
    )
    faults: dict[str, list[str]] = {}
    for ref, reason in await session.execute(query):
        faults.setdefault(ref, []).append(reason)
    return faults
