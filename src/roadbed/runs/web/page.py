"""Page: one run while it moves: its steps, the log of one of them, what it made, and what can be done about it."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.html import Renderer, render
from roadbed.kit.ansi import spans
from roadbed.runs import repository
from roadbed.runs.access import RUN_CONTROL, RunController, RunReader
from roadbed.runs.models import Run, RunLink, RunStep
from roadbed.runs.rules import choose_step, first_line_shown, initiator_words, seconds_between, state_words
from roadbed.runs.service import LogLine, cancel_by, get_run, get_step, read_lines, retry_by
from roadbed.runs.service.control import can_be_undone
from roadbed.runs.service.steering import may_retry, may_undo
from roadbed.runs.service.stream import write_position
from roadbed.runs.types import PLACE_FACTS, PLACE_MAIN, PLACE_RESULT, PLACE_WAITING, RunState, StepState

router = APIRouter()

LINES_SHOWN = 500
EXCERPT_LINES = 6
_RECORDS = frozenset(("approval", "output", "pipeline", "run", "tests"))
"""Kinds of links to what is only looked at: no undo takes these back."""
_UNDO_WORDS = {RunState.CANCELLED: ("no", "Undone"), RunState.FAILED: ("bad", "Not undone")}


@dataclass(frozen=True)
class _Look:
    """One moment of a run, as far as the page shows it."""

    run: Run
    steps: Sequence[RunStep]
    chosen: RunStep | None
    line: int | None

    @property
    def state(self) -> RunState:
        return RunState(self.run.state)

    @property
    def is_stopping(self) -> bool:
        return self.run.cancel_requested_at is not None and self.state is RunState.RUNNING

    @property
    def words(self) -> tuple[str, str]:
        if self.is_stopping:
            return "run", "Cancelling"
        if self.run.is_undo_wanted and self.state in _UNDO_WORDS:
            return _UNDO_WORDS[self.state]
        return state_words(self.run.state)

    @property
    def failed(self) -> RunStep | None:
        return next((step for step in self.steps if step.state == StepState.FAILED), None)


@router.get("/runs/{run_id}")
async def run_page(
    request: Request,
    session: Reading,
    actor: RunReader,
    run_id: UUID,
    step: str | None = None,
    line: Annotated[int | None, Query(ge=1)] = None,
) -> HTMLResponse:
    """Show one run. `step` chooses whose log; `line` shows the lines around that one instead of the newest."""
    run = await get_run(session, run_id)
    steps = await repository.list_steps(session, run_id)
    look = _Look(run, steps, choose_step(steps, step), line)
    renderer = request.app.state.services.get(Renderer)
    may_control = request.app.state.services.get(DeciderService).has(actor, RUN_CONTROL)
    children = await repository.list_children(session, run_id)
    shown = {f"/runs/{child.id}" for child in children}  # with their state; a link to them says less
    may_cancel = may_control and not look.state.is_finished and run.cancel_requested_at is None
    is_undoable = may_control and look.state.is_finished and await can_be_undone(session, run)
    may_undo_it = (is_undoable or may_cancel) and await may_undo(session, actor, run)
    is_failed = look.state is RunState.FAILED
    context = {
        **_show_run(look, actor),
        **await _show_log(session, look, is_refresh=request.headers.get("hx-request") == "true"),
        "links": [link for link in await repository.list_links(session, run_id) if _is_shown(look, link, shown)],
        "children": [{"run": child, "state": state_words(child.state)} for child in children],
        "parent": await repository.find_run(session, run.parent_run_id) if run.parent_run_id else None,
        "may_retry": may_control and is_failed and await may_retry(session, actor, run),
        "may_cancel": may_cancel,
        "may_undo": may_undo_it,
        "would_go": await _list_undoable(session, run_id) if may_undo_it else [],
        "undone": await _show_undone(session, run),
        "excerpt": await _excerpt(session, look),
        "facts": await renderer.panels(request, PLACE_FACTS, run),
        "panels": await renderer.panels(request, PLACE_WAITING, run),
        "results": await renderer.panels(request, PLACE_RESULT, run),
        "cards": await renderer.panels(request, PLACE_MAIN, run),
    }
    return await render(request, "runs/run.html", context)


def _is_shown(look: _Look, link: RunLink, shown: Container[str]) -> bool:
    """Tell whether a link is worth a line: after an undo its run's outputs lead to what is gone."""
    is_gone = look.run.is_undo_wanted and look.state.is_finished and link.kind == "output"
    return link.href not in shown and not is_gone


async def _list_undoable(session: ReadSession, run_id: UUID) -> list[RunLink]:
    return [link for link in await repository.list_family_links(session, run_id) if link.kind not in _RECORDS]


