"""Pages: the list of resources, one resource with why, and its part on the entity page."""

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.contract import EntitySummary
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database, Reading, Writing
from roadbed.core.html import render
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.core.services import Services
from roadbed.kit.refs import parse_ref
from roadbed.provisioning.access import (
    RESOURCE_DELETE,
    RESOURCE_READ,
    RESOURCE_WRITE,
    ResourceDeleter,
    ResourceReader,
)
from roadbed.provisioning.errors import NotConfirmed
from roadbed.provisioning.rules.asking import write_score
from roadbed.provisioning.rules.requests import label_of
from roadbed.provisioning.schemas import ResourceQuery
from roadbed.provisioning.service.reading import get_resource, list_resources
from roadbed.provisioning.service.requests import delete_resource
from roadbed.provisioning.types import (
    ResourceFilter,
    ResourceState,
    ResourceView,
)
from roadbed.secrets.contract import SCHEME

router = APIRouter()

_STATES = {
    ResourceState.PENDING: ("run", "Being made"),
    ResourceState.READY: ("ok", "Ready"),
    ResourceState.FAILED: ("bad", "Failed"),
    ResourceState.DELETING: ("run", "Being deleted"),
}
OUTCOMES = {"chosen": "ok", "less specific": "off", "does not apply": "no", "pinned out": "off"}
_SHOWN_ON_ENTITY = 50


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


@router.get("/resources/{resource_id}")
async def resource_page(request: Request, session: Reading, actor: ResourceReader, resource_id: UUID) -> HTMLResponse:
    """Show one resource: what it gives, who makes it and why, and how to delete it."""
    resource = await get_resource(session, resource_id)
    outputs = [
        {"name": name, "value": value, "is_secret": str(value).startswith(SCHEME)}
        for name, value in sorted(resource.outputs.items())
    ]
    verdicts = [{**verdict, "kind": OUTCOMES.get(verdict["outcome"], "info")} for verdict in resource.why]
    context = {
        **_show(resource),
        "outputs": outputs,
        "score": write_score(resource.type, resource.name, resource.class_, outputs=sorted(resource.outputs)),
        "verdicts": verdicts,
        "definition_href": entity_page(resource.definition),
        "may_delete": request.app.state.services.get(DeciderService).has(actor, RESOURCE_DELETE)
        and resource.state is not ResourceState.DELETING,
    }
    return await render(request, "provisioning/resource.html", context)


def entity_page(text: str) -> str:
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
    found = sorted(found, key=lambda one: (one.name, one.created_at))  # as its environments came to be: along the road
    return {"rows": [_show(resource) for resource in found]} if found else None
