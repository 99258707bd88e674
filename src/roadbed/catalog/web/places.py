"""Pages: locations, one location with what is wrong in its files, and the form that registers one."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import LOCATION_WRITE, LocationReader, LocationWriter
from roadbed.catalog.errors import LocationExists, LocationForbidden, LocationInvalid
from roadbed.catalog.service import locations, reading
from roadbed.catalog.service.care import INTERVAL_SECONDS
from roadbed.catalog.service.location_options import (
    allowed_kinds_of,
    find_location_source,
    link_to,
    list_location_sources,
)
from roadbed.catalog.types import LocationType
from roadbed.core.access import DeciderService
from roadbed.core.db import Database, Reading, Writing
from roadbed.core.html import render
from roadbed.core.paging import PageQuery, id_cursor, id_of_cursor
from roadbed.core.services import Services

router = APIRouter()

_TYPES = [
    {
        "value": "git",
        "label": "Git repository",
        "description": "Such as https://example.com/shop/orders.git, or with branch and path: …git#main:catalog/*.yaml",
    },
    {
        "value": "url",
        "label": "Address of a file",
        "description": "Such as https://example.com/catalog-info.yaml; what it names is read beside it",
    },
    {
        "value": "file",
        "label": "Files of the server",
        "description": "An absolute path or glob, such as /srv/catalog/**/*.yaml",
    },
]


@router.get("/catalog/locations")
async def locations_page(
    request: Request, session: Reading, actor: LocationReader, query: Annotated[PageQuery, Query()]
) -> HTMLResponse:
    """Show where entities are read from, and how that goes."""
    found, counts = await reading.list_location_page(
        session, after_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    return await render(
        request,
        "catalog/locations.html",
        {
            "locations": shown,
            "counts": counts,
            "next": f"?cursor={id_cursor(shown[-1].id)}" if len(found) > query.limit else None,
            "icons": {"git": "brand-git", "url": "world"}
            | {source.type: source.icon for source in list_location_sources(request.app.state.services)},
            "backlog": await reading.get_backlog(session),
            "can_write": request.app.state.services.get(DeciderService).has(actor, LOCATION_WRITE),
        },
    )


@router.get("/catalog/register")
async def register_page(request: Request, _: LocationWriter) -> HTMLResponse:
    """Show the form that registers a location."""
    return await show_register_form(request, type_="git", target="", error=None)


@router.post("/catalog/register")
async def register(
    request: Request,
    actor: LocationWriter,
    type_: Annotated[LocationType, Form(alias="type")],
    target: Annotated[str, Form()] = "",
) -> Any:
    """Register a location; what is wrong with it is said beside the field."""
    database: Database = request.app.state.services.get(Database)
    try:
        async with database.write() as session:
            location, _ = await locations.register_location(session, actor, type_=type_, target=target)
    except LocationExists as error:
        return RedirectResponse(f"/catalog/locations/{error.context['location_id']}", 303)
    except (LocationInvalid, LocationForbidden) as error:
        return await show_register_form(request, type_=type_, target=target, error=f"{error.message} {error.hint}")
    return RedirectResponse(f"/catalog/locations/{location.id}", 303)


@router.get("/catalog/locations/{location_id}")
async def location_page(request: Request, session: Reading, actor: LocationReader, location_id: UUID) -> HTMLResponse:
    """Show a location: when and how it was read, and what is wrong in its files."""
    services: Services = request.app.state.services
    location = await locations.get_location(session, location_id)
    counts = await reading.count_for(session, [location_id])
    contributed = find_location_source(services, location.type)
    return await render(
        request,
        "catalog/location.html",
        {
            "location": location,
            "entities": counts.entities.get(location_id, 0),
            "errors": counts.errors.get(location_id, 0),
            "problems": [
                (problem, link_to(services, location, problem.file, problem.line))
                for problem in await reading.list_problems(session, location_id)
            ],
            "contested": await reading.list_contested(session, location_id),
            "short_name": location.target.rstrip("/").rpartition("/")[2] or location.target,
            "label": contributed.label if contributed else location.type,
            "notes": contributed.notes(services, location) if contributed else [],
            "allowed_kinds": allowed_kinds_of(services, location),
            "interval": _say_interval(location.options.interval_seconds or INTERVAL_SECONDS),
            "budget": _read_budget(location.report.get("budget")),
            "facts": location.report.get("facts", []),
            "waits_for": location.report.get("waits_for"),
            "waits_until": _read_time(location.report.get("waits_until")),
            "can_write": services.get(DeciderService).has(actor, LOCATION_WRITE),
            "is_configured": await locations.find_configured(session, location) is not None,
        },
    )


@router.post("/catalog/locations/{location_id}/refresh")
async def refresh(session: Writing, actor: LocationWriter, location_id: UUID) -> RedirectResponse:
    """Start reading a location again and show the run."""
    run = await locations.refresh_location(session, actor, location_id)
    return RedirectResponse(f"/runs/{run.id}", 303)


@router.post("/catalog/locations/{location_id}/remove")
async def remove(
    session: Writing, actor: LocationWriter, location_id: UUID, confirm_name: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Remove a location whose name was typed to confirm it."""
    location = await locations.get_location(session, location_id)
    short_name = location.target.rstrip("/").rpartition("/")[2] or location.target
    if confirm_name.strip() != short_name:
        raise LocationInvalid(
            f"{location.target} was not removed: the name typed was another one.",
            hint=f"Go back and type {short_name}.",
        )
    await locations.remove_location(session, actor, location_id)
    return RedirectResponse("/catalog/locations", 303)


def _read_budget(budget: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if budget is None else {**budget, "resets_at": datetime.fromisoformat(budget["resets_at"])}


def _say_interval(seconds: int) -> str:
    return f"{seconds:,} s" if seconds % 60 else f"{seconds // 60:,} min"


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


async def show_register_form(request: Request, *, type_: str, target: str, error: str | None) -> HTMLResponse:
    """Show the form that registers a location; `error` is said beside its address."""
    fields = [
        {
            "name": "type",
            "id": "type",
            "kind": "choice",
            "label": "Type",
            "value": type_,
            "options": _TYPES,
            "is_required": True,
        },
        {
            "name": "target",
            "id": "target",
            "kind": "text",
            "label": "Address",
            "value": target,
            "mono": True,
            "is_required": True,
            "help": "Without a path, catalog-info.yaml at the top of the repository is read; where there is none, "
            "Roadbed proposes one.",
            "error": {"message": error} if error else None,
        },
    ]
    sources = list_location_sources(request.app.state.services)
    context = {"fields": fields, "sources": sources}
    return await render(request, "catalog/register.html", context, status=422 if error else 200)
