"""Pages: the views that people save of the list of entities, and the forms that save and change them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import EntityReader, ViewWriter
from roadbed.catalog.errors import ColumnUnknown, TooManyKept, ViewExists, ViewForbidden, ViewInvalid
from roadbed.catalog.schemas.views import LONGEST_QUERY, read_state
from roadbed.catalog.service import listing, saved_views
from roadbed.catalog.types import EVERYBODY, SavedViewSummary, ViewWish
from roadbed.catalog.web.tabs import offer_readers
from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, ReadSession
from roadbed.core.errors import Invalid, RoadbedError
from roadbed.core.etags import Condition, PreconditionFailed
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.kit.refs import parse_ref

router = APIRouter()

_SHOWN = 200
_REFUSALS = (ViewInvalid, ViewExists, ColumnUnknown, TooManyKept, PreconditionFailed)
_NOTES = {
    "restored": {"kind": "ok", "title": "The view is there again"},
    "default": {"kind": "ok", "title": "The catalog opens with this view"},
    "no-default": {"kind": "ok", "title": "The catalog opens with everything"},
}
QueryText = Annotated[str, Form(max_length=LONGEST_QUERY)]


@dataclass(frozen=True)
class ViewRow:
    """One line of the list of views."""

    view: SavedViewSummary
    shows: str
    readers: str


@router.get("/catalog/views")
async def views_page(
    request: Request, session: Reading, actor: EntityReader, done: str = "", view: str = ""
) -> HTMLResponse:
    """Show the own views and those that are shared with the reader, and those that they deleted."""
    found = await saved_views.list_nearest_views(session, actor, limit=_SHOWN + 1)
    titles = listing.list_titles(session, {view.shared_with for view in found if view.shared_with})
    deleted = [
        one for one in await saved_views.list_views(session, actor, limit=_SHOWN, is_deleted=True) if one.may_change
    ]
    context = {
        "rows": [ViewRow(one, describe(one.query), _name_readers(one.shared_with, titles)) for one in found[:_SHOWN]],
        "is_cut": len(found) > _SHOWN,
        "deleted": sorted(deleted, key=lambda one: str(one.deleted_at), reverse=True),
        "toasts": [_NOTES[done]] if done in _NOTES else [_say_deleted(one) for one in deleted if str(one.id) == view],
    }
    return await render(request, "catalog/views.html", context)


@router.post("/catalog/views")
async def save_view(
    request: Request,
    actor: ViewWriter,
    _: EntityReader,
    query: QueryText = "",
    name: Annotated[str, Form()] = "",
    shared_with: Annotated[str, Form()] = "",
) -> Response:
    """Save the list as a new view, and show it; what is wrong is said beside its field."""
    database: Database = request.app.state.services.get(Database)
    asked = ViewWish(name, query, shared_with or None)
    try:
        async with database.write() as session:
            view = await saved_views.save_view(session, actor, _read(asked))
    except _REFUSALS as error:
        async with database.read() as reading:
            return await _form(request, reading, actor, None, asked, error)
    return RedirectResponse(view.href, 303)


@router.get("/catalog/views/{view_id}")
async def view_page(
    request: Request, session: Reading, actor: ViewWriter, _: EntityReader, view_id: UUID
) -> HTMLResponse:
    """Show the form that changes name and readers of a view."""
    view = _require_own(await saved_views.get_view(session, actor, view_id))
    return await _form(request, session, actor, view, ViewWish(view.name, view.query, view.shared_with), None)


@router.post("/catalog/views/{view_id}")
async def change_view(
    request: Request,
    actor: ViewWriter,
    view_id: UUID,
    etag: Annotated[str, Form()],
    name: Annotated[str, Form()] = "",
    shared_with: Annotated[str, Form()] = "",
) -> Response:
    """Change name and readers of a view, unless somebody else has since the form was opened."""
    database: Database = request.app.state.services.get(Database)
    async with database.read() as reading:
        view = await saved_views.get_view(reading, actor, view_id)
    asked = ViewWish(name, view.query, shared_with or None)
    try:
        async with database.write() as session:
            await saved_views.change_view(session, actor, view_id, asked, condition=Condition(frozenset({etag})))
    except _REFUSALS as error:
        async with database.read() as reading:
            return await _form(request, reading, actor, view, asked, error)
    return RedirectResponse("/catalog/views", 303)


@router.post("/catalog/views/{view_id}/state")
async def change_state(
    request: Request, actor: ViewWriter, view_id: UUID, etag: Annotated[str, Form()], query: QueryText = ""
) -> RedirectResponse:
    """Have a view show the list as it is now."""
    database: Database = request.app.state.services.get(Database)
    async with database.write() as session:
        view = await saved_views.get_view(session, actor, view_id)
        asked = _read(ViewWish(view.name, query, view.shared_with))
        changed = await saved_views.change_view(session, actor, view_id, asked, condition=Condition(frozenset({etag})))
    return RedirectResponse(changed.href, 303)


@router.post("/catalog/views/{view_id}/delete")
async def delete_view(
    request: Request, actor: ViewWriter, view_id: UUID, etag: Annotated[str, Form()]
) -> RedirectResponse:
    """Delete a view, and offer to undo that."""
    async with request.app.state.services.get(Database).write() as session:
        await saved_views.delete_view(session, actor, view_id, condition=Condition(frozenset({etag})))
    return RedirectResponse(f"/catalog/views?done=deleted&view={view_id}", 303)


@router.post("/catalog/views/{view_id}/restore")
async def restore_view(request: Request, actor: ViewWriter, view_id: UUID) -> RedirectResponse:
    """Have a view again that was deleted."""
    async with request.app.state.services.get(Database).write() as session:
        await saved_views.restore_view(session, actor, view_id)
    return RedirectResponse("/catalog/views?done=restored", 303)


@router.post("/catalog/views/{view_id}/default")
async def set_default(
    request: Request, actor: ViewWriter, view_id: UUID, is_default: Annotated[bool, Form()]
) -> RedirectResponse:
    """Have the catalog open with a view, or no longer."""
    async with request.app.state.services.get(Database).write() as session:
        await saved_views.set_default_view(session, actor, view_id, is_default=is_default)
    return RedirectResponse(f"/catalog/views?done={'default' if is_default else 'no-default'}", 303)


def describe(query: str) -> str:
    """Return what a view shows, in words: `kind component · owner team-a`."""
    words: dict[str, list[str]] = {}
    for name, value in parse_qsl(query):
        words.setdefault(name.replace("_", " "), []).extend([] if value == "true" else value.split(","))
    parts = [f"{name} {', '.join(values)}".strip() for name, values in words.items()]
    return " · ".join(parts) or "everything"


def _say_deleted(view: SavedViewSummary) -> dict[str, Any]:
    return {"kind": "ok", "title": f"“{view.name}” is deleted", "undo": f"/catalog/views/{view.id}/restore"}


def _read(wish: ViewWish) -> ViewWish:
    return ViewWish(wish.name, read_state(wish.query), wish.shared_with)


def _require_own(view: SavedViewSummary) -> SavedViewSummary:
    if not view.may_change:
        raise ViewForbidden(f"The view “{view.name}” is not yours.", hint="Save the list as one of your own.")
    return view


def _name_readers(shared_with: str | None, titles: Mapping[str, str]) -> str:
    if shared_with is None:
        return "Only you"
    if shared_with == EVERYBODY:
        return "Everybody"
    return titles.get(shared_with) or parse_ref(shared_with).shorten(default_kind="Group")


async def _form(
    request: Request,
    session: ReadSession,
    actor: Actor,
    view: SavedViewSummary | None,
    asked: ViewWish,
    error: RoadbedError | None,
) -> HTMLResponse:
    """Show the form of a view, with what is wrong beside the name, or beside its readers."""
    options = offer_readers(session, actor)
    if asked.shared_with and all(option["value"] != asked.shared_with for option in options):
        options.append({"value": asked.shared_with, "label": _name_readers(asked.shared_with, {})})
    about_readers = isinstance(error, Invalid) and any(str(one).startswith("shared_with") for one in error.problems)
    message = {"message": f"{error.message} {error.hint or ''}".strip()} if error is not None else None
    fields: list[dict[str, Any]] = [
        {
            "name": "name",
            "id": "name",
            "kind": "text",
            "label": "Name",
            "value": asked.name,
            "is_required": True,
            "error": None if about_readers else message,
            "attrs": {"maxlength": saved_views.LONGEST_NAME},
        },
        {
            "name": "shared_with",
            "id": "shared_with",
            "kind": "select",
            "label": "Who sees it",
            "value": asked.shared_with or "",
            "help": "Each reader finds what they may see themselves.",
            "options": options,
            "error": message if about_readers else None,
        },
    ]
    same = await saved_views.find_own_view(session, actor, asked.name) if isinstance(error, ViewExists) else None
    context = {
        "view": view,
        "fields": fields,
        "query": asked.query,
        "shows": describe(asked.query),
        "same": ViewRow(same, describe(same.query), "") if same is not None and view is None else None,
    }
    return await render(request, "catalog/view.html", context, status=status_of(error) if error else 200)
