"""The views over the list of entities: those that Roadbed has, and those that people save."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from roadbed.catalog.errors import ViewNotFound
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.ownership import owners_of
from roadbed.catalog.schemas.entities import EntityQuery, list_owned_kinds
from roadbed.catalog.schemas.views import ListQuery
from roadbed.catalog.service import listing, saved_views
from roadbed.catalog.service.ownership import explain_stranger
from roadbed.catalog.service.past import Moment
from roadbed.catalog.service.resolving import resolve
from roadbed.catalog.types import EVERYBODY, EntityFilter, SavedViewSummary
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.kit.refs import parse_ref
from roadbed.kit.text import iso

_View = tuple[str, str, EntityFilter | None, bool]
"""Label, address, what it lets through (None: not counted), whether it is the one that is shown."""
_SHOWN = 6
_READ = 50


@dataclass(frozen=True)
class Tabs:
    """The views over a list, the saved one that it began with, and what that keeps of how the list is now."""

    items: Sequence[dict[str, Any]]
    current: SavedViewSummary | None
    is_changed: bool
    all_href: str


async def list_tabs(
    session: ReadSession,
    actor: Actor,
    kinds: Kinds,
    query: EntityQuery,
    *,
    followed: Collection[str],
    moment: Moment | None = None,
) -> Tabs:
    """Return the views: all, what is the reader's, followed, unowned, stale, and the nearest of the saved ones."""
    saved = await saved_views.list_nearest_views(session, actor, limit=_READ + 1)
    current = await _find_current(session, actor, query, saved)
    has_default = bool(saved) and saved[0].is_default
    all_href = "/catalog?view=all" if has_default else "/catalog"
    shown = [view for view in saved if view.is_own or view.is_default][:_SHOWN]
    if current is not None and all(view.id != current.id for view in shown):
        shown.append(current)
    own: list[_View] = []
    if query.mine or explain_stranger(session.services, actor) is None:
        own.append(("Mine", "/catalog?mine=true", EntityFilter(owned_by=owners_of(actor)), query.mine))
    if query.followed or followed:
        own.append(("Followed", "/catalog?followed=true", EntityFilter(refs=tuple(followed)), query.followed))
    items = await _list_built_in(session, kinds, query, moment, own, all_href)
    if current is not None:
        items = [{**item, "is_current": False} for item in items]
    items += [
        {"label": view.name, "href": view.href, "is_current": current is not None and view.id == current.id}
        for view in shown
    ]
    shown_ids = {view.id for view in shown}
    if more := sum(view.id not in shown_ids for view in saved):
        label = "More views" if len(saved) > _READ else f"{more} more"
        items.append({"label": label, "href": "/catalog/views"})
    is_changed = current is not None and isinstance(query, ListQuery) and current.query != query.state
    return Tabs(items, current, is_changed, all_href)


def offer_readers(session: ReadSession, actor: Actor) -> list[dict[str, str]]:
    """Return with whom somebody may share a view, as the options of a field."""
    titles = listing.list_titles(session, actor.groups)
    groups = sorted((titles.get(ref) or parse_ref(ref).shorten(default_kind="Group"), ref) for ref in actor.groups)
    return [
        {"value": "", "label": "Only me"},
        {"value": EVERYBODY, "label": "Everybody who may read the catalog"},
        *({"value": ref, "label": title} for title, ref in groups),
    ]


async def _find_current(
    session: ReadSession, actor: Actor, query: EntityQuery, saved: Sequence[SavedViewSummary]
) -> SavedViewSummary | None:
    """Return the view that a list began with; one that is gone, or not shared any more, is none."""
    try:
        view_id = UUID(query.view) if isinstance(query, ListQuery) else None
    except ValueError:
        return None
    known = next((view for view in saved if view.id == view_id), None)
    if known is not None or view_id is None:
        return known
    try:
        return await saved_views.get_view(session, actor, view_id)
    except ViewNotFound:
        return None


async def _list_built_in(
    session: ReadSession,
    kinds: Kinds,
    query: EntityQuery,
    moment: Moment | None,
    own: Sequence[_View],
    all_href: str,
) -> list[dict[str, Any]]:
    owned = EntityFilter(owned_kinds=list_owned_kinds(kinds))
    stale = await resolve(session, replace(owned, is_stale=True))
    then = urlencode({"as_of": iso(moment.at)}) if moment is not None else ""
    views: list[_View] = [
        ("All", all_href, None, not (query.unowned or query.stale or query.followed or query.mine)),
        *own,
        ("Unowned", "/catalog/unowned", replace(owned, is_unowned=True), query.unowned),
        *((("Stale", "/catalog/stale", stale, query.stale),) if moment is None else ()),
    ]
    return [
        {
            "label": label,
            "href": href + (f"{'&' if '?' in href else '?'}{then}" if then else ""),
            "count": listing.count_entities(session, wanted, moment=moment) if wanted else None,
            "is_current": is_current,
        }
        for label, href, wanted, is_current in views
    ]
