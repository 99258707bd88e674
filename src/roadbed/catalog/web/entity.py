"""Pages of one entity: overview, history, source. Other modules add to it at the places of the contract."""

from typing import Annotated, Any

import yaml
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import YamlLexer

from roadbed.catalog import contract
from roadbed.catalog.access import ENTITY_WRITE, EntityReader, EntityWriter
from roadbed.catalog.errors import EntityInvalid
from roadbed.catalog.rules.comparison import compare
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import health_of, icon_of, kind_word, relation_title, state_of
from roadbed.catalog.service import entities, reading
from roadbed.catalog.service.reading import EntityDetail, Related
from roadbed.catalog.types import EntitySummary, entity_href
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.html import Renderer, render
from roadbed.core.paging import number_cursor, number_of_cursor
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter()

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_DEPENDENCIES = ("dependsOn", "dependencyOf")
_ABOUT = ("ownedBy", "partOf", "providesApi", "consumesApi", "memberOf", "childOf", "provides", "extends")
_SHOWN_ENDS = 50
HISTORY = 100
_LINK_SCHEMES = ("https://", "http://", "mailto:")


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _write_text)


@router.get("/catalog/{kind}/{namespace}/{name}")
async def entity_page(
    request: Request, session: Reading, actor: EntityReader, kinds: KindsInForce, ref: RefOfPath
) -> HTMLResponse:
    """Show what an entity is, who owns it, how it is, and what it hangs together with."""
    detail = await reading.get_detail(session, ref)
    renderer: Renderer = request.app.state.services.get(Renderer)
    context = await _frame(request, session, detail.entity, kinds, actor, "overview")
    places = {
        place.rpartition(".")[2]: await renderer.panels(request, place, detail.entity)
        for place in (contract.PLACE_STRIP, contract.PLACE_MAIN, contract.PLACE_ASIDE)
    }
    health = health_of(detail.statuses)
    return await render(
        request,
        "catalog/entity.html",
        {
            **context,
            "detail": detail,
            "health": health,
            "health_state": state_of(health),
            "panels": places,
            "dependencies": [(relation_title(type_), _ends(detail, kinds, type_)) for type_ in _DEPENDENCIES],
            "groups": _groups(detail, kinds),
            "about": _about(detail),
            "links": [
                link
                for link in detail.entity.document["metadata"].get("links") or ()
                if str(link["url"]).lower().startswith(_LINK_SCHEMES)
            ],
        },
    )


@router.get("/catalog/{kind}/{namespace}/{name}/history")
async def history_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    kinds: KindsInForce,
    ref: RefOfPath,
    cursor: str | None = None,
) -> HTMLResponse:
    """Show each version of an entity: who, when, from which commit, and what changed."""
    entity = await entities.get_entity(session, ref)
    changes = await reading.list_history(session, entity.ref, before=number_of_cursor(cursor), limit=HISTORY + 1)
    older = [*(change.document for change in changes[1:]), None]
    entries = [
        {"change": change, "differences": compare(before, change.document) if before is not None else []}
        for change, before in zip(changes[:HISTORY], older, strict=False)
    ]
    next_cursor = number_cursor(changes[HISTORY - 1].position) if len(changes) > HISTORY else None
    context = await _frame(request, session, entity, kinds, actor, "history")
    return await render(request, "catalog/history.html", {**context, "entries": entries, "next_cursor": next_cursor})


@router.get("/catalog/{kind}/{namespace}/{name}/source")
async def source_page(
    request: Request, session: Reading, actor: EntityReader, kinds: KindsInForce, ref: RefOfPath
) -> HTMLResponse:
    """Show an entity as YAML, and where it was read from."""
    detail = await reading.get_detail(session, ref)
    context = await _frame(request, session, detail.entity, kinds, actor, "source")
    return await render(
        request,
        "catalog/source.html",
        {**context, "location": detail.location, "lines": _highlight(detail.entity.document)},
    )


