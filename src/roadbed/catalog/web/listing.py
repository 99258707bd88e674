"""Page: the list of entities, with facets, and its view of those without an owner."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from roadbed.catalog.access import EntityReader
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import health_of, icon_of, kind_word, state_of
from roadbed.catalog.schemas import EntityQuery
from roadbed.catalog.service import listing, reading
from roadbed.catalog.service.computing import compute
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import EntityFilter, EntitySummary, entity_href
from roadbed.catalog.web.values import label_of, list_ends, show_value
from roadbed.core.db import Reading, ReadSession
from roadbed.core.html import render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef, parse_ref

router = APIRouter()

KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_FACETS = (("Kind", "kind", "kinds", 8), ("Owner", "owner", "owners", 8), ("Lifecycle", "lifecycle", "lifecycles", 6))


@dataclass(frozen=True)
class Row:
    """One line of the list."""

    title: str
    href: str
    icon: str
    word: str
    owner: str | None
    owner_href: str | None
    owner_missing: bool
    system: str | None
    system_href: str | None
    lifecycle: str | None
    health: tuple[str, str] | None
    entity: EntitySummary


@router.get("/catalog")
async def list_page(
    request: Request,
    session: Reading,
    _: EntityReader,
    kinds: KindsInForce,
    query: Annotated[EntityQuery, Query()],
) -> HTMLResponse:
    """Show the entities that match, with how many there are of each kind, owner and lifecycle."""
    return await _show(request, session, kinds, query)


@router.get("/catalog/unowned")
async def unowned_page(
    request: Request,
    session: Reading,
    _: EntityReader,
    kinds: KindsInForce,
    query: Annotated[EntityQuery, Query()],
) -> HTMLResponse:
    """Show the entities that should have an owner and have none that exists."""
    return await _show(request, session, kinds, query.model_copy(update={"unowned": True}))


async def _show(request: Request, session: ReadSession, kinds: Kinds, query: EntityQuery) -> HTMLResponse:
    wanted = query.to_filter(kinds)
    page = await listing.list_page(session, wanted, cursor=query.cursor, limit=query.limit)
    overview = await reading.get_overview(session)
    context = {
        "query": query,
        "rows": await _rows(session, kinds, page.items),
        "columns": await _columns(session, kinds, query, page.items),
        "total": page.total,
        "next": _link(request, cursor=page.next_cursor) if page.next_cursor else None,
        "views": _views(session, kinds, query),
        "facets": await _facets(session, wanted),
        "overview": overview,
        "is_filtered": bool(request.query_params),
        "is_empty": overview.is_empty,
    }
    return await render(request, "catalog/list.html", context)


async def _rows(session: ReadSession, kinds: Kinds, entities: Sequence[EntitySummary]) -> list[Row]:
    others = [ref for entity in entities for ref in (entity.owner, entity.system) if ref is not None]
    titles = await reading.get_titles(session, others)
    statuses = await list_statuses(session, [entity.ref for entity in entities])
    return [
        Row(
            title=entity.title,
            href=entity.href,
            icon=icon_of(entity, kinds),
            word=kind_word(entity),
            owner=_title(entity.owner, titles, default_kind="Group"),
            owner_href=entity_href(entity.owner) if entity.owner else None,
            owner_missing=entity.owner is not None and entity.owner not in titles,
            system=_title(entity.system, titles, default_kind="System"),
            system_href=entity_href(entity.system) if entity.system else None,
            lifecycle=entity.lifecycle,
            health=state_of(health_of(statuses[entity.ref])),
            entity=entity,
        )
        for entity in entities
    ]


async def _columns(
    session: ReadSession, kinds: Kinds, query: EntityQuery, entities: Sequence[EntitySummary]
) -> dict[str, Any] | None:
    """Return the columns of a declared kind, when only its entities are listed: labels, and the cells of each row."""
    definition = kinds.find(query.kind[0]) if len(query.kind) == 1 else None
    if definition is None or not definition.columns:
        return None
    ends = [ref for entity in entities for ref in list_ends(entity, definition, definition.columns)]
    titles = await reading.get_titles(session, ends)
    computed = compute(session, entities, definition, names=definition.columns)
    return {
        "labels": [label_of(definition, name)[0] for name in definition.columns],
        "cells": [
            [show_value(entity, definition, name, values, titles) for name in definition.columns]
            for entity, values in zip(entities, computed, strict=True)
        ],
    }


def _title(ref: EntityRef | None, titles: Any, *, default_kind: str) -> str | None:
    if ref is None:
        return None
    return str(titles.get(ref) or ref.shorten(default_kind=default_kind))


def _views(session: ReadSession, kinds: Kinds, query: EntityQuery) -> list[dict[str, Any]]:
    owned = EntityFilter(owned_kinds=EntityQuery().to_filter(kinds).owned_kinds)
    unowned = listing.count_entities(session, replace(owned, is_unowned=True))
    orphans = listing.count_entities(session, replace(owned, is_orphan=True))
    views = [
        {"label": "All", "href": "/catalog", "is_current": not (query.unowned or query.orphan)},
        {"label": "Unowned", "href": "/catalog/unowned", "count": unowned, "is_current": query.unowned},
    ]
    if orphans:
        views.append({"label": "Orphans", "href": "/catalog?orphan=true", "count": orphans, "is_current": query.orphan})
    return views


async def _facets(session: ReadSession, wanted: EntityFilter) -> list[dict[str, Any]]:
    facets = []
    for title, name, field, limit in _FACETS:
        chosen = {value.lower() for value in getattr(wanted, field)}
        counts = listing.count_by(session, wanted, field, limit=200)
        shown = [pair for index, pair in enumerate(counts) if index < limit or pair[0].lower() in chosen]
        owners = [parse_ref(value) for value, _ in shown] if name == "owner" else []
        titles = await reading.get_titles(session, owners)
        facets.append(
            {
                "title": title,
                "name": name,
                "more": len(counts) - len(shown),
                "options": [
                    {
                        "value": value,
                        "label": _title(parse_ref(value), titles, default_kind="Group") if name == "owner" else value,
                        "count": count,
                        "is_checked": value.lower() in chosen,
                    }
                    for value, count in shown
                ],
            }
        )
    return [facet for facet in facets if facet["options"]]


def _link(request: Request, **changes: str | None) -> str:
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    pairs += [(key, value) for key, value in changes.items() if value is not None]
    return "?" + urlencode(pairs)
