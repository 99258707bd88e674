"""Pages: the list of resources, the form to ask for one, one resource with why, and its part on the entity page."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from roadbed.catalog.contract import EntityFilter, EntitySummary, list_entities
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database, Reading, ReadSession, Writing
from roadbed.core.errors import Invalid, RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.core.services import Services
from roadbed.kit.ids import new_id
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.provisioning.access import (
    RESOURCE_DELETE,
    RESOURCE_READ,
    RESOURCE_WRITE,
    ResourceDeleter,
    ResourceReader,
    ResourceWriter,
)
from roadbed.provisioning.errors import NotConfirmed
from roadbed.provisioning.rules.requests import check_request, label_of
from roadbed.provisioning.schemas import ResourceQuery
from roadbed.provisioning.service.matching import get_type, list_types
from roadbed.provisioning.service.reading import get_resource, list_resources
from roadbed.provisioning.service.requests import delete_resource, ensure_resources
from roadbed.provisioning.types import (
    DEFAULT_CLASS,
    EnvironmentKey,
    ResourceFilter,
    ResourceState,
    ResourcesWish,
    ResourceView,
    ResourceWish,
)
from roadbed.secrets.contract import SCHEME

router = APIRouter()

_STATES = {
    ResourceState.PENDING: ("run", "Being made"),
    ResourceState.READY: ("ok", "Ready"),
    ResourceState.FAILED: ("bad", "Failed"),
    ResourceState.DELETING: ("run", "Being deleted"),
}
_OUTCOMES = {"chosen": "ok", "less specific": "off", "does not apply": "no", "pinned out": "off"}
_SHOWN_ON_ENTITY = 50


class AskForm(BaseModel):
    """What the form sends. `key` makes a repeated form find the first one's run."""

    model_config = ConfigDict(extra="ignore")

    application: str = ""
    environment: str = "development"
    type: str = ""
    id: str = ""
    resource_class: str = DEFAULT_CLASS
    key: str = ""


def _show(resource: ResourceView) -> dict[str, Any]:
    ref = parse_ref(resource.environment.application)
    return {
        "resource": resource,
        "state": _STATES[resource.state],
        "application": ref.shorten(default_kind=ref.kind),
        "application_href": f"/catalog/{ref.kind}/{ref.namespace}/{ref.name}",
        "label": label_of(resource.environment.application, resource.environment.name, resource.name),
    }


@router.get("/resources")
async def list_page(
    request: Request, session: Reading, actor: ResourceReader, query: Annotated[ResourceQuery, Query()]
) -> HTMLResponse:
    """Show resources, newest first."""
    found = await list_resources(
        session, query.to_filter(), before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    context = {
        "rows": [_show(resource) for resource in shown],
        "next_page": f"?cursor={id_cursor(shown[-1].id)}" if len(found) > query.limit else None,
        "may_ask": request.app.state.services.get(DeciderService).has(actor, RESOURCE_WRITE),
        "is_filtered": query.to_filter() != ResourceFilter(),
    }
    return await render(request, "provisioning/list.html", context)


@router.get("/resources/ask")
async def ask_page(request: Request, session: Reading, _: ResourceWriter, application: str = "") -> HTMLResponse:
    """Show the form for a new resource."""
    return await _ask_page(request, session, AskForm(application=application, key=str(new_id())), None)


@router.post("/resources/ask")
async def ask(request: Request, session: Writing, actor: ResourceWriter, form: Annotated[AskForm, Form()]) -> Response:
    """Start the run that makes the resource; a fault is shown over the form."""
    try:
        if not form.environment:
            raise Invalid("The environment is missing.", hint="Name one, such as development.")
        type_ = await get_type(session, form.type)
        check_request(form.id, form.resource_class, {}, type_.spec)
        wish = ResourcesWish(
            environment=EnvironmentKey(form.application.strip(), form.environment),
            environment_type=form.environment,
            resources=(ResourceWish(form.id, form.type, form.resource_class),),
            key=f"{actor.id}:{form.key}" if form.key else "",
        )
        run = await ensure_resources(session, actor, wish)
    except RoadbedError as error:
        return await _ask_page(request, session, form, error)
    except InvalidRef as error:
        return await _ask_page(request, session, form, Invalid(f"{error}."))
    return RedirectResponse(f"/runs/{run.id}", 303)


async def _ask_page(request: Request, session: ReadSession, form: AskForm, error: RoadbedError | None) -> HTMLResponse:
    types = await list_types(session)
    chosen = next((one for one in types if one.ref.name == form.type), types[0] if types else None)
    environments = await list_entities(session, EntityFilter(kinds=("EnvironmentType",)))
    names = [one.ref.name for one in environments] or [form.environment]
    classes = [item["name"] for item in chosen.spec.get("classes", ())] if chosen else []
    context = {
        "form": form,
        "error": error,
        "types": [{"value": one.ref.name, "label": one.title or one.ref.name} for one in types],
        "environments": [{"value": name, "label": name} for name in names],
        "classes": [{"value": name, "label": name} for name in dict.fromkeys([DEFAULT_CLASS, *classes])],
    }
    return await render(request, "provisioning/ask.html", context, status=status_of(error) if error else 200)


@router.get("/resources/{resource_id}")
async def resource_page(request: Request, session: Reading, actor: ResourceReader, resource_id: UUID) -> HTMLResponse:
    """Show one resource: what it gives, who makes it and why, and how to delete it."""
    resource = await get_resource(session, resource_id)
    outputs = [
        {"name": name, "value": value, "is_secret": str(value).startswith(SCHEME)}
        for name, value in sorted(resource.outputs.items())
    ]
    verdicts = [{**verdict, "kind": _OUTCOMES.get(verdict["outcome"], "info")} for verdict in resource.why]
    context = {
        **_show(resource),
        "outputs": outputs,
        "verdicts": verdicts,
        "definition_href": _entity_page(resource.definition),
        "may_delete": request.app.state.services.get(DeciderService).has(actor, RESOURCE_DELETE)
        and resource.state is not ResourceState.DELETING,
    }
    return await render(request, "provisioning/resource.html", context)


def _entity_page(text: str) -> str:
    ref = parse_ref(text)
    return f"/catalog/{ref.kind}/{ref.namespace}/{ref.name}"


@router.post("/resources/{resource_id}/delete")
async def delete_from_page(
    session: Writing, actor: ResourceDeleter, resource_id: UUID, confirm_name: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Delete a resource whose name was typed."""
    resource = await get_resource(session, resource_id)
    label = label_of(resource.environment.application, resource.environment.name, resource.name)
    if confirm_name != label:
        raise NotConfirmed(f"{label} was not deleted: its name was not typed.", hint=f"Type {label} to confirm.")
    run = await delete_resource(session, actor, resource_id)
    return RedirectResponse(f"/runs/{run.id}", 303)


async def load_entity_panel(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return what the page of an application shows of its resources; None when it has none."""
    services: Services = request.app.state.services
    actor = await current_actor(request)
    if not services.get(DeciderService).has(actor, RESOURCE_READ):
        return None
    async with services.get(Database).read() as session:
        found = await list_resources(session, ResourceFilter(application=str(entity.ref)), limit=_SHOWN_ON_ENTITY)
    return {"rows": [_show(resource) for resource in found]} if found else None
