"""Pages: the owner or the lifecycle of many entities: what to set, what that does to each, and then it is done."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import Field

from roadbed.catalog.access import EntityWriter
from roadbed.catalog.errors import BulkInvalid, EntityNotFound
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import icon_of, kind_word
from roadbed.catalog.schemas.entities import EntityCriteria
from roadbed.catalog.service import bulk, listing
from roadbed.catalog.service.bulk import BulkPlan
from roadbed.catalog.service.resolving import resolve
from roadbed.catalog.types import LONGEST_VALUE, MOST_CHANGED, Changeable, EntityFilter, EntitySummary
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter()

KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_OFFERED = 500
_LIFECYCLES = 50
_FIELDS = [{"value": "owner", "label": "Owner"}, {"value": "lifecycle", "label": "Lifecycle"}]


class BulkQuery(EntityCriteria):
    """Which entities: those named by `ref`, or with `all` those that the rest lets through."""

    ref: list[str] = Field(default_factory=list, max_length=MOST_CHANGED)
    all: bool = False
    field: Changeable = Changeable.OWNER
    value: str = Field("", max_length=1000)


@router.get("/catalog/bulk")
async def bulk_page(
    request: Request, session: Reading, actor: EntityWriter, kinds: KindsInForce, query: Annotated[BulkQuery, Query()]
) -> HTMLResponse:
    """Ask what to set for the chosen entities; once it is said, show what would be done to each."""
    found, missing, error = await _select(session, actor, kinds, query)
    plan = None
    if query.value and found and error is None:
        try:
            wish = await bulk.read_wish(session, query.field, query.value)
            plan = await bulk.plan_bulk(session, actor, wish, found, missing=missing)
        except (BulkInvalid, EntityNotFound) as refusal:
            error = refusal
    context = {
        "query": query,
        "entities": found,
        "chosen": _keep_choice(request, query, found),
        "fields": await _fields(session, query, error),
        "error": error if not found else None,
        "plan": plan,
        "rows": _rows(plan, kinds) if plan else None,
        "command": _command(plan) if plan else None,
    }
    return await render(request, "catalog/bulk.html", context, status=422 if error else 200)


@router.post("/catalog/bulk")
async def start(
    session: Writing,
    actor: EntityWriter,
    ref: Annotated[list[str], Form()],
    field: Annotated[Changeable, Form()],
    value: Annotated[str, Form()],
    message: Annotated[str, Form(max_length=10_000)] = "",
) -> RedirectResponse:
    """Start the run that changes what was reviewed, and show it."""
    wish = await bulk.read_wish(session, field, value)
    found, missing = await bulk.select_refs(session, ref)
    plan = await bulk.plan_bulk(session, actor, wish, found, missing=missing)
    run = await bulk.start_bulk(session, actor, plan, message=message)
    return RedirectResponse(f"/runs/{run.id}", 303)


async def _select(
    session: ReadSession, actor: Actor, kinds: Kinds, query: BulkQuery
) -> tuple[list[EntitySummary], list[EntityRef], RoadbedError | None]:
    try:
        if not query.all:
            found, missing = await bulk.select_refs(session, query.ref)
            return (
                found,
                missing,
                None if found else BulkInvalid("No entity is chosen.", hint="Choose some in the list."),
            )
        wanted = await resolve(session, query.to_filter(kinds, actor))
        return await bulk.select_matching(session, wanted), [], None
    except BulkInvalid as error:
        return [], [], error


async def _fields(session: ReadSession, query: BulkQuery, error: RoadbedError | None) -> list[dict[str, Any]]:
    owners = await listing.list_entities(session, EntityFilter(kinds=("Group", "User")), limit=_OFFERED)
    lifecycles = listing.count_by(session, EntityFilter(), "lifecycles", limit=_LIFECYCLES)
    suggestions = [{"value": one.ref.shorten(default_kind="Group"), "label": one.title} for one in owners]
    suggestions += [{"value": value, "label": "Lifecycle"} for value, _ in lifecycles]
    message = f"{error.message} {error.hint or ''}".strip() if error is not None and query.value else ""
    return [
        {
            "name": "field",
            "id": "field",
            "kind": "select",
            "label": "Set",
            "value": query.field.value,
            "options": _FIELDS,
            "is_required": True,
        },
        {
            "name": "value",
            "id": "value",
            "kind": "text",
            "label": "To",
            "value": query.value,
            "help": "A group, or a user as user:name; or a lifecycle such as deprecated.",
            "mono": True,
            "is_required": True,
            "error": {"message": message} if message else None,
            "suggestions": suggestions,
            "attrs": {"maxlength": LONGEST_VALUE},
        },
    ]


def _keep_choice(request: Request, query: BulkQuery, found: Sequence[EntitySummary]) -> list[tuple[str, str]]:
    """Return the parameters that choose the same entities again."""
    if not query.all:
        return [("ref", str(entity.ref)) for entity in found]
    asked = ("field", "value", "ref")
    return [(name, value) for name, value in request.query_params.multi_items() if name not in asked]


def _rows(plan: BulkPlan, kinds: Kinds) -> dict[str, Any]:
    """Return what the page lists: entities with their icon and what they have now."""

    def row(entity: EntitySummary, file: str = "") -> dict[str, Any]:
        now = entity.lifecycle if plan.wish.field is Changeable.LIFECYCLE else _write(entity.owner)
        return {
            "title": entity.title,
            "href": entity.href,
            "icon": icon_of(entity, kinds),
            "word": kind_word(entity),
            "now": now or "none",
            "file": file,
        }

    return {
        "kept": [row(entity) for entity in plan.kept],
        "repositories": [
            {"part": part, "items": [row(entity, file) for entity, file in part.entities]} for part in plan.repositories
        ],
        "unchanged": [row(entity) for entity in plan.unchanged],
    }


def _command(plan: BulkPlan) -> str:
    refs = plan.refs
    shown = " ".join(refs[:5]) + (" …" if len(refs) > 5 else "")
    return f"roadbed set {plan.wish.field} {plan.wish.value} {shown}"


def _write(ref: EntityRef | None) -> str:
    return ref.shorten(default_kind="Group") if ref else ""
