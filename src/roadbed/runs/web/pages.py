"""Pages: the list of runs, and one run while it moves."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.core.access import DeciderService
from roadbed.core.db import Reading, Writing
from roadbed.core.html import Renderer, render
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.kit.ansi import spans
from roadbed.kit.clock import now
from roadbed.runs import repository
from roadbed.runs.access import RUN_CONTROL, RunController, RunReader
from roadbed.runs.models import Run, RunStep
from roadbed.runs.rules import state_words
from roadbed.runs.schemas import LogQuery, RunQuery
from roadbed.runs.service import LogLine, cancel_run, get_run, get_step, read_lines, retry_run
from roadbed.runs.types import RunState, StepState

router = APIRouter()

LINES_SHOWN = 500
EXCERPT_LINES = 6


def _seconds(started_at: datetime | None, finished_at: datetime | None) -> float | None:
    return ((finished_at or now()) - started_at).total_seconds() if started_at else None


def _show_lines(lines: Sequence[LogLine]) -> list[dict[str, Any]]:
    return [{"number": line.number, "spans": spans(line.text)} for line in lines]


def _show_step(run: Run, step: RunStep, *, chosen: RunStep | None) -> dict[str, Any]:
    kind, word = state_words(step.state)
    return {
        "name": step.title,
        "kind": kind,
        "word": word,
        "note": step.note,
        "duration": "waits" if step.state == StepState.WAITING else _seconds(step.started_at, step.finished_at),
        "href": f"/runs/{run.id}?step={step.key}",
        "is_current": chosen is not None and step.id == chosen.id,
        "done": step.progress_done,
        "total": step.progress_total,
    }


def choose_step(steps: Sequence[RunStep], key: str | None) -> RunStep | None:
    """Return the step whose log is shown: the asked one, else the failed, the moving, or the last that began."""
    by_key = next((step for step in steps if step.key == key), None)
    if by_key is not None:
        return by_key
    for states in ((StepState.FAILED,), (StepState.RUNNING,), (StepState.WAITING,)):
        for step in steps:
            if step.state in states:
                return step
    begun = [step for step in steps if step.attempt]
    return begun[-1] if begun else (steps[0] if steps else None)


@router.get("/runs")
async def list_page(
    request: Request, session: Reading, _: RunReader, query: Annotated[RunQuery, Query()]
) -> HTMLResponse:
    """Show runs, newest first, with filters."""
    runs = await repository.list_runs(
        session, query.to_filter(), before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = runs[: query.limit]
    asked = query.model_dump(exclude_defaults=True, mode="json", exclude={"cursor"})
    next_page = None
    if len(runs) > query.limit:
        next_page = "?" + urlencode({**asked, "cursor": id_cursor(shown[-1].id)}, doseq=True)
    progress = await repository.count_progress(session, [run.id for run in shown])
    rows = [
        {
            "run": run,
            "state": state_words(run.state),
            "seconds": _seconds(run.started_at, run.finished_at),
            "progress": progress.get(run.id),
        }
        for run in shown
    ]
    context = {"rows": rows, "query": query, "next_page": next_page, "kinds": await repository.list_kinds(session)}
    return await render(request, "runs/list.html", {**context, "states": list(RunState)}, fragment="results")


@router.get("/runs/{run_id}")
async def run_page(
    request: Request, session: Reading, actor: RunReader, run_id: UUID, step: str | None = None
) -> HTMLResponse:
    """Show one run: its steps, the log of one of them, what it made."""
    run = await get_run(session, run_id)
    steps = await repository.list_steps(session, run_id)
    chosen = choose_step(steps, step)
    first_line = max(1, chosen.line_count - LINES_SHOWN + 1) if chosen else 1
    lines = await read_lines(session, chosen.id, first_line=first_line, limit=LINES_SHOWN) if chosen else []
    state = RunState(run.state)
    parent = await repository.find_run(session, run.parent_run_id) if run.parent_run_id else None
    may_control = request.app.state.services.get(DeciderService).has(actor, RUN_CONTROL)
    context = {
        "run": run,
        "state": state_words(run.state),
        "seconds": _seconds(run.started_at, run.finished_at),
        "is_finished": state.is_finished,
        "steps": [_show_step(run, item, chosen=chosen) for item in steps],
        "done_count": sum(StepState(item.state).is_finished for item in steps),
        "chosen": chosen,
        "chosen_state": state_words(chosen.state) if chosen else None,
        "lines": _show_lines(lines),
        "earlier": f"/runs/{run_id}/log/{chosen.key}?before={first_line}" if chosen and first_line > 1 else None,
        "links": await repository.list_links(session, run_id),
        "children": [
            {"run": child, "state": state_words(child.state)}
            for child in await repository.list_children(session, run_id)
        ],
        "parent": parent,
        "may_retry": may_control and state is RunState.FAILED,
        "may_cancel": may_control and (not state.is_finished or state is RunState.FAILED),
        "excerpt": _show_lines(lines[-EXCERPT_LINES:]) if state is RunState.FAILED else [],
        "panels": await request.app.state.services.get(Renderer).panels(request, "runs.run.waiting", run),
    }
    return await render(request, "runs/run.html", context, fragment="progress")


@router.get("/runs/{run_id}/log/{key}")
async def earlier_lines(
    request: Request, session: Reading, _: RunReader, run_id: UUID, key: str, before: int
) -> HTMLResponse:
    """Give the lines before a line as a fragment, or as a page to those without script."""
    step = await get_step(session, run_id, key)
    query = LogQuery(first_line=max(1, before - LINES_SHOWN))
    lines = await read_lines(session, step.id, first_line=query.first_line, limit=min(LINES_SHOWN, before - 1))
    earlier = f"/runs/{run_id}/log/{key}?before={query.first_line}" if query.first_line > 1 else None
    run = await get_run(session, run_id)
    context = {"run": run, "step": step, "lines": _show_lines(lines), "earlier": earlier}
    return await render(request, "runs/log.html", context, fragment="lines")


@router.post("/runs/{run_id}/cancel")
async def cancel_from_page(
    session: Writing, actor: RunController, run_id: UUID, undo: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Cancel a run, and undo it if ticked."""
    await cancel_run(session, actor, run_id, is_undo_wanted=undo == "true")
    return RedirectResponse(f"/runs/{run_id}", 303)


@router.post("/runs/{run_id}/retry")
async def retry_from_page(session: Writing, actor: RunController, run_id: UUID) -> RedirectResponse:
    """Take a failed run up again."""
    await retry_run(session, actor, run_id)
    return RedirectResponse(f"/runs/{run_id}", 303)