@router.post("/catalog/{kind}/{namespace}/{name}/delete")
async def delete_entity(
    session: Writing,
    actor: EntityWriter,
    ref: RefOfPath,
    confirm_name: Annotated[str, Form()] = "",
) -> RedirectResponse:
    """Delete an entity whose name was typed to confirm it."""
    if confirm_name.strip() != (await entities.get_entity(session, ref)).ref.name:
        raise EntityInvalid(
            f"{ref} was not deleted: the name typed was another one.", hint="Go back and type its name."
        )
    await entities.delete_entity(session, actor, ref)
    return RedirectResponse("/catalog", 303)


async def _frame(
    request: Request, session: ReadSession, entity: EntitySummary, kinds: Kinds, actor: Actor, tab: str
) -> dict[str, Any]:
    """Return what stands over every tab of an entity."""
    renderer: Renderer = request.app.state.services.get(Renderer)
    refs = [ref for ref in (entity.owner, entity.system) if ref is not None]
    titles = await reading.get_titles(session, refs)
    can_write = request.app.state.services.get(DeciderService).has(actor, ENTITY_WRITE)
    return {
        "entity": entity,
        "icon_name": icon_of(entity, kinds),
        "word": kind_word(entity),
        "owner_title": titles.get(entity.owner) if entity.owner else None,
        "owner_href": entity_href(entity.owner) if entity.owner else None,
        "system_title": titles.get(entity.system) if entity.system else None,
        "system_href": entity_href(entity.system) if entity.system else None,
        "is_owned_kind": bool((definition := kinds.find(entity.ref.kind)) and definition.is_owned),
        "can_delete": can_write and not entity.is_managed,
        "actions": await renderer.panels(request, contract.PLACE_ACTIONS, entity),
        "facts": await renderer.panels(request, contract.PLACE_FACTS, entity),
        "tabs": [
            {"label": label, "href": entity.href + path, "is_current": tab == label.lower()}
            for label, path in (("Overview", ""), ("History", "/history"), ("Source", "/source"))
        ],
    }


def _ends(detail: EntityDetail, kinds: Kinds, type_: str) -> list[dict[str, Any]]:
    return [_end(related, kinds) for related in detail.related(type_)]


def _end(related: Related, kinds: Kinds) -> dict[str, Any]:
    definition = kinds.find(related.ref.kind)
    return {
        "label": related.entity.title if related.entity else related.ref.shorten(),
        "href": entity_href(related.ref) if related.entity else None,
        "icon": icon_of(related.entity, kinds) if related.entity else (definition.icon if definition else "box"),
        "meta": kind_word(related.entity) if related.entity else None,
        "state": state_of(related.health),
    }


def _groups(detail: EntityDetail, kinds: Kinds) -> list[dict[str, Any]]:
    """Return the relations that have a card of their own, by type, the first of each."""
    types = sorted({related.type for related in detail.relations} - {*_DEPENDENCIES, *_ABOUT})
    groups = []
    for type_ in types:
        ends = detail.related(type_)
        groups.append(
            {
                "title": relation_title(type_),
                "items": [_end(related, kinds) for related in ends[:_SHOWN_ENDS]],
                "count": len(ends),
                "more": f"/catalog?owner={detail.entity.ref}" if type_ == "ownerOf" else None,
            }
        )
    return groups


def _about(detail: EntityDetail) -> list[tuple[str, list[Related]]]:
    """Return the relations that are facts about the entity, each with its title."""
    found: dict[str, list[Related]] = {}
    for type_ in _ABOUT:
        for related in detail.related(type_):
            if type_ != "ownedBy":
                title = related.ref.kind.capitalize() if type_ == "partOf" else relation_title(type_)
                found.setdefault(title, []).append(related)
    return list(found.items())


def _highlight(document: Any) -> list[Markup]:
    ordered = {name: document[name] for name in ("apiVersion", "kind", "metadata", "spec")}
    text = yaml.dump(ordered, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    html = highlight(text, YamlLexer(), HtmlFormatter(nowrap=True))
    return [Markup(line) for line in html.rstrip("\n").split("\n")]  # noqa: S704 - made and escaped by Pygments
