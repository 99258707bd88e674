"""Parts of other pages: what a run was started from and what to do after it, and which path made an entity."""

import asyncio
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from fastapi import Request
from markupsafe import Markup

from roadbed.catalog.contract import EntitySummary, entity_href, find_entity
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database, ReadSession
from roadbed.core.markdown import render_markdown
from roadbed.core.services import Services
from roadbed.goldenpaths.access import PATH_READ, RUN_START
from roadbed.goldenpaths.errors import PathNotFound
from roadbed.goldenpaths.rules.answers import write_value
from roadbed.goldenpaths.rules.parameters import list_titles, read_pages
from roadbed.goldenpaths.service.paths import find_product_of, get_path, list_products_of_run
from roadbed.goldenpaths.service.starting import read_origin
from roadbed.goldenpaths.types import OUTPUT_KEY, RUN_KIND, GoldenPath, PathOrigin
from roadbed.goldenpaths.web.wizard import verb_of
from roadbed.kit.refs import parse_ref
from roadbed.runs.contract import RunState
from roadbed.scm.contract import clone_url, find_repository

_TEMPLATE = "template"


class ShownRun(Protocol):
    """What the page of a run hands to its panels."""

    id: UUID
    kind: str
    subject: str | None
    state: str
    inputs: dict[str, Any]
    output: dict[str, Any]


async def load_run_facts(_: Request, run: ShownRun) -> Mapping[str, Any] | None:
    """Return which path a run follows."""
    if run.kind != RUN_KIND or not _has_origin(run):
        return None
    origin = read_origin(run.inputs)
    return {"origin": origin, "origin_href": _path_page(origin)}


async def load_run_result(request: Request, run: ShownRun) -> Mapping[str, Any] | None:
    """Return what a run that succeeded made, and what to do with it."""
    if run.kind != RUN_KIND or run.state != RunState.SUCCEEDED or not _has_origin(run):
        return None
    services = _services(request)
    made = []
    async with services.get(Database).read() as session:
        for product in await list_products_of_run(session, run.id):
            repository = await find_repository(session, *product.repository.split("/", 1))
            entity = await find_entity(session, parse_ref(product.entity_ref)) if product.entity_ref else None
            made.append(
                {
                    "repository": product.repository,
                    "entity": entity,
                    "command": f"git clone {clone_url(services, repository)}" if repository else None,
                }
            )
    texts = [
        {"title": text["title"], "html": await asyncio.to_thread(_render_text, text["content"])}
        for text in run.output.get(OUTPUT_KEY, {}).get("text", ())
    ]
    return {"made": made, "texts": texts} if made or texts else None


async def load_run_answers(request: Request, run: ShownRun) -> Mapping[str, Any] | None:
    """Return the answers that a run was started with, as the path asks for them today.

    Secrets are references among them, never values.
    """
    if run.kind != RUN_KIND or not _has_origin(run):
        return None
    origin, values = read_origin(run.inputs), run.inputs["values"]
    ref = parse_ref(origin.ref)
    async with _services(request).get(Database).read() as session:
        path = await _find_path(session, ref.namespace, ref.name)
    asked = {name: title for page in read_pages(path.spec) for name, title in list_titles(page)} if path else {}
    ordered = [*(name for name in asked if name in values), *(name for name in values if name not in asked)]
    answers = [(asked.get(name, name), _words(values[name])) for name in ordered]
    return {"answers": answers, "origin": origin, "origin_href": _path_page(origin)}


async def load_entity_facts(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return which path an entity was created from, and which version of it is the newest."""
    if entity.ref.kind.lower() == _TEMPLATE or not await _may(request, PATH_READ):
        return None
    async with _services(request).get(Database).read() as session:
        product = await find_product_of(session, str(entity.ref))
        if product is None:
            return None
        ref = parse_ref(product.path_ref)
        path = await _find_path(session, ref.namespace, ref.name)
    return {
        "product": product,
        "path_name": ref.name,
        "path_href": path.href if path else None,
        "newest": path.version if path and path.version != product.version else None,
    }


async def load_template_action(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the button of a template's page that begins with it."""
    if entity.ref.kind.lower() != _TEMPLATE or not await _may(request, RUN_START):
        return None
    async with _services(request).get(Database).read() as session:
        path = await _find_path(session, entity.ref.namespace, entity.ref.name)
    return {"path": path, "verb": verb_of(path)} if path and not path.problems else None


def _render_text(text: str) -> Markup:
    """Return a template's text as HTML; it lies in no folder, so relative addresses lead nowhere."""
    return render_markdown(text, link=lambda _: None, image=lambda _: None)


def _words(value: Any) -> str:
    """Return an answer for people; nothing for an empty one."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(write_value(item) for item in value)
    return write_value(value) if value is not None else ""


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def _may(request: Request, permission: Any) -> bool:
    return _services(request).get(DeciderService).has(await current_actor(request), permission)


def _has_origin(run: ShownRun) -> bool:
    """Tell whether a run was started by this domain: others may use the kind for runs of their own making."""
    return "origin" in run.inputs


async def _find_path(session: ReadSession, namespace: str, name: str) -> GoldenPath | None:
    try:
        return await get_path(session, namespace, name)
    except PathNotFound:
        return None


def _path_page(origin: PathOrigin) -> str:
    return entity_href(parse_ref(origin.ref))
