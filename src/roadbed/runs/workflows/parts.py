"""The parts of the running server that belong to runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.core.workflows import Workflows
from roadbed.runs.service import resume_overdue
from roadbed.runs.service.control import SEGMENT_WORKFLOW
from roadbed.runs.service.feed import RunFeed
from roadbed.runs.workflows.interpreter import Interpreter

log = structlog.get_logger(__name__)

OVERDUE_POLL_SECONDS = 1.0


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
    tasks = [
        asyncio.create_task(feed.listen(), name="runs: feed"),
        asyncio.create_task(_watch_overdue(database), name="runs: overdue waits"),
    ]
    try:
        yield
    finally:
        feed.close()
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)


async def _watch_overdue(database: Database) -> None:
    while True:
        try:
            async with database.write() as session:
                await resume_overdue(session)
        except Exception:  # the edge of a background task: the database may be away; say so and look again
            log.exception("runs.overdue_check_failed")
        await asyncio.sleep(OVERDUE_POLL_SECONDS)


async def purge_workflows(services: Services) -> None:
    """Forget finished workflows; runs stay."""
    await services.get(Workflows).purge()
