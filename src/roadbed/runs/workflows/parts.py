"""The parts of the running server that belong to runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from roadbed.core.background import repeat
from roadbed.core.db import Database, WriteSession
from roadbed.core.lifecycle import Stopping
from roadbed.core.services import Services
from roadbed.core.workflows import Workflows
from roadbed.runs.service import resume_overdue
from roadbed.runs.service.control import SEGMENT_WORKFLOW, rescue_runs
from roadbed.runs.service.feed import RunFeed
from roadbed.runs.workflows.interpreter import Interpreter

OVERDUE_POLL_SECONDS = 1.0
RESCUE_POLL_SECONDS = 10.0


@asynccontextmanager
async def open_interpreter(services: Services) -> AsyncIterator[None]:
    """Register the workflow that moves runs."""
    services.get(Workflows).register(SEGMENT_WORKFLOW, Interpreter(services).move)
    yield


@asynccontextmanager
async def open_feed(services: Services) -> AsyncIterator[None]:
    """Follow notifications for live streams, and resume steps whose wait is over its time."""
    database = services.get(Database)
    feed = RunFeed(database)
    services.put(RunFeed, feed)
    services.get(Stopping).add(feed.close)
    tasks = [
        asyncio.create_task(feed.listen(), name="runs: feed"),
        asyncio.create_task(_repeat(resume_overdue, database, OVERDUE_POLL_SECONDS), name="runs: overdue waits"),
        asyncio.create_task(_repeat(rescue_runs, database, RESCUE_POLL_SECONDS), name="runs: broken segments"),
    ]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


async def _repeat(work: Callable[[WriteSession], Awaitable[int]], database: Database, seconds: float) -> None:
    async def look() -> None:
        async with database.write() as session:
            await work(session)

    await repeat(look, "runs.watch_failed", seconds=seconds, watch=work.__name__)


async def purge_workflows(services: Services) -> None:
    """Forget finished workflows; runs stay."""
    await services.get(Workflows).purge()
