"""What runs add to pages of others: results of the search, and failed runs that wait for who started them."""

from collections.abc import Sequence
from datetime import timedelta

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.needs import Need
from roadbed.core.search import Hit, SearchSource
from roadbed.kit.clock import now
from roadbed.kit.text import ago
from roadbed.runs import repository
from roadbed.runs.access import RUN_READ
from roadbed.runs.rules import state_words

_MOST = 5
_NEEDED_FOR = timedelta(days=7)


async def find_needs(session: ReadSession, actor: Actor, /) -> list[Need]:
    """Return the runs of the actor that failed in the last week and were not followed by another of their kind."""
    if not session.services.get(DeciderService).has(actor, RUN_READ):
        return []
    failed = await repository.list_left_failed(session, initiator=actor.label, since=now() - _NEEDED_FOR, limit=_MOST)
    return [
        Need(
            state=state_words(run.state),
            title=f"{run.title} failed",
            href=f"/runs/{run.id}",
            at=run.finished_at or run.created_at,
            meta=(run.error or {}).get("message", ""),
        )
        for run in failed
    ]


async def _find(session: ReadSession, _: Actor, text: str, /, *, limit: int) -> Sequence[Hit]:
    found = await repository.search_runs(session, text, limit=limit)
    return [
        Hit(run.title, f"/runs/{run.id}", "player-play", meta=f"{state_words(run.state)[1]} · {ago(run.created_at)}")
        for run in found
    ]


SEARCH_SOURCE = SearchSource("Runs", 30, RUN_READ, _find)
