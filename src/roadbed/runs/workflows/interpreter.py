"""The interpreter: one durable workflow that carries any run forward until it ends or waits.

Each turn is one recorded workflow step. It marks the next step of the run as running, executes its kind outside any
transaction, and writes the outcome. A crash at any point leaves the rows as the truth: the turn is taken again, finds
the step still running, and executes its kind once more.
"""

import asyncio
import contextlib
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_tracer, set_span_in_context

from roadbed.core.db import Database, WriteSession, outlast_losses
from roadbed.core.errors import RoadbedError, TransactionLost
from roadbed.core.events import publish
from roadbed.core.extension import Registry
from roadbed.core.replica import Replica
from roadbed.core.services import Services
from roadbed.core.telemetry import Metrics
from roadbed.core.workflows import HOST_QUEUE, Workflows
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.runs import repository
from roadbed.runs.errors import RunCancelled, StepTimedOut, UnexpectedStepError, UnknownStepKind
from roadbed.runs.models import Run, RunStep, RunWait
from roadbed.runs.rules import error_record
from roadbed.runs.service.control import enqueue_segment, find_next_undo, lock_wait, resume_parent, undo_children
from roadbed.runs.service.reading import wait_for_run
from roadbed.runs.types import STEPS, Done, Outcome, RunFinished, RunState, Skip, StepKind, StepState, Undone, Wait
from roadbed.runs.workflows.context import RunningStep

log = structlog.get_logger(__name__)

CANCEL_POLL_SECONDS = 0.5
WAITS_FOR_HOST = "Waits for the host, the process with the repositories and workloads"
_SPAN_BITS = 2**64 - 1


@dataclass(frozen=True)
class Turn:
    """The step that is next, ready to execute, and whether to do or to undo it."""

    context: RunningStep
    kind: StepKind
    is_undo: bool


