"""REST: runs, their logs and their live stream."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import PlainTextResponse, StreamingResponse

from roadbed.core.db import Database, Reading, ReadSession, Writing
from roadbed.core.http.streams import EventStream
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.core.routes import service
from roadbed.kit.ansi import strip
from roadbed.runs import repository
from roadbed.runs.access import RunController, RunReader
from roadbed.runs.schemas import (
    CancelIn,
    LinkOut,
    LogLineOut,
    LogOut,
    LogQuery,
    RunDetailOut,
    RunOut,
    RunPageOut,
    RunQuery,
    StepOut,
)
from roadbed.runs.service import cancel_by, get_run, get_step, read_lines, retry_by
from roadbed.runs.service.feed import RunFeed
from roadbed.runs.service.stream import stream_events
from roadbed.secrets.contract import SecretMask

router = APIRouter(prefix="/runs", tags=["runs"])

DOWNLOAD_LINES = 5_000


@dataclass
class FollowQuery:
    """Where a stream of events begins: `Last-Event-ID`, which browsers send when they come back, before `position`."""

    position: Annotated[
        str | None, Query(description="The `id` of an event, or `STEP_ID:LINES,…`: lines that are not sent again.")
    ] = None
    last_event_id: Annotated[str | None, Header()] = None


async def show_run(session: ReadSession, run_id: UUID) -> RunDetailOut:
    """Return everything about one run but its log."""
    run = await get_run(session, run_id)
    steps = [StepOut.model_validate(step) for step in await repository.list_steps(session, run_id)]
    links = [LinkOut.model_validate(link) for link in await repository.list_links(session, run_id)]
    children = [RunOut.model_validate(child) for child in await repository.list_children(session, run_id)]
    shown = RunDetailOut(
        **RunOut.model_validate(run).model_dump(), inputs=run.inputs, steps=steps, links=links, children=children
    )
    return RunDetailOut.model_validate(session.services.get(SecretMask).mask_data(shown.model_dump()))


@router.get("")
async def list_runs(session: Reading, _: RunReader, query: Annotated[RunQuery, Query()]) -> RunPageOut:
    """List runs, newest first."""
    runs = await repository.list_runs(
        session, query.to_filter(), before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = runs[: query.limit]
    next_cursor = id_cursor(shown[-1].id) if len(runs) > query.limit else None
    page = RunPageOut(items=[RunOut.model_validate(run) for run in shown], next_cursor=next_cursor)
    return RunPageOut.model_validate(session.services.get(SecretMask).mask_data(page.model_dump()))


@router.get("/{run_id}")
async def read_run(session: Reading, _: RunReader, run_id: UUID) -> RunDetailOut:
    """Give one run with its steps, links and children."""
    return await show_run(session, run_id)


@router.get("/{run_id}/steps/{key}/log")
async def read_log(
    session: Reading, _: RunReader, run_id: UUID, key: str, query: Annotated[LogQuery, Query()]
) -> LogOut:
    """Give lines of a step's log, from `first_line` on."""
    step = await get_step(session, run_id, key)
    lines = await read_lines(session, step.id, first_line=query.first_line, limit=query.limit)
    return LogOut(lines=[LogLineOut.model_validate(line) for line in lines], line_count=step.line_count)


@router.get("/{run_id}/steps/{key}/log.txt", response_class=PlainTextResponse)
async def download_log(
    session: Reading, _: RunReader, database: Annotated[Database, Depends(service(Database))], run_id: UUID, key: str
) -> StreamingResponse:
    """Give the whole log of a step as plain text, without colours."""
    step = await get_step(session, run_id, key)
    step_id, line_count = step.id, step.line_count

    async def read_all() -> AsyncIterator[str]:
        for first_line in range(1, line_count + 1, DOWNLOAD_LINES):
            async with database.read() as chunk_session:
                lines = await read_lines(chunk_session, step_id, first_line=first_line, limit=DOWNLOAD_LINES)
            yield "".join(f"{line.at.isoformat(timespec='milliseconds')} {strip(line.text)}\n" for line in lines)

    headers = {"Content-Disposition": f'attachment; filename="{run_id}-{key}.log"'}
    return StreamingResponse(read_all(), media_type="text/plain; charset=utf-8", headers=headers)


@router.get("/{run_id}/events", response_class=EventStream)
async def follow_run(
    session: Reading,
    _: RunReader,
    database: Annotated[Database, Depends(service(Database))],
    feed: Annotated[RunFeed, Depends(service(RunFeed))],
    run_id: UUID,
    follow: Annotated[FollowQuery, Depends()],
) -> EventStream:
    """Stream a run as server-sent events: `run`, `step`, `line`, and `end`; then the stream closes.

    `position` says which lines the client has already. A client that comes back sends `Last-Event-ID` and misses none.
    """
    await get_run(session, run_id)
    events = stream_events(database, feed, run_id, position=follow.last_event_id or follow.position)
    return EventStream(events)


@router.post("/{run_id}/cancel")
async def cancel(session: Writing, actor: RunController, run_id: UUID, body: CancelIn | None = None) -> RunDetailOut:
    """Stop a run and its children; with `undo` also take back what it made."""
    await cancel_by(session, actor, run_id, is_undo_wanted=body is not None and body.undo)
    await session.flush()
    return await show_run(session, run_id)


@router.post("/{run_id}/retry")
async def retry(session: Writing, actor: RunController, run_id: UUID) -> RunDetailOut:
    """Take a failed run up again at the step that failed."""
    await retry_by(session, actor, run_id)
    await session.flush()
    return await show_run(session, run_id)
