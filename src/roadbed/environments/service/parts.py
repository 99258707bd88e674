"""The parts of the running server that keep workloads alive."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.loopback import Loopback
from roadbed.core.sandbox import ProcessIdentity, Sandbox
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.environments.repository import instances as rows
from roadbed.environments.service.journal import DatabaseJournal
from roadbed.environments.service.routes import Routes, refresh_routes
from roadbed.environments.service.runtime.process import ProcessRuntime
from roadbed.environments.service.tidying import tidy
from roadbed.environments.service.watch import HealthWatch

log = structlog.get_logger(__name__)

FOLDER = "environments"


@asynccontextmanager
async def open_runtime(services: Services) -> AsyncIterator[None]:
    """Take charge of the processes that an earlier server left, and end what else it left, pipelines included.

    To be opened before workflows are launched. At a regular end all workloads are ended; they stay wanted.
    """
    loopback = Loopback()
    services.put(Loopback, loopback)
    services.put(Routes, Routes())
    runtime = ProcessRuntime(
        services.get(Sandbox),
        DatabaseJournal(services),
        folder=services.get(Home).folder(FOLDER),
        quota_bytes=services.get(Settings).environments.log_bytes,
    )
    services.put(ProcessRuntime, runtime)
    try:
        await _adopt(services, runtime)
        await refresh_routes(services)
        await tidy(services)
        yield
    finally:
        await runtime.close()
        await loopback.close()


async def _adopt(services: Services, runtime: ProcessRuntime) -> None:
    async with services.get(Database).read() as session:
        left = await rows.list_placed(session)
    wanted = {
        placed.instance.id: ProcessIdentity.from_data(placed.instance.identity)
        for placed in left
        if placed.instance.is_wanted and placed.instance.identity is not None
    }
    await runtime.adopt(wanted)
    for placed in left:
        if not placed.instance.is_wanted:
            await runtime.journal.note_stopped(placed.instance.id)  # the adoption ended what was left of it


@asynccontextmanager
async def open_watch(services: Services) -> AsyncIterator[None]:
    """Start what shall run and does not, and watch the health of all. To be opened once everything else is up."""
    watching = asyncio.create_task(HealthWatch(services).run(), name="environments: health watch")
    watching.add_done_callback(_report_end)
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})


def _report_end(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        log.error("environments.watch_failed", exc_info=task.exception())
