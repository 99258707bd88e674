"""Server-sent events of one run."""

from collections.abc import AsyncIterator, Mapping
from uuid import UUID

from roadbed.core.db import Database
from roadbed.kit.jsons import canonical_json
from roadbed.runs import repository
from roadbed.runs.models import Run, RunStep
from roadbed.runs.service.feed import RunFeed
from roadbed.runs.service.logs import LogLine, read_lines
from roadbed.runs.service.reading import get_run
from roadbed.runs.types import RunState

LINES_AT_ONCE = 2_000


async def stream_events(
    database: Database, feed: RunFeed, run_id: UUID, *, position: str | None
) -> AsyncIterator[bytes]:
    """Yield `run` and `step` when they changed, `line` for each log line, and `end` when the run is finished.

    The event id is a position: how many lines of each step were sent, so that a client that comes back misses none.

    Args:
        database: where the run is read.
        feed: wakes the stream.
        run_id: which run.
        position: what the client has already, as in an event id; None for everything.
    """
    sent = _read_position(position)
    last_run, last_steps = b"", dict[UUID, bytes]()
    async for _ in feed.changes(run_id):
        run, steps, lines = await _look(database, run_id, sent)
        while lines:
            for step, line in lines:
                sent[str(step.id)] = line.number
                yield _event("line", {"step_id": step.id, "number": line.number, "text": line.text}, position=sent)
            run, steps, lines = await _look(database, run_id, sent)
        for step in steps:
            shown = canonical_json(_show_step(step))
            if last_steps.get(step.id) != shown:
                last_steps[step.id] = shown
                yield _event("step", _show_step(step), position=sent)
        if last_run != (shown := canonical_json(_show_run(run))):
            last_run = shown
            yield _event("run", _show_run(run), position=sent)
        if RunState(run.state).is_finished:
            yield _event("end", _show_run(run), position=sent)
            return
        yield b": still here\n\n"


async def _look(
    database: Database, run_id: UUID, sent: dict[str, int]
) -> tuple[Run, list[RunStep], list[tuple[RunStep, LogLine]]]:
    """Return the run, its steps, and the next lines that were not sent yet, all of one moment."""
    async with database.read() as session:
        run = await get_run(session, run_id)
        steps = await repository.list_steps(session, run_id)
        lines: list[tuple[RunStep, LogLine]] = []
        for step in steps:
            first_line = sent.get(str(step.id), 0) + 1
            if step.line_count >= first_line:
                found = await read_lines(session, step.id, first_line=first_line, limit=LINES_AT_ONCE)
                lines.extend((step, line) for line in found)
    return run, steps, lines


def _show_run(run: Run) -> dict[str, object]:
    return {"id": run.id, "state": run.state, "title": run.title, "error": run.error}


def _show_step(step: RunStep) -> dict[str, object]:
    return {
        "id": step.id,
        "key": step.key,
        "title": step.title,
        "state": step.state,
        "note": step.note,
        "done": step.progress_done,
        "total": step.progress_total,
        "error": step.error,
    }


def _event(name: str, data: dict[str, object], *, position: dict[str, int]) -> bytes:
    event_id = write_position(position).encode()
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (event_id, name.encode(), canonical_json(data))


def write_position(lines: Mapping[str, int]) -> str:
    """Return how many lines of each step (by id) somebody has, as `stream_events` reads it."""
    return ",".join(f"{step}:{line}" for step, line in lines.items())


def _read_position(position: str | None) -> dict[str, int]:
    """Return how many lines of each step a client has; what is not a position of ours counts as none."""
    pairs = (part.rpartition(":") for part in (position or "").split(","))
    return {step: int(line) for step, _, line in pairs if line.isdigit()}
