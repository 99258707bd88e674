"""Page: Home: what needs me, what is mine, what runs, what changed."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from roadbed.catalog.contract import (
    ENTITY_READ,
    FOLLOW_WRITE,
    LOCATION_WRITE,
    get_overview,
    list_by_refs,
    list_followed,
    list_recent_changes,
    list_visited,
    owners_of,
)
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession
from roadbed.core.extension import Registry
from roadbed.core.html import render
from roadbed.core.needs import NEEDS, Need
from roadbed.goldenpaths.contract import RUN_START
from roadbed.identity.contract import ACCOUNT_WRITE, TOKEN_WRITE
from roadbed.kit.refs import parse_ref
from roadbed.kit.text import name_actor
from roadbed.runs.contract import RUN_READ, list_open_runs, state_words
from roadbed.web.access import SignedIn
from roadbed.web.bookmarks import show_bookmarks
from roadbed.web.happenings import tell
from roadbed.web.owned import OWNED_COUNTED, list_owned, list_titles_of_owners, show_owned

router = APIRouter()

NEEDS_SHOWN = 8
OWNED_SHOWN = 12
RUNS_SHOWN = 5
FOLLOWED_SHOWN = 8
VISITED_SHOWN = 8
CHANGES_READ = 200
CHANGES_SHOWN = 6


@router.get("/")
async def home_page(request: Request, session: Reading, actor: SignedIn) -> HTMLResponse:
    """Show what concerns the reader, and to the first admin of an empty installation where to begin."""
    may = session.services.get(DeciderService).has
    sees_catalog = may(actor, ENTITY_READ)
    owners = owners_of(actor)
    entities = await list_owned(session, owners) if sees_catalog else []
    overview = await get_overview(session) if sees_catalog and not entities else None
    is_empty = overview is not None and overview.is_empty
    followed = await list_followed(session, actor) if sees_catalog else []
    visited = await list_visited(session, actor) if sees_catalog else []
    changes = []
    if sees_catalog and not is_empty:
        changes = await list_recent_changes(
            session, owners=owners if entities else (), follower=actor if followed else None, limit=CHANGES_READ
        )
    context = {
        "needs": await _list_needs(session, actor),
        "needs_shown": NEEDS_SHOWN,
        "owned": await show_owned(session, actor, entities[:OWNED_SHOWN]),
        "owned_count": len(entities),
        "is_cut": len(entities) == OWNED_COUNTED,
        "followed": show_bookmarks(session, followed, is_ranked=True)[:FOLLOWED_SHOWN],
        "followed_count": len(followed),
        "visited": show_bookmarks(session, visited)[:VISITED_SHOWN],
        "owner_titles": list_titles_of_owners(session, entities),
        "owners": owners,
        "is_known": bool(entities) or await _is_known(session, actor),
        "sees_catalog": sees_catalog,
        "sees_runs": may(actor, RUN_READ),
        "open_runs": await _list_open(session, actor) if may(actor, RUN_READ) else [],
        "runs_shown": RUNS_SHOWN,
        "changes": tell(changes, limit=CHANGES_SHOWN, is_cut=len(changes) == CHANGES_READ),
        "is_empty": is_empty,
        "locations": overview.locations if overview else 0,
        "may": {
            "create": may(actor, RUN_START),
            "follow": may(actor, FOLLOW_WRITE),
            "register": may(actor, LOCATION_WRITE),
            "token": may(actor, TOKEN_WRITE),
            "invite": may(actor, ACCOUNT_WRITE),
        },
    }
    return await render(request, "web/home.html", context)


async def _list_needs(session: ReadSession, actor: Actor) -> list[Need]:
    needs: list[Need] = []
    for find in session.services.get(Registry).get(NEEDS):
        needs += await find(session, actor)
    return sorted(needs, key=lambda need: need.at, reverse=True)


async def _is_known(session: ReadSession, actor: Actor) -> bool:
    """Tell whether the catalog has the user that the account is linked to."""
    if actor.groups or actor.entity_ref is None:
        return bool(actor.groups)
    ref = parse_ref(actor.entity_ref, default_kind="User")
    return ref in await list_by_refs(session, [ref])


async def _list_open(session: ReadSession, actor: Actor) -> list[Mapping[str, Any]]:
    return [
        {
            "run": item.run,
            "state": state_words(item.run.state),
            "done": item.done,
            "total": item.total,
            "at": item.at,
            "by": "you" if item.run.initiator == actor.label else name_actor(item.run.initiator),
        }
        for item in await list_open_runs(session, first_of=actor.label, limit=RUNS_SHOWN + 1)
    ]
