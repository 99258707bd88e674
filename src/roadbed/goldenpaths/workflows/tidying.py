"""Removing workspaces: at the end of their run, and at start-up those that nobody will ask for again."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from roadbed.core.db import Database, WriteSession
from roadbed.core.events import Envelope
from roadbed.core.services import Services
from roadbed.goldenpaths.service.workspace import workspaces_folder
from roadbed.goldenpaths.types import RUN_KIND
from roadbed.kit.clock import now
from roadbed.runs.contract import RunFinished, RunState, find_run

KEPT_AFTER_FAILURE = timedelta(days=7)


async def remove_workspace(session: WriteSession, envelope: Envelope[RunFinished]) -> None:
    """Consume `runs.run_finished`. A failed run keeps its workspace for a while, as it may be retried."""
    event = envelope.event
    if event.kind == RUN_KIND and event.state != RunState.FAILED:
        folder = workspaces_folder(session.services) / event.run_id
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def remove_left_behind(services: Services) -> None:
    """Remove what a crash left, and the workspaces of runs that failed long ago."""
    for folder in await asyncio.to_thread(list, workspaces_folder(services).iterdir()):
        if await _is_over(services, folder):
            await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


async def _is_over(services: Services, folder: Path) -> bool:
    if folder.name.startswith("."):
        return True
    async with services.get(Database).read() as session:
        run = await find_run(session, UUID(folder.name))
    return run is None or (run.finished_at is not None and run.finished_at < now() - KEPT_AFTER_FAILURE)