class Interpreter:
    """Carries runs forward on this process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._database = services.get(Database)
        self._workflows = services.get(Workflows)
        self._is_host = services.get(Replica).is_host
        self._tracer = get_tracer("roadbed.runs")
        self._kinds = {kind.name: kind for kind in services.get(Registry).get(STEPS)}
        self._moving: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def move(self, run_id: str, segment: int) -> None:
        """Take turns until the run ends or waits. This is the workflow `runs.segment`.

        It is begun at least once. Should it be begun while it runs, or a newer one while an older is about to end, the
        later one waits: no step is ever executed twice at the same time.
        """
        moving = self._moving.setdefault(run_id, asyncio.Lock())
        with structlog.contextvars.bound_contextvars(run_id=run_id):
            async with moving:
                await self._take_turns(run_id, segment)

    async def _take_turns(self, run_id: str, segment: int) -> None:
        while True:
            result = await self._workflows.step("turn", partial(self._turn, UUID(run_id), segment))
            if not result["goes_on"]:
                return

    async def _turn(self, run_id: UUID, segment: int) -> dict[str, bool]:
        turn = await outlast_losses(partial(self._begin, run_id, segment))
        if turn is None:
            return {"goes_on": False}
        result: Outcome | Undone | RoadbedError | None
        try:
            result = await self._execute(turn)
        except TransactionLost as error:
            log.warning("runs.step_begun_anew", step=turn.context.key, reason=error.message)
            return {"goes_on": True}  # as after a crash; `_begin` waits for a database that is away
        finally:
            await turn.context.close()
        return {"goes_on": await outlast_losses(partial(self._finish, turn, result))}

    async def _begin(self, run_id: UUID, segment: int) -> Turn | None:
        """Choose and mark the next step. None when the run ended here or belongs to a newer segment."""
        async with self._database.write() as session:
            run = await repository.lock_run(session, run_id)
            if run is None or run.segment != segment or RunState(run.state).is_finished:
                return None
            steps = await repository.list_steps(session, run.id)
            run.started_at = run.started_at or now()
            if run.cancel_requested_at is not None:
                step = await _choose_undo(session, run, steps)
            else:
                run.state = RunState.RUNNING
                step = next((step for step in steps if not StepState(step.state).is_finished), None)
            if step is None:
                await self._end(session, run, steps)
                return None
            kind = self._kinds.get(step.kind)
            if kind is None or kind.version < step.version:
                await self._park(session, run, step)
                return None
            if kind.needs_host and not self._is_host:
                await _hand_over(session, run, step)
                return None
            is_undo = run.state == RunState.UNDOING
            outputs = {other.key: other.output for other in steps if other.state == StepState.SUCCEEDED}
            if is_undo:
                step.state = StepState.UNDOING
            else:
                step.state = StepState.RUNNING
                step.note = None if step.note == WAITS_FOR_HOST else step.note
                step.attempt += 1
                step.started_at = step.started_at or now()
            await repository.notify(session, run.id)
            await session.flush()
            return Turn(RunningStep(run, step, outputs=outputs, services=self._services), kind, is_undo)

    async def _park(self, session: WriteSession, run: Run, step: RunStep) -> None:
        error = UnknownStepKind(
            f"The step {step.title!r} needs {step.kind} version {step.version}, which this Roadbed does not have.",
            hint="It was planned by a newer version or by a plugin that is missing. Install that, then retry the run.",
        )
        step.error = error_record(error)
        step.state = StepState.FAILED
        await self._fail(session, run, step.error)

    async def _execute(self, turn: Turn) -> Outcome | Undone | RoadbedError | None:
        """Run the step kind under its time limit. None: it was interrupted by a cancellation."""
        task = asyncio.ensure_future(self._trace(turn))
        watcher = asyncio.create_task(self._watch_cancel(turn, task))
        limit = asyncio.timeout(turn.kind.timeout_seconds)
        try:
            async with limit:
                return await task
        except TimeoutError as error:
            return _timed_out(turn) if limit.expired() else _unexpected(turn, error)
        except asyncio.CancelledError:
            if turn.context.is_cancelled():
                return None
            raise  # the process stops: the step stays running and is taken up again at the next start
        except TransactionLost:
            raise
        except RunCancelled:
            return None
        except RoadbedError as error:
            return error
        except Exception as error:  # noqa: BLE001 - a step may fail in any way; it is logged and said
            return _unexpected(turn, error)
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher

    async def _trace(self, turn: Turn) -> Outcome | Undone:
        """Do the work within a span. All spans of a run are of one trace, whose id is the run's."""
        run_id = turn.context.run_id.int
        root = NonRecordingSpan(SpanContext(run_id, run_id & _SPAN_BITS, is_remote=True, trace_flags=TraceFlags(1)))
        with self._tracer.start_as_current_span(
            f"{turn.kind.name}{' undo' if turn.is_undo else ''}",
            context=set_span_in_context(root),
            attributes={"roadbed.run": str(turn.context.run_id), "roadbed.step": turn.context.key},
        ):
            return await (self._undo(turn) if turn.is_undo else turn.kind.execute(turn.context))

    async def _undo(self, turn: Turn) -> Undone | Wait:
        """Undo the runs that the step started, then what the step made itself."""
        context = turn.context
        async with self._database.write() as session:
            child = await undo_children(session, context.actor, context.step_id, resumed=context.resumed)
        if child is not None:
            return wait_for_run(child)
        return await turn.kind.undo(context) if turn.kind.undo else Undone()

    async def _watch_cancel(self, turn: Turn, task: asyncio.Task[Any]) -> None:
        while not turn.is_undo:
            await asyncio.sleep(CANCEL_POLL_SECONDS)
            run = await outlast_losses(partial(self._look, turn.context.run_id))
            if run is not None and run.cancel_requested_at is not None:
                turn.context.cancelled.set()
                task.cancel()
                return

    async def _look(self, run_id: UUID) -> Run | None:
        async with self._database.read() as session:
            return await repository.find_run(session, run_id)

    async def _finish(self, turn: Turn, result: Outcome | Undone | RoadbedError | None) -> bool:
        """Write the outcome. Returns whether this segment goes on."""
        async with self._database.write() as session:
            if isinstance(result, Wait):
                await lock_wait(session, kind=result.kind, key=result.key)
            run = await repository.lock_run(session, turn.context.run_id)
            assert run is not None
            step = await repository.get_step(session, turn.context.step_id)
            await repository.notify(session, run.id)
            if isinstance(result, RoadbedError):
                step.error = turn.context.hide(error_record(result))
                step.state = StepState.FAILED
                step.finished_at = now()
                await self._fail(session, run, step.error)
                return False
            if isinstance(result, Wait):
                return await self._wait(session, run, step, wait=result, is_undo=turn.is_undo)
            if isinstance(result, Undone):
                await _write_undone(session, step, turn.context.hide(asdict(result)))
            else:
                _write_outcome(step, result)
            return True

    async def _wait(self, session: WriteSession, run: Run, step: RunStep, *, wait: Wait, is_undo: bool) -> bool:
        step.note = wait.note
        happened = await wait.find(session) if wait.find else None
        if happened is not None or (run.cancel_requested_at is not None and not is_undo):
            step.state = StepState.PENDING
            step.resumed = happened
            return True
        step.state = StepState.WAITING
        run.state = RunState.UNDOING if is_undo else RunState.WAITING
        session.add(
            RunWait(
                id=new_id(),
                run_id=run.id,
                step_id=step.id,
                kind=wait.kind,
                key=wait.key,
                until=wait.until,
                created_at=now(),
            )
        )
        return False

    async def _end(self, session: WriteSession, run: Run, steps: list[RunStep]) -> None:
        """Nothing is left to do: the run succeeded, or its cancellation is complete."""
        is_cancelled = run.cancel_requested_at is not None
        run.state = RunState.CANCELLED if is_cancelled else RunState.SUCCEEDED
        run.output = {step.key: step.output for step in steps if step.output and step.state != StepState.UNDONE}
        if run.is_undo_wanted:
            run.key = str(run.id)  # what was undone can be asked for again under the same key
        await self._announce(session, run)

    async def _fail(self, session: WriteSession, run: Run, error: dict[str, Any]) -> None:
        if run.cancel_requested_at is not None and run.state != RunState.UNDOING:
            await enqueue_segment(session, run)  # cancelled while it failed: the next segment ends or undoes it
            return
        run.state = RunState.FAILED
        run.error = error
        await self._announce(session, run)

    async def _announce(self, session: WriteSession, run: Run) -> None:
        run.finished_at = now()
        await session.flush()
        await repository.notify(session, run.id)
        await resume_parent(session, run)
        publish(
            session,
            RunFinished(
                run_id=str(run.id),
                kind=run.kind,
                state=run.state,
                subject=run.subject,
                parent_run_id=str(run.parent_run_id) if run.parent_run_id else None,
                title=run.title,
            ),
        )
        self._services.get(Metrics).run_outcomes.labels(run.kind, run.state).inc()


