"""Page: the list of entities, with facets, and its view of those without an owner."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import ENTITY_WRITE, FOLLOW_WRITE, VIEW_WRITE, EntityReader
from roadbed.catalog.rules.index.sorts import list_sorts
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.tables import Exported, find_columns
from roadbed.catalog.rules.words import health_of, icon_of, kind_word, state_of
from roadbed.catalog.schemas.entities import EntityCriteria
from roadbed.catalog.schemas.views import ListQuery
from roadbed.catalog.service import follows, listing, reading
from roadbed.catalog.service.ownership import explain_stranger
from roadbed.catalog.service.past import Moment, open_moment
from roadbed.catalog.service.resolving import resolve
from roadbed.catalog.service.saved_views import find_default_view
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import MOST_CHANGED, EntityFilter, EntitySummary, entity_href
from roadbed.catalog.web.columns import Choice, choose, make_cells
from roadbed.catalog.web.tabs import list_tabs, offer_readers
from roadbed.catalog.web.values import Shown
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession
from roadbed.core.html import render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef, parse_ref
from roadbed.kit.text import iso

router = APIRouter()

KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_FACETS = (("Kind", "kind", "kinds", 8), ("Owner", "owner", "owners", 8), ("Lifecycle", "lifecycle", "lifecycles", 6))
_OF_FILTERS = frozenset(("q", "as_of", "sort", "cursor", *(name for _, name, _, _ in _FACETS)))
"""What the form with the filters says itself, or begins anew; all else of the query stays."""
_WAYS = {"health": (", worst first", ", best first"), "updated_at": (", oldest first", ", newest first")}
"""How the two ways of an order are called where "downwards" says too little."""
_NOT_EXPORTED = dict.fromkeys(("cursor", "limit", "columns", "view"))


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
    health: tuple[str, str] | None
    entity: EntitySummary
    cells: Sequence[tuple[str, Shown]]
    is_followed: bool

    @property
    def mend(self) -> tuple[str, str]:
        """How it gets an owner, and where."""
        if self.entity.is_built_in:
            return ("See its file", f"{self.entity.href}/source")
        if self.entity.is_managed:
            return ("Edit", f"{self.entity.href}/edit")
        return ("Set owner", f"{self.entity.href}/owner")


@router.get("/catalog")
async def list_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    kinds: KindsInForce,
    query: Annotated[ListQuery, Query()],
) -> Response:
    """Show the entities that match, with how many there are of each kind, owner and lifecycle.

    Without a query it opens with the reader's default view, if there is one.
    """
    if not request.query_params and (default := await find_default_view(session, actor)) is not None:
        return RedirectResponse(default.href, 303)
    return await _show(request, session, actor, kinds, query)


@router.get("/catalog/unowned")
async def unowned_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    kinds: KindsInForce,
    query: Annotated[ListQuery, Query()],
) -> HTMLResponse:
    """Show the entities that should have an owner and have none that exists."""
    return await _show(request, session, actor, kinds, query.model_copy(update={"unowned": True}))


async def _show(request: Request, session: ReadSession, actor: Actor, kinds: Kinds, query: ListQuery) -> HTMLResponse:
    wanted = await resolve(session, query.to_filter(kinds, actor))
    moment = await open_moment(session, query.as_of)
    page = await listing.list_page(
        session, wanted, cursor=query.cursor, limit=query.limit, moment=moment, sort=query.sort
    )
    overview = await reading.get_overview(session)
    choice = choose(query, kinds)
    followed = await follows.list_followed_refs(session, actor)
    may = session.services.get(DeciderService).has
    given = request.query_params.multi_items()
    context = {
        "query": query,
        "moment": moment,
        "rows": await _rows(session, kinds, page.items, moment, choice, followed),
        "choice": choice,
        "sorts": _list_sorts(query),
        "heads": _link_heads(request, query, choice),
        "can_follow": may(actor, FOLLOW_WRITE) and moment is None,
        "here": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "total": page.total,
        "next": write_link(request, cursor=page.next_cursor) if page.next_cursor else None,
        "exports": _link_exports(request, query, choice),
        "kept_by_columns": [pair for pair in given if pair[0] not in ("columns", "cursor")],
        "kept_by_filters": [pair for pair in given if pair[0] not in _OF_FILTERS],
        "usual": write_link(request, cursor=None, columns=None),
        "today": write_link(request, cursor=None, as_of=None),
        "tabs": await list_tabs(session, actor, kinds, query, followed=followed, moment=moment),
        "readers": offer_readers(session, actor) if may(actor, VIEW_WRITE) else None,
        "facets": await _facets(session, wanted, moment),
        "overview": overview,
        "bulk": _offer_bulk(request, actor, query),
        "is_filtered": query.is_filtered,
        "stranger": explain_stranger(session.services, actor) if query.mine else None,
        "is_empty": overview.is_empty,
    }
    return await render(request, "catalog/list.html", context)


def _link_exports(request: Request, query: ListQuery, choice: Choice) -> list[tuple[str, str]]:
    """Return the addresses of the list as files: with the columns that were chosen, else with all usual ones."""
    changes: dict[str, str | None] = {**_NOT_EXPORTED, **({"unowned": "true"} if query.unowned else {})}
    columns = ",".join(dict.fromkeys(("ref", "title", *query.columns))) if choice.is_chosen else None
    path = "/api/v1/entities/export"
    return [
        ("CSV, for a spreadsheet", path + write_link(request, **changes | {"columns": columns, "format": "csv"})),
        ("NDJSON, for a program", path + write_link(request, **changes, format="ndjson")),
    ]


def _list_sorts(query: ListQuery) -> list[dict[str, Any]]:
    """Return by what the list can be sorted, as the options of a field."""
    chosen = query.sort or "title"
    options = [(name, find_columns([name])[0].label) for name in list_sorts(is_past=query.as_of is not None)]
    return [
        {"value": mark + name, "label": label + word, "is_chosen": mark + name == chosen}
        for name, label in options
        for mark, word in zip(("", "-"), _WAYS.get(name, ("", ", downwards")), strict=True)
    ]


def _link_heads(request: Request, query: ListQuery, choice: Choice) -> list[dict[str, Any]]:
    """Return the headings; those by whose values the list can be sorted lead there, and the other way round."""
    chosen = query.sort or "title"
    sorts = list_sorts(is_past=query.as_of is not None)
    heads = []
    names = ["title", *(column.name for column in choice.columns)]
    for name, head in zip(names, [{"label": "Name"}, *choice.heads], strict=True):
        if name in sorts:
            first, second = (f"-{name}", name) if name == "updated_at" else (name, f"-{name}")
            link = write_link(request, cursor=None, sort=second if chosen == first else first)
            way = ("ascending" if chosen == name else "descending") if chosen.removeprefix("-") == name else None
            heads.append({**head, "href": link, "sort": way})
        else:
            heads.append(head)
    return heads


def _offer_bulk(request: Request, actor: Actor, query: ListQuery) -> dict[str, Any] | None:
    """Return what the form needs that changes several at once; None where that is not offered."""
    if query.as_of is not None or not request.app.state.services.get(DeciderService).has(actor, ENTITY_WRITE):
        return None
    known = EntityCriteria.model_fields.keys() - {"as_of", "sort", "unowned"}
    filters = [(name, value) for name, value in request.query_params.multi_items() if name in known]
    return {"most": MOST_CHANGED, "filters": [*filters, *([("unowned", "true")] if query.unowned else [])]}


async def _rows(
    session: ReadSession,
    kinds: Kinds,
    entities: Sequence[EntitySummary],
    moment: Moment | None,
    choice: Choice,
    followed: Collection[str],
) -> list[Row]:
    others = [ref for entity in entities for ref in (entity.owner, entity.system) if ref is not None]
    titles = await _titles(session, others, moment)
    statuses = await list_statuses(session, [entity.ref for entity in entities] if moment is None else [])
    exported = [Exported(entity, health_of(statuses.get(entity.ref, ()))) for entity in entities]
    cells = await make_cells(session, kinds, choice, exported, is_now=moment is None)
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
            health=state_of(row.health),
            entity=entity,
            cells=shown,
            is_followed=str(entity.ref) in followed,
        )
        for entity, row, shown in zip(entities, exported, cells, strict=True)
    ]


async def _titles(session: ReadSession, refs: Sequence[EntityRef], moment: Moment | None) -> Mapping[EntityRef, str]:
    found = await listing.read_entities(session, {str(ref) for ref in refs}, moment=moment)
    return {entity.ref: entity.title for entity in found}


def _moment(moment: Moment) -> str:
    return urlencode({"as_of": iso(moment.at)})


def _title(ref: EntityRef | None, titles: Any, *, default_kind: str) -> str | None:
    if ref is None:
        return None
    return str(titles.get(ref) or ref.shorten(default_kind=default_kind))


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
