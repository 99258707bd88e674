"""The parts of the running server that belong to delivery, and what happens when a pipeline run ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.events import Envelope
from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.delivery.service.reports import find_pipeline_run
from roadbed.delivery.service.statuses import Word, end_pending, say_of_run
from roadbed.delivery.types import DEVELOPMENT_WAIT, PIPELINE_KIND
from roadbed.delivery.workflows.deploying import is_in_development
from roadbed.delivery.workflows.runner import Runner
from roadbed.delivery.workflows.workspaces import PipelineFolders
from roadbed.kit.clock import now
from roadbed.kit.ids import parse_id
from roadbed.runs.contract import RunFinished, RunState, RunSummary, Wait, find_run, resume_waits
from roadbed.scm.contract import StatusState

FOLDER = "delivery"


@asynccontextmanager
async def open_runner(services: Services) -> AsyncIterator[None]:
    """Provide what runs the commands of pipelines."""
    settings = services.get(Settings).delivery
    folders = PipelineFolders(
        services.get(Home).folder(FOLDER), cache_bytes=settings.cache_bytes, cache_count=settings.concurrency
    )
    services.put(Runner, Runner(services, settings, folders))
    yield


def pipeline_wait(run: RunSummary) -> Wait:
    """Return what a step answers to wait until what a pipeline run makes runs in development, or the run ended before.

    It is resumed with `{"state": "succeeded" | "failed" | "cancelled", "run_id": …}`.
    """

    async def find(session: ReadSession) -> dict[str, object] | None:
        found = await find_run(session, run.id)
        if found is not None and found.state.is_finished:
            return {"state": found.state.value, "run_id": str(run.id)}
        is_there = await is_in_development(session, run.id)
        return {"state": RunState.SUCCEEDED.value, "run_id": str(run.id)} if is_there else None

    return Wait(DEVELOPMENT_WAIT, str(run.id), f"Waits for {run.title}", find=find)


async def finish(session: WriteSession, envelope: Envelope[RunFinished]) -> None:
    """Say on the commit how the pipeline ended, and keep its cache for the next."""
    event = envelope.event
    if event.kind != PIPELINE_KIND:
        return
    run_id, state = UUID(event.run_id), RunState(event.state)
    view = await find_pipeline_run(session, run_id)
    run = await find_run(session, run_id)
    if view is None or run is None or run.state is not state:
        return  # retried since: it will end once more
    result = {"state": state.value, "run_id": event.run_id}
    await resume_waits(session, kind=DEVELOPMENT_WAIT, key=event.run_id, result=result)
    word = _last_word(run)
    await say_of_run(session, view.repository_id, commit=view.commit, word=word, run_id=run_id)
    await end_pending(session, view.repository_id, commit=view.commit, run_id=run_id, text=word.text)
    owner = view.repository.partition("/")[0]
    is_kept = state is RunState.FAILED  # it may be retried, and goes on in its workspace
    await _clear(session.services.get(Runner), run_id, cache_owner=owner, is_kept=is_kept)


def _last_word(run: RunSummary) -> Word:
    if run.state is RunState.SUCCEEDED:
        return Word(StatusState.SUCCESS, "All stages passed")
    if run.state is RunState.FAILED:
        return Word(StatusState.FAILURE, (run.error or {}).get("message") or "A stage failed")
    return Word(StatusState.ERROR, (run.error or {}).get("message") or "Cancelled")


async def _clear(runner: Runner, run_id: UUID, *, cache_owner: str | None = None, is_kept: bool = False) -> None:
    """Keep the cache of a place, if it has an owner, and delete the place, unless it is kept."""
    lock = runner.lock_of(run_id)
    if lock.locked():
        return  # retried in this moment: it is cleared when that ends
    async with lock:
        place = runner.folders.place_of(run_id)
        if cache_owner is not None:
            await asyncio.to_thread(runner.folders.return_cache, place, cache_owner)
        if not is_kept:
            await asyncio.to_thread(runner.folders.remove, place)


async def purge_workspaces(services: Services) -> None:
    """Delete workspaces of runs that failed some time ago, and those that belong to nothing."""
    runner = services.get(Runner)
    before = now() - timedelta(hours=services.get(Settings).delivery.keep_failed_hours)
    for run_id in runner.folders.list_runs():
        async with services.get(Database).read() as session:
            run = await find_run(session, run_id)
        if run is None or (run.finished_at is not None and run.finished_at < before):
            await _clear(runner, run_id)


async def list_inventory(services: Services) -> list[Item]:
    """List the workspaces of pipeline runs, the temporary folders beside them, and the caches of owners."""
    folders = services.get(Runner).folders
    names, owners = await asyncio.to_thread(lambda: (folders.list_workspaces(), folders.list_cache_owners()))
    runs = {name: await _find_owner(services, name) for name in names}
    reason = "No run has this id: it was made by hand, or for a run that is not in this database."
    return [
        Item("folder", FOLDER, "delivery"),
        *(Item("folder", f"{FOLDER}/workspaces/{it}", owner, "" if owner else reason) for it, owner in runs.items()),
        *(Item("folder", f"{FOLDER}/caches/{owner}", f"owner:{owner}") for owner in owners),
    ]


async def _find_owner(services: Services, name: str) -> str | None:
    run_id = parse_id(name.removeprefix(".").removesuffix(".tmp"))
    if run_id is None:
        return None
    async with services.get(Database).read() as session:
        return f"run:{run_id}" if await find_run(session, run_id) else None
