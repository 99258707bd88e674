"""Page: the list of runs, with views and filters."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from roadbed.core.actor import Actor
from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.runs import repository
from roadbed.runs.access import RunReader
from roadbed.runs.models import Run
from roadbed.runs.rules import initiator_words, seconds_between, state_words
from roadbed.runs.schemas import RunQuery
from roadbed.runs.types import RunState

router = APIRouter()

OPEN = tuple(state for state in RunState if not state.is_finished)


@router.get("/runs")
async def list_page(
    request: Request, session: Reading, actor: RunReader, query: Annotated[RunQuery, Query()]
) -> HTMLResponse:
    """Show runs, newest first, with filters."""
    before_id = id_of_cursor(query.cursor)
    runs = await repository.list_runs(session, query.to_filter(), before_id=before_id, limit=query.limit + 1)
    shown = runs[: query.limit]
    asked = query.model_dump(exclude_defaults=True, mode="json", exclude={"cursor"})
    next_page = None
    if len(runs) > query.limit:
        next_page = "?" + urlencode({**asked, "cursor": id_cursor(shown[-1].id)}, doseq=True)
    open_ids = [run.id for run in shown if run.finished_at is None]
    progress = await repository.count_progress(session, open_ids) if open_ids else {}
    context = {
        "rows": [_show(run, progress, actor) for run in shown],
        "query": query,
        "asked": asked,
        "next_page": next_page,
        "kinds": await repository.list_kinds(session),
        "views": _views(query, actor),
    }
    return await render(request, "runs/list.html", context, fragment="results")


def _show(run: Run, progress: Mapping[Any, tuple[int, int, str]], actor: Actor) -> dict[str, Any]:
    return {
        "run": run,
        "state": state_words(run.state),
        "by": initiator_words(run.initiator, actor),
        "seconds": seconds_between(run.started_at, run.finished_at),
        "progress": progress.get(run.id),
    }


def _views(query: RunQuery, actor: Actor) -> list[dict[str, Any]]:
    """Return the saved filters; one is current when nothing but the kind is chosen beside it."""

    def view(label: str, states: Sequence[RunState], initiator: str | None) -> dict[str, Any]:
        values = {"state": [state.value for state in states], "initiator": initiator, "kind": query.kind}
        chosen = {name: value for name, value in values.items() if value}
        is_current = set(query.state) == set(states) and query.initiator == initiator and query.subject is None
        return {"label": label, "href": f"/runs?{urlencode(chosen, doseq=True)}".rstrip("?"), "is_current": is_current}

    return [
        view("All", (), None),
        view("Started by you", (), actor.label),
        view("Open", OPEN, None),
        view("Failed", (RunState.FAILED,), None),
    ]
