"""What stands over every tab of an entity, and the other ends of its relations as its pages show them."""

from typing import Any

from fastapi import Request

from roadbed.catalog import contract
from roadbed.catalog.access import ENTITY_WRITE, FOLLOW_WRITE, KIND_WRITE
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.words import icon_of, kind_word, state_of
from roadbed.catalog.service import follows, listing, reading
from roadbed.catalog.service.definitions import KIND as API_KIND
from roadbed.catalog.service.editing.origins import Origin, find_origin, list_open_proposals
from roadbed.catalog.service.ownership import OWNERS
from roadbed.catalog.service.reading import EntityDetail, Related
from roadbed.catalog.service.shipped import ShippedRefs
from roadbed.catalog.types import EntitySummary, entity_href
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.html import Renderer
from roadbed.kit.refs import EntityRef, parse_ref

_TABS = (
    ("Overview", ""),
    ("Definition", "/definition"),
    ("Dependencies", "/dependencies"),
    ("History", "/history"),
    ("Source", "/source"),
)


async def frame_entity(
    request: Request, session: ReadSession, entity: EntitySummary, kinds: Kinds, actor: Actor, tab: str
) -> dict[str, Any]:
    """Return what stands over every tab of an entity."""
    renderer: Renderer = request.app.state.services.get(Renderer)
    refs = [ref for ref in (entity.owner, entity.system) if ref is not None]
    titles = await reading.get_titles(session, refs)
    needed = KIND_WRITE if entity.ref.kind == KIND.name else ENTITY_WRITE
    may = request.app.state.services.get(DeciderService).has
    can_write, can_follow = may(actor, needed), may(actor, FOLLOW_WRITE)
    origin = await find_origin(session, entity)
    return {
        "entity": entity,
        "icon_name": icon_of(entity, kinds),
        "word": kind_word(entity),
        "owner_title": titles.get(entity.owner) if entity.owner else None,
        "owner_href": entity_href(entity.owner) if entity.owner else None,
        "near_owners": [] if entity.owner is None or entity.owner in titles else _list_near(session, entity.owner),
        "system_title": titles.get(entity.system) if entity.system else None,
        "system_href": entity_href(entity.system) if entity.system else None,
        "is_owned_kind": bool((definition := kinds.find(entity.ref.kind)) and definition.is_owned),
        "is_shipped": str(entity.ref) in session.services.get(ShippedRefs).refs,
        "can_follow": can_follow,
        "is_followed": can_follow and await follows.is_following(session, actor, entity.ref),
        "can_delete": can_write and not entity.is_managed,
        "edit_href": _edit_href(entity, origin) if can_write and not entity.orphaned_at else None,
        "proposals": await list_open_proposals(session, actor, origin),
        "proposals_href": f"/repositories/{origin.repository.full_name}/changes" if origin.repository else None,
        "actions": await renderer.panels(request, contract.PLACE_ACTIONS, entity),
        "facts": await renderer.panels(request, contract.PLACE_FACTS, entity),
        "more_tabs": await renderer.panels(request, contract.PLACE_TABS, entity),
        "tabs": [
            {"label": label, "href": entity.href + path, "is_current": tab == label.lower()}
            for label, path in _TABS
            if (label != "Definition" or entity.ref.kind == API_KIND)
            and (label != "Dependencies" or entity.ref.kind not in OWNERS)
        ],
    }


def _list_near(session: ReadSession, owner: EntityRef) -> list[tuple[str, str]]:
    """Return what was probably meant by an owner that is not there: its ref and page."""
    return [(ref, entity_href(parse_ref(ref))) for ref in listing.list_near(session, owner, limit=3)]


def _edit_href(entity: EntitySummary, origin: Origin) -> str | None:
    if entity.is_managed:
        return f"{entity.href}/edit" if origin.location is not None and not origin.is_shipped else None
    return f"/catalog/kinds/{entity.ref.name}/edit" if entity.ref.kind == KIND.name else f"{entity.href}/edit"


def list_ends(detail: EntityDetail, kinds: Kinds, type_: str) -> list[dict[str, Any]]:
    """Return what an entity is related to by one type of relation, as lists of pages show it."""
    return [make_end(related, kinds) for related in detail.related(type_)]


def make_end(related: Related, kinds: Kinds) -> dict[str, Any]:
    definition = kinds.find(related.ref.kind)
    return {
        "label": related.entity.title if related.entity else related.ref.shorten(),
        "href": entity_href(related.ref) if related.entity else None,
        "icon": icon_of(related.entity, kinds) if related.entity else (definition.icon if definition else "box"),
        "meta": kind_word(related.entity) if related.entity else None,
        "state": state_of(related.health),
    }
