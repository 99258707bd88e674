"""Runs as other domains see them."""

from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.runs import repository
from roadbed.runs.errors import RunNotFound, StepNotFound
from roadbed.runs.models import Run, RunStep
from roadbed.runs.types import OpenRun, RunState, RunSummary, Wait


def summarise(run: Run) -> RunSummary:
    return RunSummary(
        id=run.id,
        kind=run.kind,
        title=run.title,
        subject=run.subject,
        state=RunState(run.state),
        initiator=run.initiator,
        created_at=run.created_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        output=run.output,
        error=run.error,
        parent_run_id=run.parent_run_id,
    )


async def find_run(session: ReadSession, run_id: UUID) -> RunSummary | None:
    run = await repository.find_run(session, run_id)
    return summarise(run) if run else None


def wait_for_run(run: RunSummary) -> Wait:
    """Return what a step answers to wait for another run.

    It is resumed with `{"state": "succeeded" | "failed" | "cancelled", "run_id": …}`.
    """

    async def find(session: ReadSession) -> dict[str, object] | None:
        found = await find_run(session, run.id)
        is_over = found is not None and found.state.is_finished
        return {"state": found.state.value, "run_id": str(run.id)} if found and is_over else None

    return Wait("run", str(run.id), f"Waits for {run.title}", find=find)


async def get_run(session: ReadSession, run_id: UUID) -> Run:
    """Return the run's row, for this domain's own surfaces.

    Raises:
        RunNotFound: there is none of that id.
    """
    run = await repository.find_run(session, run_id)
    if run is None:
        raise RunNotFound(f"There is no run {run_id}.", hint="`roadbed runs list` shows the newest ones.")
    return run


async def get_step(session: ReadSession, run_id: UUID, key: str) -> RunStep:
    """Return a step by its key.

    Raises:
        RunNotFound, StepNotFound.
    """
    await get_run(session, run_id)
    steps = await repository.list_steps(session, run_id)
    found = next((step for step in steps if step.key == key), None)
    if found is None:
        names = ", ".join(step.key for step in steps)
        raise StepNotFound(f"The run {run_id} has no step {key!r}.", hint=f"Its steps: {names}.")
    return found


async def list_children(session: ReadSession, run_id: UUID) -> list[RunSummary]:
    """List the runs that a run started, oldest first."""
    return [summarise(run) for run in await repository.list_children(session, run_id)]


async def list_unfinished_runs(session: ReadSession, *, kind: str) -> list[RunSummary]:
    """List the runs of a kind that have not ended, oldest first."""
    return [summarise(run) for run in await repository.list_unfinished(session, kind=kind)]


async def list_open_runs(session: ReadSession, *, first_of: str, limit: int) -> list[OpenRun]:
    """List what runs or waits now, without the children of runs that do; those of the initiator `first_of` first."""
    runs = await repository.list_open(session, first_of=first_of, limit=limit)
    progress = await repository.count_progress(session, [run.id for run in runs]) if runs else {}
    return [OpenRun(summarise(run), *progress.get(run.id, (0, 0, ""))) for run in runs]
