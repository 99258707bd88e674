"""Every query on runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, delete, exists, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import aliased

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.kit.ids import new_id
from roadbed.runs.models import Run, RunLink, RunLogChunk, RunStep, RunWait
from roadbed.runs.types import RunFilter, RunState, StepState

CHANNEL = "roadbed_runs"
SEARCHED = 10_000
# Asked each second: put together once, as that takes longer than asking it.
_OVERDUE = (
    select(RunWait)
    .where(RunWait.until <= bindparam("at"), RunWait.resolved_at.is_(None))
    .order_by(RunWait.until)
    .limit(bindparam("most"))
)


async def find_run(session: ReadSession, run_id: UUID) -> Run | None:
    return await session.get(Run, run_id)


async def find_run_by_key(session: ReadSession, *, kind: str, key: str) -> Run | None:
    return (await session.scalars(select(Run).where(Run.kind == kind, Run.key == key))).one_or_none()


async def get_step(session: ReadSession, step_id: UUID) -> RunStep:
    """Return a step that is known to exist."""
    return await session.get_one(RunStep, step_id)


async def lock_run(session: WriteSession, run_id: UUID) -> Run | None:
    """Return the run and keep others from moving it until the end of the transaction."""
    query = locking(select(Run).where(Run.id == run_id))
    return (await session.scalars(query)).one_or_none()


async def lock_family(session: WriteSession, run_id: UUID) -> list[Run]:
    """Lock a run with all runs below it, the newest first: a run that ends locks itself before those that wait."""
    query = locking(select(Run).where(Run.id.in_(_family(run_id))).order_by(Run.id.desc()))
    return list(await session.scalars(query))


def _family(run_id: UUID) -> Select[Any]:
    """Select the ids of a run and of all runs below it."""
    family = select(Run.id).where(Run.id == run_id).cte("family", recursive=True)
    family = family.union(select(Run.id).join(family, Run.parent_run_id == family.c.id))
    return select(family.c.id)


async def list_moving(session: ReadSession, *, limit: int) -> list[Run]:
    """Return the runs that a segment should be moving now, oldest first."""
    moving = (RunState.PENDING, RunState.RUNNING, RunState.UNDOING)
    return list(await session.scalars(select(Run).where(Run.state.in_(moving)).order_by(Run.id).limit(limit)))


async def list_steps(session: ReadSession, run_id: UUID) -> list[RunStep]:
    return list(await session.scalars(select(RunStep).where(RunStep.run_id == run_id).order_by(RunStep.position)))


async def list_family_steps(session: ReadSession, run_id: UUID) -> list[tuple[RunStep, dict[str, Any]]]:
    """Return the steps of a run and of all runs below it, each with the inputs of its run."""
    query = select(RunStep, Run.inputs).join(Run, Run.id == RunStep.run_id).where(Run.id.in_(_family(run_id)))
    return [(step, inputs) for step, inputs in await session.execute(query.order_by(Run.id, RunStep.position))]


async def find_newest_begun(session: ReadSession, run_id: UUID) -> RunStep | None:
    """Return the step that a run is at: the last that began."""
    query = select(RunStep).where(RunStep.run_id == run_id, RunStep.attempt > 0).order_by(RunStep.position.desc())
    found: RunStep | None = await session.scalar(query.limit(1))
    return found


async def list_undone(session: ReadSession, run_id: UUID) -> list[RunStep]:
    """List the undone steps of a run and of all runs below it, what was made last first."""
    query = select(RunStep).where(RunStep.run_id.in_(_family(run_id)), RunStep.undone.is_not(None))
    return list(await session.scalars(query.order_by(RunStep.run_id.desc(), RunStep.position.desc())))


async def list_family_links(session: ReadSession, run_id: UUID) -> list[RunLink]:
    """List what a run and the runs below it made, oldest first."""
    return list(await session.scalars(select(RunLink).where(RunLink.run_id.in_(_family(run_id))).order_by(RunLink.id)))


async def remove_links(session: WriteSession, step_id: UUID) -> None:
    await session.execute(delete(RunLink).where(RunLink.step_id == step_id))


async def list_links(session: ReadSession, run_id: UUID) -> list[RunLink]:
    return list(await session.scalars(select(RunLink).where(RunLink.run_id == run_id).order_by(RunLink.id)))


async def list_children(session: ReadSession, run_id: UUID) -> list[Run]:
    return list(await session.scalars(select(Run).where(Run.parent_run_id == run_id).order_by(Run.id)))


async def list_children_of_step(session: ReadSession, step_id: UUID) -> list[Run]:
    return list(await session.scalars(select(Run).where(Run.parent_step_id == step_id).order_by(Run.id)))


async def list_runs(session: ReadSession, wanted: RunFilter, *, before_id: UUID | None = None, limit: int) -> list[Run]:
    """List runs, newest first, from below `before_id`."""
    query = select(Run).order_by(Run.id.desc()).limit(limit)
    if wanted.states:
        query = query.where(Run.state.in_(wanted.states))
    if wanted.kind:
        query = query.where(Run.kind == wanted.kind)
    if wanted.subject:
        query = query.where(Run.subject == wanted.subject)
    if wanted.initiator:
        query = query.where(Run.initiator == wanted.initiator)
    if before_id:
        query = query.where(Run.id < before_id)
    return list(await session.scalars(query))


async def count_open(session: ReadSession) -> int:
    """Return how many runs are not finished."""
    count = await session.scalar(select(func.count()).where(Run.finished_at.is_(None)))
    return count or 0


async def list_unfinished(session: ReadSession, *, kind: str) -> list[Run]:
    return list(await session.scalars(select(Run).where(Run.finished_at.is_(None), Run.kind == kind).order_by(Run.id)))


async def list_open(session: ReadSession, *, first_of: str, limit: int) -> list[Run]:
    """List unfinished runs that are no step of another such run: of the initiator `first_of` first, then the newest."""
    parent = aliased(Run)
    is_step = exists().where(parent.id == Run.parent_run_id, parent.finished_at.is_(None))
    query = select(Run).where(Run.finished_at.is_(None), ~is_step)
    return list(await session.scalars(query.order_by(Run.initiator != first_of, Run.id.desc()).limit(limit)))


async def list_left_failed(session: ReadSession, *, initiator: str, since: datetime, limit: int) -> list[Run]:
    """List failed runs, newest first, that no later run of the same kind and subject has followed."""
    later = aliased(Run)
    followed = exists().where(later.kind == Run.kind, later.subject == Run.subject, later.id > Run.id)
    query = select(Run).where(
        Run.initiator == initiator,
        Run.state == RunState.FAILED,
        Run.parent_run_id.is_(None),
        Run.finished_at >= since,
        ~followed,
    )
    return list(await session.scalars(query.order_by(Run.id.desc()).limit(limit)))


async def search_runs(session: ReadSession, text: str, *, limit: int) -> list[Run]:
    """Return runs whose title holds every word of `text`, newest first; only the newest 10,000 are looked at."""
    newest = aliased(Run, select(Run).order_by(Run.id.desc()).limit(SEARCHED).subquery())
    query = select(newest).where(*(newest.title.icontains(word, autoescape=True) for word in text.split()[:10]))
    return list(await session.scalars(query.order_by(newest.id.desc()).limit(limit)))


async def list_kinds(session: ReadSession) -> list[str]:
    return list(await session.scalars(select(Run.kind).distinct().order_by(Run.kind)))


async def count_progress(session: ReadSession, run_ids: list[UUID]) -> dict[UUID, tuple[int, int, str]]:
    """Return for each run: finished steps, all steps, and the title of the step it is at."""
    steps = await session.scalars(
        select(RunStep).where(RunStep.run_id.in_(run_ids)).order_by(RunStep.run_id, RunStep.position)
    )
    progress: dict[UUID, tuple[int, int, str]] = {}
    for step in steps:
        done, total, title = progress.get(step.run_id, (0, 0, ""))
        is_done = StepState(step.state).is_finished
        progress[step.run_id] = (done + is_done, total + 1, title or ("" if is_done else step.title))
    return progress


async def list_open_waits(session: ReadSession, *, kind: str, key: str) -> list[RunWait]:
    """List who waits for this, the newest run first: in the order in which runs are locked."""
    query = select(RunWait).where(RunWait.kind == kind, RunWait.key == key, RunWait.resolved_at.is_(None))
    return list(await session.scalars(query.order_by(RunWait.run_id.desc())))


async def lock_open_wait(session: WriteSession, wait_id: UUID) -> RunWait | None:
    """Return a wait unless it is over. Its run is locked first: whoever cancels that closes its waits then."""
    query = locking(select(RunWait).where(RunWait.id == wait_id, RunWait.resolved_at.is_(None)))
    return (await session.scalars(query)).one_or_none()


async def list_open_keys(session: ReadSession, *, kind: str) -> set[str]:
    return set(await session.scalars(select(RunWait.key).where(RunWait.kind == kind, RunWait.resolved_at.is_(None))))


async def list_overdue_waits(session: ReadSession, *, at: datetime, limit: int) -> list[RunWait]:
    return list(await session.scalars(_OVERDUE, {"at": at, "most": limit}))


async def close_waits(session: WriteSession, run_id: UUID, *, at: datetime) -> None:
    """End all waits of a run without resuming it."""
    await session.execute(
        update(RunWait).where(RunWait.run_id == run_id, RunWait.resolved_at.is_(None)).values(resolved_at=at)
    )


async def put_link(session: WriteSession, *, run_id: UUID, step_id: UUID, values: dict[str, Any]) -> None:
    """Add a link, or replace the one with the same kind and title."""
    row = {"id": new_id(), "run_id": run_id, "step_id": step_id, **values}
    statement = insert(RunLink).values(row)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["run_id", "kind", "title"], set_={"href": values["href"], "meta": values["meta"]}
        )
    )


async def list_log_chunks(session: ReadSession, step_id: UUID, *, first_line: int, last_line: int) -> list[RunLogChunk]:
    """Return the chunks that hold any of the lines from `first_line` to `last_line`, in order."""
    query = (
        select(RunLogChunk)
        .where(RunLogChunk.step_id == step_id)
        .where(RunLogChunk.last_line >= first_line, RunLogChunk.first_line <= last_line)
        .order_by(RunLogChunk.first_line)
    )
    return list(await session.scalars(query))


async def notify(session: WriteSession, run_id: UUID) -> None:
    """Wake those who follow the run, once this transaction is committed."""
    await session.execute(text("SELECT pg_notify(:channel, :run)"), {"channel": CHANNEL, "run": str(run_id)})
