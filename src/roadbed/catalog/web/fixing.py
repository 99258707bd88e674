"""Pages: what is stale and why, and the form that gives an entity an owner."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import EntityReader, EntityWriter
from roadbed.catalog.errors import EntityInvalid, EntityNotFound
from roadbed.catalog.rules.words import icon_of, kind_word
from roadbed.catalog.schemas.entities import EntityQuery
from roadbed.catalog.service import entities, fixing, follows, listing
from roadbed.catalog.service.resolving import resolve
from roadbed.catalog.types import EntityFilter, EntitySummary
from roadbed.catalog.web.entity import KindsInForce, RefOfPath
from roadbed.catalog.web.listing import write_link
from roadbed.catalog.web.tabs import list_tabs
from roadbed.core.db import Database, Reading
from roadbed.core.etags import Condition
from roadbed.core.html import render
from roadbed.kit.refs import EntityRef

router = APIRouter()

_OWNERS_OFFERED = 500
_WORDS = {
    fixing.StaleReason.ORPHAN: ("warn", "Orphan"),
    fixing.StaleReason.UNREADABLE: ("bad", "Unreadable"),
    fixing.StaleReason.FAULTY: ("warn", "Has errors"),
}
_WAYS = {
    fixing.StaleReason.ORPHAN: "Delete it, or bring it back",
    fixing.StaleReason.UNREADABLE: "See its location",
    fixing.StaleReason.FAULTY: "See what is wrong",
}


@router.get("/catalog/stale")
async def stale_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    kinds: KindsInForce,
    query: Annotated[EntityQuery, Query()],
) -> HTMLResponse:
    """Show what may be behind its source: each with the reason, its age, and where to mend it."""
    query = query.model_copy(update={"stale": True, "as_of": None})
    wanted = await resolve(session, query.to_filter(kinds, actor))
    page = await listing.list_page(session, wanted, cursor=query.cursor, limit=query.limit)
    reasons = await fixing.explain_staleness(session, page.items)
    rows = [
        {
            "entity": entity,
            "icon": icon_of(entity, kinds),
            "word": kind_word(entity),
            "staleness": reason,
            "state": _WORDS[reason.reason],
            "way": _WAYS[reason.reason],
            "href": entity.href if reason.reason is fixing.StaleReason.ORPHAN else reason.href,
        }
        for entity in page.items
        if (reason := reasons.get(entity.ref)) is not None
    ]
    context = {
        "query": query,
        "rows": rows,
        "total": page.total,
        "next": write_link(request, cursor=page.next_cursor) if page.next_cursor else None,
        "tabs": await list_tabs(
            session, actor, kinds, query, followed=await follows.list_followed_refs(session, actor)
        ),
    }
    return await render(request, "catalog/stale.html", context)


@router.get("/catalog/{kind}/{namespace}/{name}/owner")
async def owner_page(request: Request, session: Reading, _: EntityWriter, ref: RefOfPath) -> HTMLResponse:
    """Show the form that gives an entity an owner, or where that is done."""
    entity = await entities.get_entity(session, ref)
    refusal = await fixing.find_owner_refusal(session, ref)
    groups = await listing.list_entities(session, EntityFilter(kinds=("Group", "User")), limit=_OWNERS_OFFERED)
    return await _form(request, entity, groups, refusal=refusal)


@router.post("/catalog/{kind}/{namespace}/{name}/owner")
async def set_owner(
    request: Request,
    actor: EntityWriter,
    ref: RefOfPath,
    etag: Annotated[str, Form()],
    owner: Annotated[str, Form()] = "",
) -> Any:
    """Give an entity an owner; what is wrong with it is said beside the field."""
    database: Database = request.app.state.services.get(Database)
    try:
        async with database.write() as session:
            await fixing.set_owner(session, actor, ref, owner, condition=Condition(frozenset({etag})))
    except (EntityInvalid, EntityNotFound) as error:
        async with database.read() as session:
            entity = await entities.get_entity(session, ref)
            groups = await listing.list_entities(session, EntityFilter(kinds=("Group", "User")), limit=_OWNERS_OFFERED)
        return await _form(request, entity, groups, owner=owner, error=f"{error.message} {error.hint or ''}".strip())
    return RedirectResponse(f"/catalog/{ref.kind}/{ref.namespace}/{ref.name}", 303)


async def _form(
    request: Request,
    entity: EntitySummary,
    owners: list[EntitySummary],
    *,
    refusal: Any = None,
    owner: str | None = None,
    error: str | None = None,
) -> HTMLResponse:
    field = {
        "name": "owner",
        "id": "owner",
        "kind": "text",
        "label": "Owner",
        "value": owner if owner is not None else _write(entity.owner),
        "help": "A group, or a user as user:name.",
        "mono": True,
        "is_required": True,
        "error": {"message": error} if error else None,
        "suggestions": [{"value": _write(one.ref), "label": one.title} for one in owners],
    }
    context = {"entity": entity, "field": field, "refusal": refusal}
    return await render(request, "catalog/owner.html", context, status=422 if error else 200)


def _write(ref: EntityRef | None) -> str:
    return ref.shorten(default_kind="Group") if ref else ""
