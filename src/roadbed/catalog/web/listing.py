"""Page: the list of entities, with facets, and its view of those without an owner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from roadbed.catalog.access import EntityReader
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import health_of, icon_of, kind_word, state_of
from roadbed.catalog.schemas.entities import EntityQuery
from roadbed.catalog.service import listing, reading
from roadbed.catalog.service.computing import compute
from roadbed.catalog.service.fixing import with_failing
from roadbed.catalog.service.past import Moment, open_moment
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import EntityFilter, EntitySummary, entity_href
from roadbed.catalog.web.values import label_of, list_ends, show_value
from roadbed.core.db import Reading, ReadSession
from roadbed.core.html import render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef, parse_ref
from roadbed.kit.text import iso

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

    @property
    def mend(self) -> tuple[str, str]:
        """How it gets an owner, and where."""
        if self.entity.is_managed:
            return ("See its file", f"{self.entity.href}/source")
        return ("Set owner", f"{self.entity.href}/owner")


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
    wanted = await with_failing(session, query.to_filter(kinds))
    moment = await open_moment(session, query.as_of)
    page = await listing.list_page(session, wanted, cursor=query.cursor, limit=query.limit, moment=moment)
    overview = await reading.get_overview(session)
    only = {"unowned": "true"} if query.unowned else {}
    context = {
        "query": query,
        "moment": moment,
        "rows": await _rows(session, kinds, page.items, moment),
        "columns": await _columns(session, kinds, query, page.items, moment),
        "total": page.total,
        "next": write_link(request, cursor=page.next_cursor) if page.next_cursor else None,
        "exports": [
            (label, "/api/v1/entities/export" + write_link(request, cursor=None, limit=None, format=format_, **only))
            for label, format_ in (("CSV, for a spreadsheet", "csv"), ("NDJSON, for a program", "ndjson"))
        ],
        "today": write_link(request, cursor=None, as_of=None),
        "views": await list_views(session, kinds, query, moment),
        "facets": await _facets(session, wanted, moment),
        "overview": overview,
        "is_filtered": bool(request.query_params),
        "is_empty": overview.is_empty,
    }
    return await render(request, "catalog/list.html", context)


async def _rows(
    session: ReadSession, kinds: Kinds, entities: Sequence[EntitySummary], moment: Moment | None
) -> list[Row]:
    others = [ref for entity in entities for ref in (entity.owner, entity.system) if ref is not None]
    titles = await _titles(session, others, moment)
    statuses = await list_statuses(session, [entity.ref for entity in entities] if moment is None else [])
    return [
        Row(
            title=entity.title,
            href=entity.href if moment is None else f"{entity.href}/history/at?{_moment(moment)}",
            icon=icon_of(entity, kinds),
            word=kind_word(entity),
            owner=_title(entity.owner, titles, default_kind="Group"),
            owner_href=entity_href(entity.owner) if entity.owner else None,
            owner_missing=entity.owner is not None and entity.owner not in titles,
            system=_title(entity.system, titles, default_kind="System"),
            system_href=entity_href(entity.system) if entity.system else None,
            lifecycle=entity.lifecycle,
            health=state_of(health_of(statuses.get(entity.ref, ()))),
            entity=entity,
        )
        for entity in entities
    ]


async def _columns(
    session: ReadSession,
    kinds: Kinds,
    query: EntityQuery,
    entities: Sequence[EntitySummary],
    moment: Moment | None,
) -> dict[str, Any] | None:
    """Return the columns of a declared kind, when only its entities are listed: labels, and the cells of each row."""
    definition = kinds.find(query.kind[0]) if len(query.kind) == 1 else None
    if definition is None or not definition.columns or moment is not None:
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


async def _titles(session: ReadSession, refs: Sequence[EntityRef], moment: Moment | None) -> Mapping[EntityRef, str]:
    found = await listing.read_entities(session, {str(ref) for ref in refs}, moment=moment)
    return {entity.ref: entity.title for entity in found}


def _moment(moment: Moment) -> str:
    return urlencode({"as_of": iso(moment.at)})


def _title(ref: EntityRef | None, titles: Any, *, default_kind: str) -> str | None:
    if ref is None:
        return None
    return str(titles.get(ref) or ref.shorten(default_kind=default_kind))


async def list_views(
    session: ReadSession, kinds: Kinds, query: EntityQuery, moment: Moment | None = None
) -> list[dict[str, Any]]:
    """Return the views over the list: all, what nobody owns, what is stale."""
    owned = EntityFilter(owned_kinds=EntityQuery().to_filter(kinds).owned_kinds)
    stale = await with_failing(session, replace(owned, is_stale=True))
    then = f"?{_moment(moment)}" if moment is not None else ""
    views = [
        ("All", "/catalog", None, not (query.unowned or query.stale)),
        ("Unowned", "/catalog/unowned", replace(owned, is_unowned=True), query.unowned),
        *((("Stale", "/catalog/stale", stale, query.stale),) if moment is None else ()),
    ]
    return [
        {
            "label": label,
            "href": href + then,
            "count": listing.count_entities(session, wanted, moment=moment) if wanted else None,
            "is_current": is_current,
        }
        for label, href, wanted, is_current in views
    ]


async def _facets(session: ReadSession, wanted: EntityFilter, moment: Moment | None) -> list[dict[str, Any]]:
    facets = []
    for title, name, field, limit in _FACETS:
        chosen = {value.lower() for value in getattr(wanted, field)}
        counts = listing.count_by(session, wanted, field, limit=200, moment=moment)
        shown = [pair for index, pair in enumerate(counts) if index < limit or pair[0].lower() in chosen]
        owners = [parse_ref(value) for value, _ in shown] if name == "owner" else []
        titles = await _titles(session, owners, moment)
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


def write_link(request: Request, **changes: str | None) -> str:
    """Return the query of this page with other values."""
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in changes]
    pairs += [(key, value) for key, value in changes.items() if value is not None]
    return "?" + urlencode(pairs)
