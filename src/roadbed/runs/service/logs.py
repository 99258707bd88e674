"""Log lines of steps: written in chunks, read by line number."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from roadbed.core.db import ReadSession, WriteSession
from roadbed.kit.text import clean_text
from roadbed.runs import repository
from roadbed.runs.models import RunLogChunk

LONGEST_LINE = 8_000


@dataclass(frozen=True)
class LogLine:
    """One line, numbered from 1 within its step."""

    number: int
    at: datetime
    stream: str
    text: str


async def append_lines(
    session: WriteSession, run_id: UUID, step_id: UUID, lines: list[tuple[datetime, str, str]], *, limit_bytes: int
) -> int:
    """Append `(at, stream, text)` lines to a step's log and return how many were kept.

    Args:
        session: its transaction locks the run, so that numbers have no gaps.
        run_id: the run of the step.
        step_id: whose log.
        lines: already masked.
        limit_bytes: for the whole run; the first line over it is replaced by a note, the rest is dropped.
    """
    run = await repository.lock_run(session, run_id)
    assert run is not None, "a run that writes its log exists"
    step = await repository.get_step(session, step_id)
    kept: list[list[object]] = []
    for at, stream, text in lines:
        line = clean_text(text)
        if len(line) > LONGEST_LINE:
            line = f"{line[:LONGEST_LINE]} … ({len(line) - LONGEST_LINE:,} more characters)"
        if run.log_bytes > limit_bytes:
            break
        run.log_bytes += len(line) + 1
        if run.log_bytes > limit_bytes:
            line = (
                f"This run's log is over {limit_bytes:,} bytes (ROADBED_RUNS__LOG_BYTES): further lines are not kept."
            )
        kept.append([int(at.timestamp() * 1000), stream, line])
    if kept:
        first_line = step.line_count + 1
        step.line_count += len(kept)
        session.add(RunLogChunk(step_id=step.id, first_line=first_line, last_line=step.line_count, lines=kept))
        await repository.notify(session, run.id)
    return len(kept)


async def read_lines(session: ReadSession, step_id: UUID, *, first_line: int, limit: int) -> list[LogLine]:
    """Return up to `limit` lines from number `first_line` on."""
    last_line = first_line + limit - 1
    return [
        LogLine(number, datetime.fromtimestamp(milliseconds / 1000, UTC), stream, text)
        for chunk in await repository.list_log_chunks(session, step_id, first_line=first_line, last_line=last_line)
        for number, (milliseconds, stream, text) in enumerate(chunk.lines, start=chunk.first_line)
        if first_line <= number <= last_line
    ]
