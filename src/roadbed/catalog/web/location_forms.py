"""Pages: the settings of a location, and the form for one that asks for more. Both come from a JSON Schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from roadbed.catalog.access import KIND_WRITE, LocationWriter
from roadbed.catalog.errors import LocationExists, LocationForbidden, LocationInvalid
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.schemas.locations import LocationIn
from roadbed.catalog.service import care, locations
from roadbed.catalog.service.location_options import Questions, check_type, find_questions
from roadbed.catalog.types import LocationOptions, LocationSummary
from roadbed.core import forms
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.core.services import Services

router = APIRouter()

TARGET, SOURCE, DEFINES = "target", "source", "may_define_kinds"


async def read_posted(request: Request) -> dict[str, list[str]]:
    """Return the form that was posted; read before a session is opened, as a client may take its time to send it."""
    return forms.group_pairs((await request.form()).multi_items())


Posted = Annotated[dict[str, list[str]], Depends(read_posted)]


@dataclass(frozen=True)
class _Form:
    """The questions, and what is answered."""

    schema: forms.Schema
    values: Mapping[str, Any]
    problems: Sequence[forms.FieldProblem] = ()
    failure: RoadbedError | None = None

    def fields(self) -> tuple[list[forms.Field], list[forms.Field]]:
        """Return the fields of what is read, and those of how it is looked after."""
        own: list[forms.Field] = []
        others: list[forms.Field] = []
        for field in forms.make_fields(self.schema, self.values, problems=self.problems):
            if field["name"] == SOURCE:
                own += field["fields"]
            else:
                (own if field["name"] == TARGET else others).append(field)
        return own, others


@router.get("/catalog/locations/{location_id}/settings")
async def settings_page(request: Request, session: Reading, actor: LocationWriter, location_id: UUID) -> HTMLResponse:
    """Show how a location is looked after, to be changed."""
    location = await locations.get_location(session, location_id)
    schema = _make_settings_schema(request.app.state.services, actor, location.type)
    values = forms.fill_defaults(schema, _read_options(location.options))
    return await _settings(request, location, _Form(schema, values))


@router.post("/catalog/locations/{location_id}/settings")
async def change_settings(request: Request, actor: LocationWriter, location_id: UUID, posted: Posted) -> Response:
    """Change how a location is looked after; what does not fit is said at its field."""
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        location = await locations.get_location(session, location_id)
    schema = _make_settings_schema(request.app.state.services, actor, location.type)
    values = forms.read_answers(schema, posted)
    problems = forms.check_answers(schema, values)
    if problems:
        return await _settings(request, location, _Form(schema, values, problems))
    try:
        async with database.write() as session:
            await care.change_location(session, actor, location_id, _write_options(values) | _write_right(values))
    except (LocationInvalid, LocationForbidden) as error:
        return await _settings(request, location, _Form(schema, values, failure=error))
    return RedirectResponse(f"/catalog/locations/{location_id}", 303)


@router.get("/catalog/register/{type_}")
async def register_page(request: Request, _: LocationWriter, type_: str) -> HTMLResponse:
    """Show the form for a location that asks for more than a target."""
    asked = _get_questions(request.app.state.services, type_)
    schema = _make_schema(request.app.state.services, type_, with_target=True)
    return await _register(request, asked, _Form(schema, forms.fill_defaults(schema, {})))


@router.post("/catalog/register/{type_}")
async def register(request: Request, actor: LocationWriter, type_: str, posted: Posted) -> Response:
    """Register a location that asks for more than a target; what does not fit is said at its field."""
    asked = _get_questions(request.app.state.services, type_)
    schema = _make_schema(request.app.state.services, type_, with_target=True)
    values = forms.read_answers(schema, posted)
    problems = forms.check_answers(schema, values)
    if problems:
        return await _register(request, asked, _Form(schema, values, problems))
    database: Database = request.app.state.services.get(Database)
    try:
        wanted = LocationIn(type=type_, target=values[TARGET], **_write_options(values))
        async with database.write() as session:
            location, _ = await locations.register_location(
                session, actor, type_=type_, target=wanted.target, options=wanted.options
            )
    except LocationExists as error:
        return RedirectResponse(f"/catalog/locations/{error.context['location_id']}", 303)
    except (LocationInvalid, LocationForbidden) as error:
        return await _register(request, asked, _Form(schema, values, failure=error))
    return RedirectResponse(f"/catalog/locations/{location.id}", 303)


def _get_questions(services: Services, type_: str) -> Questions:
    check_type(services, type_)
    asked = find_questions(services, type_)
    if asked is None:
        raise LocationInvalid(f"Locations of type {type_} are registered otherwise.", hint="See /catalog/register.")
    return asked


def _make_schema(services: Services, type_: str, *, with_target: bool) -> forms.Schema:
    """Return the questions: where it is and what its type asks for, then what can be set for each location."""
    asked = find_questions(services, type_)
    names = sorted(definition.name for definition in services.get(Kinds))
    properties: dict[str, Any] = {}
    if asked is not None and with_target:
        properties[TARGET] = {"type": "string", "title": "Address", "description": asked.description}
    if asked is not None:
        properties[SOURCE] = {**asked.schema, "title": asked.label}
    properties |= {
        "interval_seconds": {
            "type": "integer",
            "title": "Look every",
            "description": "How long after one look at the source the next is due. Empty: two minutes.",
            "minimum": 30,
            "maximum": 2_592_000,
            "ui:options": {"unit": "seconds"},
        },
        "remove_orphans_after_hours": {
            "type": "integer",
            "title": "Delete orphans after",
            "description": "When an entity that the source no longer has is deleted. Empty: it stays as an orphan.",
            "minimum": 0,
            "maximum": 87_600,
            "ui:options": {"unit": "hours"},
        },
        "remove_after_missing": {
            "type": "integer",
            "title": "Remove the location after",
            "description": "Looks in a row that found no entry file, until it is removed with its entities. "
            "Empty: it stays, and the last good state with it.",
            "minimum": 1,
            "maximum": 100_000,
            "ui:options": {"unit": "looks"},
        },
        "allowed_kinds": {
            "type": "array",
            "title": "Allowed kinds",
            "description": "The kinds that entities from here may have. None chosen: as for all locations.",
            "items": {"type": "string", "enum": names},
            "uniqueItems": True,
        },
    }
    return {"type": "object", "properties": properties, "required": [TARGET] if TARGET in properties else []}


def _make_settings_schema(services: Services, actor: Actor, type_: str) -> forms.Schema:
    """Return what can be set for a location that exists: whether it defines kinds is asked of whom may define them."""
    schema = _make_schema(services, type_, with_target=False)
    if services.get(DeciderService).has(actor, KIND_WRITE):
        schema["properties"][DEFINES] = {
            "type": "boolean",
            "title": "May define kinds",
            "description": "Whoever changes its files then changes kinds for everybody.",
        }
    return schema


def _read_options(options: LocationOptions) -> dict[str, Any]:
    values: dict[str, Any] = {
        "interval_seconds": options.interval_seconds,
        "remove_orphans_after_hours": options.remove_orphans_after_hours,
        "remove_after_missing": options.remove_after_missing,
        "allowed_kinds": list(options.allowed_kinds or ()),
        DEFINES: options.may_define_kinds,
        SOURCE: dict(options.source),
    }
    return {name: value for name, value in values.items() if value is not None}


def _write_options(values: Mapping[str, Any]) -> dict[str, Any]:
    changes = {
        name: values.get(name) for name in ("interval_seconds", "remove_orphans_after_hours", "remove_after_missing")
    }
    kinds = values.get("allowed_kinds")
    return {**changes, "allowed_kinds": tuple(kinds) if kinds else None, SOURCE: dict(values.get(SOURCE) or {})}


def _write_right(values: Mapping[str, Any]) -> dict[str, Any]:
    return {DEFINES: values[DEFINES]} if DEFINES in values else {}


async def _settings(request: Request, location: LocationSummary, form: _Form) -> HTMLResponse:
    context = {"location": location, "short_name": location.target.rstrip("/").rpartition("/")[2] or location.target}
    return await _show(request, "catalog/location_settings.html", form, context)


async def _register(request: Request, asked: Questions, form: _Form) -> HTMLResponse:
    return await _show(request, "catalog/register_source.html", form, {"source": asked})


async def _show(request: Request, template: str, form: _Form, context: Mapping[str, Any]) -> HTMLResponse:
    own, others = form.fields()
    status = 422 if form.problems else status_of(form.failure) if form.failure else 200
    return await render(
        request,
        template,
        {
            **context,
            "own_fields": own,
            "fields": others,
            "errors": forms.list_errors([*own, *others]),
            "failure": form.failure,
        },
        status=status,
    )
