"""Removing workspaces: at the end of their run, and at start-up those that nobody will ask for again."""

import asyncio
import shutil
from datetime import timedelta
from pathlib import Path

from roadbed.core.db import Database, WriteSession
from roadbed.core.events import Envelope
from roadbed.core.inventory import Item
from roadbed.core.services import Services
from roadbed.goldenpaths.service.workspace import FOLDER, workspaces_folder
from roadbed.goldenpaths.types import RUN_KIND
from roadbed.kit.clock import now
from roadbed.kit.ids import parse_id
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


async def list_inventory(services: Services) -> list[Item]:
    """List the workspaces of runs.

    Those of previews and the copies of templates go with the request that made them, or at the next start.
    """
    folders = await asyncio.to_thread(lambda: sorted(workspaces_folder(services).iterdir()))
    items = [Item("folder", FOLDER, "goldenpaths")]
    for folder in folders:
        owner = await _find_owner(services, folder.name)
        reason = "" if owner else _say_why(folder.name)
        items.append(Item("folder", f"{FOLDER}/{folder.name}", owner, reason))
    return items


async def _find_owner(services: Services, name: str) -> str | None:
    run_id = parse_id(name)
    if run_id is None:
        return None
    async with services.get(Database).read() as session:
        return f"run:{name}" if await find_run(session, run_id) else None


def _say_why(name: str) -> str:
    if _is_temporary(name) or parse_id(name) is not None:
        return "No run has it. It is removed at the next start."
    return "Its name is not the id of a run: it was made by hand."


def _is_temporary(name: str) -> bool:
    return name.startswith(".")


async def _is_over(services: Services, folder: Path) -> bool:
    run_id = parse_id(folder.name)
    if run_id is None:
        return _is_temporary(folder.name)
    async with services.get(Database).read() as session:
        run = await find_run(session, run_id)
    return run is None or (run.finished_at is not None and run.finished_at < now() - KEPT_AFTER_FAILURE)
