"""What people ask of runs: whether they may, beside the permission to control runs, and then doing it.

Steps act with the rights of who started the run. Who has them executed again, or undone, needs the permission for what
they do; each kind of step says which.
"""

from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.errors import Forbidden
from roadbed.core.extension import Registry
from roadbed.runs import repository
from roadbed.runs.models import Run
from roadbed.runs.rules import thaw_actor
from roadbed.runs.service.control import cancel_run, retry_run
from roadbed.runs.service.reading import get_run
from roadbed.runs.types import STEPS, RunState, RunSummary, StepState


async def cancel_by(session: WriteSession, actor: Actor, run_id: UUID, *, is_undo_wanted: bool) -> RunSummary:
    """Cancel a run because somebody asks for it; see `cancel_run`.

    Raises:
        RunNotFound, RunFinishedAlready.
        Forbidden: it is to be undone, and the actor may not delete what it made.
    """
    if is_undo_wanted:
        await repository.lock_family(session, run_id)  # no further step begins until the decision is made
        await _require_undo(session, actor, await get_run(session, run_id))
    return await cancel_run(session, actor, run_id, is_undo_wanted=is_undo_wanted)


async def retry_by(session: WriteSession, actor: Actor, run_id: UUID) -> RunSummary:
    """Retry a run because somebody asks for it; see `retry_run`.

    Raises:
        RunNotFound, RunNotFailed.
        Forbidden: the actor could not have started what is left to do, or may not delete what is left to undo.
    """
    await _require_retry(session, actor, await get_run(session, run_id))
    return await retry_run(session, actor, run_id)


async def may_undo(session: ReadSession, actor: Actor, run: Run) -> bool:
    """Tell whether the actor may delete what a run and those below it made."""
    try:
        await _require_undo(session, actor, run)
    except Forbidden:
        return False
    return True


async def may_retry(session: ReadSession, actor: Actor, run: Run) -> bool:
    """Tell whether the actor may have done, or undone, what is left of a run."""
    try:
        await _require_retry(session, actor, run)
    except Forbidden:
        return False
    return True


async def _require_undo(session: ReadSession, actor: Actor, run: Run) -> None:
    """Refuse who may not delete what a run made; who started it may take back what never came to its end."""
    if thaw_actor(run.actor).id == actor.id and run.state != RunState.SUCCEEDED:
        return
    guards = {kind.name: kind.guard_undo for kind in session.services.get(Registry).get(STEPS)}
    for step, run_inputs in await repository.list_family_steps(session, run.id):
        guard = guards.get(step.kind)
        if guard is not None and step.attempt > 0 and step.state not in (StepState.SKIPPED, StepState.UNDONE):
            guard(session.services, actor, run_inputs, step.inputs)


async def _require_retry(session: ReadSession, actor: Actor, run: Run) -> None:
    if run.is_undo_wanted:
        await _require_undo(session, actor, run)
        return
    guards = {kind.name: kind.guard_retry for kind in session.services.get(Registry).get(STEPS)}
    for step in await repository.list_steps(session, run.id):
        guard = guards.get(step.kind)
        if guard is not None and not StepState(step.state).is_finished:
            guard(session.services, actor, run.inputs, step.inputs)
