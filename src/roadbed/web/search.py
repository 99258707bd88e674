"""Search: one box over everything that domains offer, as a palette, a page and JSON."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from roadbed.catalog.contract import ENTITY_READ, list_visited
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession
from roadbed.core.extension import Registry
from roadbed.core.html import NAVIGATION, Renderer, render
from roadbed.core.search import SEARCH, Hit, SearchSource, rank, split_match
from roadbed.web.access import SignedIn
from roadbed.web.bookmarks import show_bookmarks

router = APIRouter()
api = APIRouter(tags=["search"])

LONGEST_TEXT = 200
IN_PALETTE = 6
ON_PAGE = 25
PLACES_FIRST_ORDER = 5
_OWN_PAGES = (
    ("Account", "/account", "user"),
    ("Tokens", "/account/tokens", "key"),
)

Text = Annotated[str, Query(max_length=LONGEST_TEXT, description="A part of a name.")]


class HitOut(BaseModel):
    """Something found."""

    title: str
    href: str
    icon: str
    meta: str


class GroupOut(BaseModel):
    label: str
    items: list[HitOut]


class SearchOut(BaseModel):
    """What was found, in groups; the best matches of each group first."""

    groups: list[GroupOut]


@router.get("/search")
async def search_page(request: Request, session: Reading, actor: SignedIn, q: Text = "") -> HTMLResponse:
    """Show what has the text in its name: as a page, or as the palette's results when a script asks."""
    is_palette = request.headers.get("hx-request") == "true"
    text = clean(q)
    limit = IN_PALETTE if is_palette else ON_PAGE
    found = await find_groups(session, actor, text, limit=limit) if text else await list_last(session, actor, limit)
    groups = show(text, found)
    if is_palette and not text and not groups:
        return HTMLResponse("", headers={"Vary": "HX-Request, Cookie"})
    if is_palette:
        ui: Any = session.services.get(Renderer).environment.globals["ui"]
        return HTMLResponse(str(ui.palette_results(groups)), headers={"Vary": "HX-Request, Cookie"})
    return await render(request, "web/search.html", {"text": text, "groups": groups, "limit": ON_PAGE})


@api.get("/search")
async def search(session: Reading, actor: SignedIn, q: Text = "") -> SearchOut:
    """Find entities, runs and pages by a part of their name."""
    groups = await find_groups(session, actor, clean(q), limit=ON_PAGE)
    return SearchOut(
        groups=[
            GroupOut(label=label, items=[HitOut.model_validate(asdict(hit)) for hit in hits]) for label, hits in groups
        ]
    )


def clean(text: str) -> str:
    """Return the text with single spaces and without what no name has."""
    return re.sub(r"\s+", " ", text.replace("\x00", "")).strip()


async def find_groups(session: ReadSession, actor: Actor, text: str, *, limit: int) -> list[tuple[str, Sequence[Hit]]]:
    """Ask every source that the actor may see; groups without a result are left out.

    A place whose name begins with the text comes first: that is what somebody types to go there.
    """
    if not text:
        return []
    decider = session.services.get(DeciderService)
    sources = [
        source
        for source in session.services.get(Registry).get(SEARCH)
        if source.permission is None or decider.has(actor, source.permission)
    ]
    found = [(source, await source.find(session, actor, text, limit=limit)) for source in sources]
    found = [(source, hits) for source, hits in found if hits]
    return [(source.label, hits) for source, hits in sorted(found, key=lambda pair: _order(text, *pair))]


async def list_last(session: ReadSession, actor: Actor, limit: int) -> list[tuple[str, Sequence[Hit]]]:
    """Return what is offered before anything is typed: the entities that the reader looked at last."""
    if not session.services.get(DeciderService).has(actor, ENTITY_READ):
        return []
    marks = show_bookmarks(session, await list_visited(session, actor))[:limit]
    hits = [Hit(mark.bookmark.title, mark.href, mark.icon, meta=mark.meta) for mark in marks if mark.href]
    return [("Recently viewed", hits)] if hits else []


def _order(text: str, source: SearchSource, hits: Sequence[Hit]) -> int:
    is_place = source.label == PLACES.label and rank(text, hits[0].title) in (0, 1)
    return PLACES_FIRST_ORDER if is_place else source.order


def show(text: str, groups: Sequence[tuple[str, Sequence[Hit]]]) -> list[dict[str, Any]]:
    """Return groups as the macro `palette_results` takes them, with the matching part of each title marked."""
    return [
        {
            "label": label,
            "items": [
                {
                    "href": hit.href,
                    "icon": hit.icon,
                    "parts": split_match(text, hit.title),
                    "meta": hit.meta or None,
                    "key": hit.key or None,
                }
                for hit in hits
            ],
        }
        for label, hits in groups
    ]


async def _find_places(session: ReadSession, actor: Actor, text: str, /, *, limit: int) -> Sequence[Hit]:
    decider = session.services.get(DeciderService)
    places = [
        (item.label, item.href, item.icon)
        for item in session.services.get(Registry).get(NAVIGATION)
        if item.permission is None or decider.has(actor, item.permission)
    ]
    ranked = [
        (place_rank, Hit(label, href, icon))
        for label, href, icon in (*places, *_OWN_PAGES)
        if (place_rank := rank(text, label)) is not None
    ]
    return [hit for _, hit in sorted(ranked, key=lambda pair: (pair[0], pair[1].title))][:limit]


PLACES = SearchSource("Go to", 90, None, _find_places)
