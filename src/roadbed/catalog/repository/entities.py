"""Queries on entities and their relations, one at a time and in bulk."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Text, cast, delete, func, select, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, JSON, JSONB
from sqlalchemy.orm import defer

from roadbed.catalog.models import Entity, EntityRelation
from roadbed.catalog.types import AnnotatedEntity
from roadbed.core.db import ReadSession, WriteSession, among, copy_rows, insert_rows, update_rows
from roadbed.kit.refs import EntityRef

RelationRow = tuple[UUID, int, str, str, str]
"""Who declares a relation, its number there, source, type and target."""


class Held(NamedTuple):
    """An entity as it is held, without its content."""

    id: UUID
    ref: str
    digest: str
    location_id: UUID | None
    file: str
    line: int
    end_line: int
    orphaned_at: datetime | None


# PostgreSQL takes at most 32,767 parameters in one statement.
_BATCH = 1000
_DEFINITION = cast(["spec", "definition"], ARRAY(Text))


async def find_entity(session: ReadSession, ref: str) -> Entity | None:
    return (await session.scalars(select(Entity).where(Entity.ref == ref))).one_or_none()


class Defined(NamedTuple):
    """An API: its row without the document, the document without the definition, and that as a text."""

    row: Entity
    document: dict[str, Any]
    definition: str | None


async def find_defined(session: ReadSession, ref: str) -> Defined | None:
    """Return an entity with its definition apart: a text of 10 MB inside a document takes long to decode."""
    query = select(
        Entity,
        type_coerce(cast(Entity.document, JSONB).op("#-")(_DEFINITION), JSON),
        Entity.document["spec"]["definition"].astext,
    ).options(defer(Entity.document))
    found = (await session.execute(query.where(Entity.ref == ref))).one_or_none()
    return None if found is None else Defined(*found)


async def list_by_refs(session: ReadSession, refs: Iterable[str]) -> list[Entity]:
    wanted = list(refs)
    found: list[Entity] = []
    for start in range(0, len(wanted), _BATCH):
        found += await session.scalars(select(Entity).where(among(Entity.ref, wanted[start : start + _BATCH])))
    return found


async def list_annotated(session: ReadSession, annotation: str, refs: Iterable[str]) -> list[AnnotatedEntity]:
    """Return those of these entities that have an annotation, without their content."""
    wanted = list(refs)
    value = Entity.document[("metadata", "annotations", annotation)].astext
    query = select(
        Entity.kind,
        Entity.namespace,
        Entity.name,
        Entity.title,
        Entity.owner_ref,
        Entity.location_id,
        Entity.file,
        value,
    ).where(value.is_not(None))
    found: list[AnnotatedEntity] = []
    for start in range(0, len(wanted), _BATCH):
        for kind, namespace, name, *others in await session.execute(
            query.where(among(Entity.ref, wanted[start : start + _BATCH]))
        ):
            found.append(AnnotatedEntity(EntityRef(kind, namespace, name), *others))
    return found


async def list_of_location(session: ReadSession, location_id: UUID, *, kind: str | None = None) -> list[Entity]:
    query = select(Entity).where(Entity.location_id == location_id)
    return list(await session.scalars(query if kind is None else query.where(Entity.kind == kind)))


async def list_held(session: ReadSession, location_id: UUID) -> list[Held]:
    """Return the entities of a location without their content, which may be much."""
    query = select(
        Entity.id,
        Entity.ref,
        Entity.digest,
        Entity.location_id,
        Entity.file,
        Entity.line,
        Entity.end_line,
        Entity.orphaned_at,
    ).where(Entity.location_id == location_id)
    return [Held(*row) for row in await session.execute(query)]


async def find_newest_update(session: ReadSession) -> datetime | None:
    newest: datetime | None = await session.scalar(select(func.max(Entity.updated_at)))
    return newest


async def add_entities(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    await insert_rows(session, Entity, rows)


async def update_entities(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Update by id; each row holds the id and all columns that any row changes."""
    await update_rows(session, Entity, rows)


async def orphan_entities(session: WriteSession, rows: Iterable[tuple[UUID, int]], *, at: datetime) -> None:
    """Mark entities as orphans, each with the position of that change."""
    await update_entities(
        session, [{"id": entity_id, "orphaned_at": at, "position": position} for entity_id, position in rows]
    )


async def delete_entities(session: WriteSession, ids: Iterable[UUID]) -> None:
    """Delete entities with the relations that they declare."""
    wanted = list(ids)
    await replace_relations(session, wanted, ())
    for start in range(0, len(wanted), _BATCH):
        await session.execute(delete(Entity).where(among(Entity.id, wanted[start : start + _BATCH])))


async def replace_relations(session: WriteSession, origins: Iterable[UUID], rows: Sequence[RelationRow]) -> None:
    """Take away the relations that entities declare, and add rows."""
    wanted = list(origins)
    for start in range(0, len(wanted), _BATCH):
        await session.execute(
            delete(EntityRelation).where(among(EntityRelation.origin_id, wanted[start : start + _BATCH]))
        )
    await copy_rows(session, EntityRelation, ("origin_id", "number", "source_ref", "type", "target_ref"), rows)


async def list_relations(session: ReadSession, ref: str, *, until: int | None = None) -> list[tuple[str, str]]:
    """Return (type, target) of everything an entity is related to, sorted.

    Args:
        session: to read with.
        ref: of the entity.
        until: only what entities declare that have not changed behind this position.
    """
    query = (
        select(EntityRelation.type, EntityRelation.target_ref)
        .where(EntityRelation.source_ref == ref)
        .distinct()
        .order_by(EntityRelation.type, EntityRelation.target_ref)
    )
    if until is not None:
        query = query.join(Entity, Entity.id == EntityRelation.origin_id).where(Entity.position <= until)
    return [(type_, target) for type_, target in await session.execute(query)]


async def list_targets(session: ReadSession, *, source: str, type_: str) -> list[str]:
    query = select(EntityRelation.target_ref).where(EntityRelation.source_ref == source, EntityRelation.type == type_)
    return sorted(set(await session.scalars(query)))


async def list_groups(session: ReadSession, ref: str) -> list[str]:
    """Return the groups that an entity is a member of, directly or through groups above them."""
    direct = (
        select(EntityRelation.target_ref.label("ref"))
        .where(EntityRelation.source_ref == ref, EntityRelation.type == "memberOf")
        .cte("found", recursive=True)
    )
    above = select(EntityRelation.target_ref).join(direct, EntityRelation.source_ref == direct.c.ref)
    found = direct.union(above.where(EntityRelation.type == "childOf"))  # not "union all": it ends in a circle too
    return list(await session.scalars(select(found.c.ref)))


async def list_parents(session: ReadSession) -> dict[str, str]:
    """Return child → parent of all groups that exist."""
    query = (
        select(EntityRelation.source_ref, EntityRelation.target_ref)
        .where(EntityRelation.type == "childOf", EntityRelation.source_ref.startswith("group:"))
        .order_by(EntityRelation.source_ref, EntityRelation.target_ref)
    )
    return {child: parent for child, parent in await session.execute(query)}  # noqa: C416 - rows are no pairs to mypy