def _timed_out(turn: Turn) -> StepTimedOut:
    minutes = turn.kind.timeout_seconds / 60
    return StepTimedOut(
        f"{turn.context.title} did not end within {minutes:.0f} min.",
        hint="Its log shows how far it came. Retry it.",
    )


def _unexpected(turn: Turn, error: Exception) -> UnexpectedStepError:
    log.error("runs.step_unexpected_error", step=turn.context.key, exc_info=error)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return UnexpectedStepError(
        f"{turn.context.title} met an error that Roadbed did not expect: {said}",
        hint="The server's log has the whole of it, under this run's id. Retry the run from here.",
    )


async def _hand_over(session: WriteSession, run: Run, step: RunStep) -> None:
    """Have the host go on with the run, from this step."""
    if run.state == RunState.RUNNING:
        run.state = RunState.PENDING
    step.note = WAITS_FOR_HOST
    await enqueue_segment(session, run, queue=HOST_QUEUE)


def _write_outcome(step: RunStep, result: Done | Skip | None) -> None:
    step.finished_at = now()
    if result is None:
        step.state = StepState.CANCELLED
        return
    if isinstance(result, Skip):
        step.state = StepState.SKIPPED
        step.note = result.reason
        return
    step.state = StepState.SUCCEEDED
    step.output = result.output
    step.note = result.note if result.note is not None else step.note
    step.error = None
    step.progress_done = step.progress_total


async def _write_undone(session: WriteSession, step: RunStep, words: dict[str, Any]) -> None:
    step.state = StepState.UNDONE
    step.undone = {"taken": list(words["taken"]), "kept": list(words["kept"])}
    step.note = "; ".join([*words["taken"], *(f"kept: {kept}" for kept in words["kept"])]) or None
    if not words["kept"]:
        await repository.remove_links(session, step.id)


async def _choose_undo(session: WriteSession, run: Run, steps: list[RunStep]) -> RunStep | None:
    """Mark what will not happen any more, and return the next step to undo, if undoing is wanted."""
    for step in steps:
        if step.state in (StepState.PENDING, StepState.RUNNING, StepState.WAITING):
            step.state = StepState.CANCELLED
            step.finished_at = step.finished_at or now()
    if not run.is_undo_wanted:
        return None
    run.state = RunState.UNDOING
    return await find_next_undo(session, steps)
