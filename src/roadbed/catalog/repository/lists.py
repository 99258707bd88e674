"""The list of entities: filters, order, pages, facets."""

import re
from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from roadbed.catalog.models import Entity
from roadbed.catalog.types import EntityFilter
from roadbed.core.db import ReadSession

FACETS = {
    "kinds": Entity.kind,
    "owners": Entity.owner_ref,
    "types": Entity.type,
    "lifecycles": Entity.lifecycle,
    "namespaces": Entity.namespace,
}


async def list_entities(
    session: ReadSession, wanted: EntityFilter, *, after: tuple[str, str] | None, limit: int
) -> list[Entity]:
    """Return entities by title, from behind the (sort key, ref) `after`."""
    query = _where(select(Entity), wanted).order_by(Entity.sort_key, Entity.ref).limit(limit)
    if after is not None:
        query = query.where(tuple_(Entity.sort_key, Entity.ref) > tuple_(*after))
    return list(await session.scalars(query))


async def count_entities(session: ReadSession, wanted: EntityFilter) -> int:
    return int(await session.scalar(_where(select(func.count()).select_from(Entity), wanted)) or 0)


async def count_by(
    session: ReadSession, wanted: EntityFilter, field: str, *, limit: int
) -> list[tuple[str | None, int]]:
    """Return the values of a facet with their counts, most frequent first; its own filter is left out."""
    column: Any = FACETS[field]
    query = _where(select(column, func.count()), wanted.without(field)).group_by(column)
    rows = await session.execute(query.order_by(func.count().desc(), column).limit(limit))
    return [(value, count) for value, count in rows]


async def search_entities(session: ReadSession, text: str, *, limit: int) -> list[Entity]:
    """Return entities that hold all words of `text`, ordered by how well their name fits as in `core.search.rank`."""
    wanted = text.lower()
    names = (func.lower(Entity.name), Entity.sort_key)
    word = f"(^|[^[:alnum:]]){re.escape(wanted)}"
    order = case(
        (or_(*(name == wanted for name in names)), 0),
        (or_(*(name.startswith(wanted, autoescape=True) for name in names)), 1),
        (or_(*(name.regexp_match(word) for name in names)), 2),
        (or_(*(name.contains(wanted, autoescape=True) for name in names)), 3),
        else_=4,
    )
    query = _where(select(Entity), EntityFilter(text=text)).order_by(order, Entity.sort_key, Entity.ref)
    return list(await session.scalars(query.limit(limit)))


async def find_newest_update(session: ReadSession) -> Any:
    return await session.scalar(select(func.max(Entity.updated_at)))


def _where(query: Select[Any], wanted: EntityFilter) -> Select[Any]:
    for condition in _conditions(wanted):
        query = query.where(condition)
    return query


def _conditions(wanted: EntityFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        func.lower(column).in_([value.lower() for value in values])
        for column, values in (
            (Entity.kind, wanted.kinds),
            (Entity.namespace, wanted.namespaces),
            (Entity.type, wanted.types),
            (Entity.lifecycle, wanted.lifecycles),
            (Entity.owner_ref, wanted.owners),
            (Entity.system_ref, wanted.systems),
        )
        if values
    ]
    if wanted.tags:
        conditions.append(or_(*(Entity.tags.contains([tag]) for tag in wanted.tags)))
    conditions += [Entity.search_text.contains(word, autoescape=True) for word in wanted.text.lower().split()[:10]]
    if wanted.is_unowned:
        conditions.append(_is_unowned(wanted.owned_kinds))
    if wanted.location_id is not None:
        conditions.append(Entity.location_id == wanted.location_id)
    if wanted.is_orphan:
        conditions.append(Entity.orphaned_at.is_not(None))
    return conditions


def _is_unowned(owned_kinds: Collection[str]) -> ColumnElement[bool]:
    owner = aliased(Entity)
    has_owner = exists(select(owner.id).where(owner.ref == Entity.owner_ref))
    return and_(Entity.kind.in_(owned_kinds), or_(Entity.owner_ref.is_(None), ~has_owner))
