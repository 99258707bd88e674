"""Pages of one entity: overview, history, source. Other modules add to it at the places of the contract."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.background import BackgroundTask

from roadbed.catalog import contract
from roadbed.catalog.access import EntityReader, EntityWriter
from roadbed.catalog.errors import EntityInvalid
from roadbed.catalog.rules.health import HealthView
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.words import relation_title, rollup_word, state_of
from roadbed.catalog.rules.writing import write_entity
from roadbed.catalog.service import entities, listing, reading
from roadbed.catalog.service.computing import compute
from roadbed.catalog.service.health import find_health
from roadbed.catalog.service.links import list_implied_links
from roadbed.catalog.service.location_options import link_to
from roadbed.catalog.service.reading import EntityDetail, Related
from roadbed.catalog.service.visits import is_noted, note_visit
from roadbed.catalog.types import EntityFilter, EntitySummary, entity_href
from roadbed.catalog.web.frame import frame_entity, list_ends, make_end
from roadbed.catalog.web.owners import TOLD, load_owner
from roadbed.catalog.web.values import Shown, laid_out_relations, list_sections
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.highlight import highlight_lines
from roadbed.core.html import Renderer, render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter()

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_DEPENDENCIES = ("dependsOn", "dependencyOf")
_ABOUT = ("ownedBy", "partOf", "providesApi", "consumesApi", "memberOf", "childOf", "provides", "extends")
_SHOWN_ENDS = 50
_TABS = (("Overview", ""), ("Dependencies", "/dependencies"), ("History", "/history"), ("Source", "/source"))
_LINK_SCHEMES = ("https://", "http://", "mailto:")


@router.get("/catalog/{kind}/{namespace}/{name}")
async def entity_page(
    request: Request, session: Reading, actor: EntityReader, kinds: KindsInForce, ref: RefOfPath
) -> HTMLResponse:
    """Show what an entity is, who owns it, how it is, and what it hangs together with."""
    detail = await reading.get_detail(session, ref)
    renderer: Renderer = request.app.state.services.get(Renderer)
    context = await frame_entity(request, session, detail.entity, kinds, actor, "overview")
    places = {
        place.rpartition(".")[2]: await renderer.panels(request, place, detail.entity)
        for place in (contract.PLACE_STRIP, contract.PLACE_MAIN, contract.PLACE_ASIDE)
    }
    health = await find_health(session, detail.entity.ref)
    owner = await load_owner(session, actor, detail.entity, kinds)
    page = await render(
        request,
        "catalog/entity.html",
        {
            **context,
            "detail": detail,
            **_health(health),
            "panels": places,
            "dependencies": [
                (relation_title(type_, kinds), list_ends(detail, kinds, type_)) for type_ in _DEPENDENCIES
            ],
            "owner": owner,
            "groups": _groups(detail, kinds, told=TOLD if owner else frozenset()),
            "about": _about(detail, kinds),
            "sections": _sections(session, detail, kinds),
            "declared": _declared(session, detail.entity, kinds),
            "source_href": _find_source_href(request, detail),
            "implied": list_implied_links(request.app.state.services, actor, detail),
            "links": _links(detail.entity),
        },
    )
    if is_noted(actor):
        page.background = BackgroundTask(note_visit, request.app.state.services, actor, detail.entity.ref)
    return page


@router.get("/catalog/{kind}/{namespace}/{name}/source")
async def source_page(
    request: Request, session: Reading, actor: EntityReader, kinds: KindsInForce, ref: RefOfPath
) -> HTMLResponse:
    """Show an entity as YAML, and where it was read from."""
    detail = await reading.get_detail(session, ref)
    context = await frame_entity(request, session, detail.entity, kinds, actor, "source")
    return await render(
        request,
        "catalog/source.html",
        {
            **context,
            "location": detail.location,
            "source_href": _find_source_href(request, detail),
            "lines": highlight_lines(write_entity(detail.entity.document), filename="entity.yaml"),
        },
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


def _links(entity: EntitySummary) -> list[dict[str, Any]]:
    """Return the links of an entity that a browser may follow."""
    links = entity.document["metadata"].get("links") or ()
    return [link for link in links if str(link["url"]).lower().startswith(_LINK_SCHEMES)]


def _health(health: HealthView) -> dict[str, Any]:
    """Return what the strip shows: own health, and that of what hangs on it, where there is something."""
    rolled = [one for one in (health.dependencies, health.parts) if one.rollup.total]
    return {
        "hangs": health,
        "health_state": state_of(health.own),
        "rollups": [(one, rollup_word(one.rollup.state)) for one in rolled],
        "hrefs": {ref: entity_href(ref) for one in rolled for ref, _ in one.path},
    }


def _find_source_href(request: Request, detail: EntityDetail) -> str | None:
    """Return where people see the lines that an entity was read from; None where that is not known."""
    if detail.location is None:
        return None
    return link_to(request.app.state.services, detail.location, detail.entity.file, detail.entity.line)


def _sections(session: ReadSession, detail: EntityDetail, kinds: Kinds) -> list[tuple[str, list[Shown]]]:
    """Return the cards that a declared kind lays out for its entities."""
    entity, definition = detail.entity, kinds.find(detail.entity.ref.kind)
    if definition is None or not definition.is_declared:
        return []
    titles = {related.ref: related.entity.title for related in detail.relations if related.entity is not None}
    return list_sections(entity, definition, compute(session, [entity], definition)[0], titles)


def _declared(session: ReadSession, entity: EntitySummary, kinds: Kinds) -> dict[str, Any] | None:
    """Return the kind that an entity declares, with how many entities there are of it."""
    definition = kinds.find(entity.ref.name) if entity.ref.kind == KIND.name else None
    if definition is None:
        return None
    count = listing.count_entities(session, EntityFilter(kinds=(definition.name,)))
    return {"kind": definition, "count": count}


def _groups(detail: EntityDetail, kinds: Kinds, *, told: frozenset[str]) -> list[dict[str, Any]]:
    """Return the relations that have a card of their own and are not told elsewhere, by type, the first of each."""
    shown = {*_DEPENDENCIES, *_ABOUT, *told, *laid_out_relations(kinds.find(detail.entity.ref.kind))}
    types = sorted({related.type for related in detail.relations} - shown)
    groups = []
    for type_ in types:
        ends = detail.related(type_)
        groups.append(
            {
                "title": relation_title(type_, kinds),
                "items": [make_end(related, kinds) for related in ends[:_SHOWN_ENDS]],
                "count": len(ends),
                "more": f"/catalog?owner={detail.entity.ref}" if type_ == "ownerOf" else None,
            }
        )
    return groups


def _about(detail: EntityDetail, kinds: Kinds) -> list[tuple[str, list[Related]]]:
    """Return the relations that are facts about the entity, each with its title."""
    found: dict[str, list[Related]] = {}
    for type_ in _ABOUT:
        for related in detail.related(type_):
            if type_ != "ownedBy":
                title = related.ref.kind.capitalize() if type_ == "partOf" else relation_title(type_, kinds)
                found.setdefault(title, []).append(related)
    return list(found.items())