async def _show_undone(session: ReadSession, run: Run) -> dict[str, list[str]] | None:
    """Return what undoing a run and those below it came to; None while nothing was undone."""
    if not run.is_undo_wanted:
        return None
    found = [step.undone for step in await repository.list_undone(session, run.id) if step.undone is not None]
    return (
        {name: [words for undone in found for words in undone[name]] for name in ("taken", "kept")} if found else None
    )


def _show_run(look: _Look, actor: Actor) -> dict[str, Any]:
    failed = look.failed
    return {
        "run": look.run,
        "state": look.words,
        "by": initiator_words(look.run.initiator, actor),
        "seconds": seconds_between(look.run.started_at, look.run.finished_at),
        "is_finished": look.state.is_finished,
        "steps": [_show_step(look, item) for item in look.steps],
        "done_count": sum(StepState(item.state).is_finished for item in look.steps),
        "failed": failed,
        "failed_number": look.steps.index(failed) + 1 if failed else None,
    }


def _show_step(look: _Look, step: RunStep) -> dict[str, Any]:
    kind, word = state_words(step.state)
    is_waiting = step.state == StepState.WAITING
    return {
        "name": step.title,
        "kind": kind,
        "word": word,
        "note": step.note,
        "duration": "waits" if is_waiting else seconds_between(step.started_at, step.finished_at),
        "href": f"/runs/{look.run.id}?step={step.key}",
        "is_current": look.chosen is not None and step.id == look.chosen.id,
        "is_waiting": is_waiting,
        "done": step.progress_done,
        "total": step.progress_total,
    }


async def _show_log(session: ReadSession, look: _Look, *, is_refresh: bool) -> dict[str, Any]:
    """Return the lines of the chosen step, and where to go for others.

    A refresh of the page leaves the log alone, so its lines are not read.
    """
    step, run_id = look.chosen, look.run.id
    if step is None:
        return {"chosen": None}
    first_line = first_line_shown(step.line_count, line=look.line, limit=LINES_SHOWN)
    is_end = first_line + LINES_SHOWN > step.line_count
    lines = [] if is_refresh else await read_lines(session, step.id, first_line=first_line, limit=LINES_SHOWN)
    position = write_position({str(item.id): item.line_count for item in look.steps})
    before = f"/runs/{run_id}/log/{step.key}?before="
    return {
        "chosen": step,
        "chosen_state": state_words(step.state),
        "lines": show_lines(lines),
        "before": before,
        "earlier": f"{before}{first_line}" if first_line > 1 else None,
        "later": None if is_end else f"/runs/{run_id}?step={step.key}",
        "follow": f"/api/v1/runs/{run_id}/events?position={position}"
        if is_end and not look.state.is_finished
        else None,
    }


async def _excerpt(session: ReadSession, look: _Look) -> list[dict[str, Any]]:
    """Return the last lines of the failed step that say something."""
    step = look.failed
    if step is None or look.state is not RunState.FAILED or not step.line_count:
        return []
    first_line = max(1, step.line_count - 4 * EXCERPT_LINES)
    lines = await read_lines(session, step.id, first_line=first_line, limit=4 * EXCERPT_LINES + 1)
    return show_lines([line for line in lines if line.text.strip()][-EXCERPT_LINES:])


def show_lines(lines: Sequence[LogLine]) -> list[dict[str, Any]]:
    return [{"number": line.number, "spans": spans(line.text)} for line in lines]


@router.get("/runs/{run_id}/log/{key}")
async def earlier_lines(
    request: Request, session: Reading, _: RunReader, run_id: UUID, key: str, before: Annotated[int, Query(ge=1)]
) -> HTMLResponse:
    """Give the lines before a line as a fragment, or as a page to those without script."""
    step = await get_step(session, run_id, key)
    first_line = max(1, before - LINES_SHOWN)
    lines = await read_lines(session, step.id, first_line=first_line, limit=min(LINES_SHOWN, before - 1))
    earlier = f"/runs/{run_id}/log/{key}?before={first_line}" if first_line > 1 else None
    run = await get_run(session, run_id)
    context = {"run": run, "step": step, "lines": show_lines(lines), "earlier": earlier}
    return await render(request, "runs/log.html", context, fragment="lines")


@router.post("/runs/{run_id}/cancel")
async def cancel_from_page(
    session: Writing, actor: RunController, run_id: UUID, undo: Annotated[list[str] | None, Form()] = None
) -> RedirectResponse:
    """Cancel a run, and undo it if ticked."""
    await cancel_by(session, actor, run_id, is_undo_wanted="true" in (undo or ()))
    return RedirectResponse(f"/runs/{run_id}", 303)


@router.post("/runs/{run_id}/retry")
async def retry_from_page(session: Writing, actor: RunController, run_id: UUID) -> RedirectResponse:
    """Take a failed run up again."""
    await retry_by(session, actor, run_id)
    return RedirectResponse(f"/runs/{run_id}", 303)
