"""Starting runs and steering them: resume, cancel, retry. Each in one transaction with what caused it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.errors import RoadbedError
from roadbed.core.extension import Registry
from roadbed.core.workflows import QUEUE, Workflows
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.runs import repository
from roadbed.runs.errors import RunCancelled, RunFinishedAlready, RunNotFailed, RunNotFound, StepFailed, UnknownStepKind
from roadbed.runs.models import Run, RunStep, RunWait
from roadbed.runs.rules import error_record, freeze_actor
from roadbed.runs.service.reading import summarise
from roadbed.runs.types import STEPS, RunState, RunSummary, StepPlan, StepState
from roadbed.secrets.contract import SecretMask

log = structlog.get_logger(__name__)

SEGMENT_WORKFLOW = "runs.segment"
_RESCUED_AT_ONCE = 1000


@dataclass(frozen=True)
class RunPlan:
    """What a run will do.

    Args:
        kind: what sort of run: `goldenpaths.create`, `delivery.pipeline`.
        title: for people: "Create orders".
        steps: in order.
        subject: what it is about: an entity ref, or `noun:id`.
        inputs: JSON that all steps can read; secrets only as references.
        key: with `kind`, names the run: starting it again returns the first one. Empty: a run of its own each time.
        parent_run_id: the run that started this one.
    """

    kind: str
    title: str
    steps: Sequence[StepPlan]
    subject: str | None = None
    inputs: dict[str, Any] = field(default_factory=dict)
    key: str = ""
    parent_run_id: UUID | None = None


async def start_run(session: WriteSession, actor: Actor, plan: RunPlan) -> RunSummary:
    """Write the run with its frozen plan, and have it begin when this transaction is committed.

    The run that has the plan's key already is returned as it is; its parent is set if it has none yet.

    Raises:
        UnknownStepKind: a step's kind is not registered.
        RunCancelled: the parent was cancelled.
    """
    if plan.key:
        await lock_transaction(session, f"run:{plan.kind}:{plan.key}")
        existing = await repository.find_run_by_key(session, kind=plan.kind, key=plan.key)
        if existing is not None:
            await repository.lock_run(session, existing.id)  # before its parent, as whoever cancels both does
            if existing.parent_run_id is None:  # an event began it before the run that it is a part of asked for it
                existing.parent_run_id = plan.parent_run_id
            if plan.parent_run_id is not None and existing.parent_run_id == plan.parent_run_id:
                existing.parent_step_id = await _find_step_of(session, plan)
            return summarise(existing)
    versions = _check_kinds(session, plan)
    run = _new_run(actor, plan)
    run.title = session.services.get(SecretMask).mask(plan.title)
    run.parent_step_id = await _find_step_of(session, plan)
    session.add(run)
    await session.flush()
    session.add_all(_new_step(run, step, position, versions) for position, step in enumerate(plan.steps))
    await session.flush()
    await record(
        session,
        actor,
        action="runs.run_started",
        subject=f"run:{run.id}",
        after=plan.inputs,
        kind=plan.kind,
        title=run.title,
    )
    await enqueue_segment(session, run)
    return summarise(run)


async def _find_step_of(session: WriteSession, plan: RunPlan) -> UUID | None:
    """Return the step of the parent that asks for a run, and keep the parent from being cancelled meanwhile."""
    if plan.parent_run_id is None:
        return None
    parent = await _lock(session, plan.parent_run_id)
    if parent.cancel_requested_at is not None:
        raise RunCancelled(
            f"{plan.title} is not started, because {parent.title} was cancelled.", hint="Start that one again."
        )
    step = await repository.find_newest_begun(session, parent.id)
    return step.id if step else None


def _check_kinds(session: WriteSession, plan: RunPlan) -> dict[str, int]:
    """Return the version of each step kind, by name."""
    versions = {kind.name: kind.version for kind in session.services.get(Registry).get(STEPS)}
    for step in plan.steps:
        if step.kind not in versions:
            raise UnknownStepKind(
                f"The plan of {plan.title!r} has a step of the unknown kind {step.kind!r}.",
                hint=f"Known kinds: {', '.join(sorted(versions))}.",
            )
    return versions


def _new_run(actor: Actor, plan: RunPlan) -> Run:
    run_id = new_id()
    return Run(
        id=run_id,
        kind=plan.kind,
        key=plan.key or str(run_id),
        title=plan.title,
        subject=plan.subject,
        state=RunState.PENDING,
        segment=0,
        actor=freeze_actor(actor),
        initiator=actor.label,
        parent_run_id=plan.parent_run_id,
        inputs=plan.inputs,
        output={},
        is_undo_wanted=False,
        log_bytes=0,
        created_at=now(),
    )


def _new_step(run: Run, step: StepPlan, position: int, versions: dict[str, int]) -> RunStep:
    return RunStep(
        id=new_id(),
        run_id=run.id,
        position=position,
        key=step.key,
        title=step.title,
        kind=step.kind,
        version=versions[step.kind],
        inputs=step.inputs,
        state=StepState.PENDING,
        attempt=0,
        output={},
        line_count=0,
    )


async def enqueue_segment(session: WriteSession, run: Run, *, queue: str = QUEUE) -> None:
    """Have the run moved on by a new segment after this transaction; an older segment stops at its next step."""
    run.segment += 1
    await session.services.get(Workflows).enqueue(
        session,
        workflow=SEGMENT_WORKFLOW,
        workflow_id=_workflow_id(run),
        arguments={"run_id": str(run.id), "segment": run.segment},
        queue=queue,
    )
    await repository.notify(session, run.id)


def _workflow_id(run: Run) -> str:
    return f"run-{run.id}-{run.segment}"


async def rescue_runs(session: WriteSession) -> int:
    """Move on the runs whose segment ended with an error of the engine, which nobody else would. Returns how many."""
    moving = {_workflow_id(run): run.id for run in await repository.list_moving(session, limit=_RESCUED_AT_ONCE)}
    count = 0
    for workflow_id in await session.services.get(Workflows).list_broken(list(moving)):
        run = await repository.lock_run(session, moving[workflow_id])
        if run is not None and _workflow_id(run) == workflow_id:
            log.error("runs.rescued", run_id=str(run.id), workflow=workflow_id, hint="the log above has its error")
            await enqueue_segment(session, run)
            count += 1
    return count


async def lock_wait(session: WriteSession, *, kind: str, key: str) -> None:
    """Serialise beginning and ending of one wait, so that neither misses the other."""
    await lock_transaction(session, f"wait:{kind}:{key}")


async def resume_waits(session: WriteSession, *, kind: str, key: str, result: dict[str, Any]) -> int:
    """Resume every step that waits for this; its step kind is executed again and sees `result`. Returns how many."""
    await lock_wait(session, kind=kind, key=key)
    waits = await repository.list_open_waits(session, kind=kind, key=key)
    return sum([await _resume(session, wait, result) for wait in waits])


async def list_waited_keys(session: ReadSession, *, kind: str) -> set[str]:
    """Return the keys that steps wait for, so that a change of many things is compared with few."""
    return await repository.list_open_keys(session, kind=kind)


async def resume_overdue(session: WriteSession) -> int:
    """Resume steps whose wait is over its time, with `{"expired": true}`. Returns how many."""
    waits = await repository.list_overdue_waits(session, at=now(), limit=100)
    return sum([await _resume(session, wait, {"expired": True}) for wait in waits])


async def _resume(session: WriteSession, found: RunWait, result: dict[str, Any]) -> bool:
    """End a wait, and move on the run that waited. False: it ended in the meantime."""
    run = await repository.lock_run(session, found.run_id)
    wait = await repository.lock_open_wait(session, found.id)
    if wait is None:
        return False
    wait.resolved_at = now()
    if run is not None and run.state in (RunState.WAITING, RunState.UNDOING):
        await _resume_step(session, run, wait.step_id, result)
    return True


async def _resume_step(session: WriteSession, run: Run, step_id: UUID, result: dict[str, Any]) -> None:
    step = await repository.get_step(session, step_id)
    step.state = StepState.PENDING
    step.resumed = result
    run.state = RunState.PENDING
    await enqueue_segment(session, run)


async def cancel_run(
    session: WriteSession,
    actor: Actor,
    run_id: UUID,
    *,
    is_undo_wanted: bool = False,
    because: RoadbedError | None = None,
) -> RunSummary:
    """Ask the run and its children to stop, and to undo what they made if wanted.

    A running step is interrupted; a waiting run moves on at once to undo or to its end. A finished run can still be
    undone, as long as it is no part of another one that succeeded.

    Args:
        session: what is asked happens when its transaction is committed.
        actor: who asks.
        run_id: which run.
        is_undo_wanted: once wanted, it stays so.
        because: why, where it was nobody's wish: the run shows it.

    Raises:
        RunNotFound, RunFinishedAlready.
    """
    family = await repository.lock_family(session, run_id)
    run = next((one for one in family if one.id == run_id), None)
    if run is None:
        raise _not_found(run_id)
    if is_undo_wanted and run.is_undo_wanted and run.state == RunState.FAILED:
        return await retry_run(session, actor, run.id)
    if RunState(run.state).is_finished and not (is_undo_wanted and await can_be_undone(session, run)):
        raise RunFinishedAlready(
            f"{run.title} is finished already: {run.state}.",
            hint="Nothing is left to cancel. What it made is listed there.",
        )
    await _stop(session, actor, run, is_undo_wanted=is_undo_wanted, because=because)
    for child in await repository.list_children(session, run.id):
        if not RunState(child.state).is_finished:
            await cancel_run(session, actor, child.id, is_undo_wanted=is_undo_wanted, because=because)
    return summarise(run)


async def _stop(
    session: WriteSession, actor: Actor, run: Run, *, is_undo_wanted: bool, because: RoadbedError | None = None
) -> None:
    """Note what is wanted of a run, and move it on unless one of its steps does already."""
    if run.state == RunState.UNDOING:
        return
    is_moving = run.state == RunState.RUNNING
    run.cancel_requested_at = now()
    run.is_undo_wanted = run.is_undo_wanted or is_undo_wanted
    run.error = error_record(because) if because else None
    run.finished_at = None
    for step in await repository.list_steps(session, run.id):
        step.resumed = None  # what ended a wait says nothing to those who undo
    if not is_moving:
        await repository.close_waits(session, run.id, at=now())
        run.state = RunState.PENDING
        await enqueue_segment(session, run)
    await repository.notify(session, run.id)
    await record(
        session,
        actor,
        action="runs.run_cancelled",
        subject=f"run:{run.id}",
        title=run.title,
        is_undo_wanted=run.is_undo_wanted,
        reason=because.message if because else "",
    )


async def can_be_undone(session: ReadSession, run: Run) -> bool:
    """Tell whether a finished run made something that can be taken back on its own."""
    if run.is_undo_wanted or (run.state == RunState.SUCCEEDED and run.parent_run_id is not None):
        return False
    return await find_next_undo(session, await repository.list_steps(session, run.id)) is not None


async def find_next_undo(session: ReadSession, steps: Sequence[RunStep]) -> RunStep | None:
    """Return the step that is undone next: the last that began and made something, itself or by runs it started.

    A step of a kind that this Roadbed does not have is among them, so that it is not passed over in silence.
    """
    kinds = {kind.name: kind for kind in session.services.get(Registry).get(STEPS)}
    for step in reversed(steps):
        if step.attempt == 0 or step.state == StepState.UNDONE:
            continue
        kind = kinds.get(step.kind)
        if step.state != StepState.SKIPPED and (kind is None or kind.undo is not None):
            return step
        if await repository.list_children_of_step(session, step.id):
            return step
    return None


async def undo_children(
    session: WriteSession, actor: Actor, step_id: UUID, *, resumed: dict[str, Any] | None
) -> RunSummary | None:
    """Have the runs that a step started undone, the newest first.

    Returns the one to wait for, None when all are undone. `resumed` is how the wait for the one before ended.

    Raises:
        StepFailed: that one could not be undone.
    """
    for child in reversed(await repository.list_children_of_step(session, step_id)):
        run = await _lock(session, child.id)
        if not RunState(run.state).is_finished:
            if not run.is_undo_wanted:
                await cancel_run(session, actor, run.id, is_undo_wanted=True)
            return summarise(run)
        if run.is_undo_wanted and run.state == RunState.CANCELLED:
            continue
        if run.is_undo_wanted and resumed is not None and resumed.get("run_id") == str(run.id):
            raise StepFailed(
                f"{run.title} could not be undone. {(run.error or {}).get('message', '')}".strip(),
                hint="Mend what it says, then retry this run: it goes on undoing there.",
            )
        if await find_next_undo(session, await repository.list_steps(session, run.id)) is None:
            continue
        if run.is_undo_wanted:
            await retry_run(session, actor, run.id)
        else:
            await _stop(session, actor, run, is_undo_wanted=True)
        return summarise(run)
    return None


async def retry_run(session: WriteSession, actor: Actor, run_id: UUID) -> RunSummary:
    """Take a failed run up again at the step that failed; what is done, or undone, stays so.

    Raises:
        RunNotFound, RunNotFailed.
    """
    run = await _lock(session, run_id)
    if run.state != RunState.FAILED:
        raise RunNotFailed(
            f"{run.title} is {run.state}, so there is nothing to retry.", hint="Only failed runs are retried."
        )
    for step in await repository.list_steps(session, run.id):
        if step.state == StepState.FAILED:
            step.state = StepState.PENDING
            step.resumed = None
            step.error = None
    run.state = RunState.PENDING
    run.error = None
    run.finished_at = None
    await enqueue_segment(session, run)
    await record(session, actor, action="runs.run_retried", subject=f"run:{run.id}", title=run.title)
    return summarise(run)


async def resume_parent(session: WriteSession, run: Run) -> None:
    """Tell the step of another run that waits for this one that it has ended."""
    await resume_waits(session, kind="run", key=str(run.id), result={"state": run.state, "run_id": str(run.id)})


async def _lock(session: WriteSession, run_id: UUID) -> Run:
    run = await repository.lock_run(session, run_id)
    if run is None:
        raise _not_found(run_id)
    return run


def _not_found(run_id: UUID) -> RunNotFound:
    return RunNotFound(f"There is no run {run_id}.", hint="`roadbed runs list` shows the newest ones.")
