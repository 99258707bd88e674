"""The git host's start, and its nightly care."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.replica import Replica
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.scm.errors import GitFailed
from roadbed.scm.repository import repositories as table
from roadbed.scm.service.git import Git
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.refs import check_all, reconcile

log = structlog.get_logger(__name__)

GC_SECONDS = 1_800
LOOSE_OBJECTS = 500


@asynccontextmanager
async def open_host(services: Services) -> AsyncIterator[None]:
    """Open the folder of repositories, and publish what a crash left unpublished.

    Interrupted changes are made up for before anybody is let in; all other repositories are compared in the
    background, for after a restore git may know commits that the database has not heard of.
    """
    settings = services.get(Settings)
    folder = services.get(Home).folder("repositories")
    replica = services.get(Replica)
    elsewhere = None if replica.is_host else replica.elsewhere
    host = BuiltinHost(folder, base_url=settings.base_url, settings=settings.scm, elsewhere=elsewhere)
    services.put(BuiltinHost, host)
    services.put(ScmHosts, ScmHosts(host))
    if elsewhere is not None:
        yield
        return
    await asyncio.to_thread(host.discard_unfinished)
    await reconcile(services)
    checking = asyncio.create_task(check_all(services))
    try:
        yield
    finally:
        checking.cancel()
        await asyncio.wait([checking])


async def collect_garbage(services: Services) -> None:
    """Pack repositories that have grown untidy, one after the other, each under its lock."""
    host, database = services.get(BuiltinHost), services.get(Database)
    async with database.read() as session:
        ids = await table.list_ids(session)
    for repository_id in ids:
        git = Git(host.folder_of(repository_id))
        if not git.folder.is_dir() or _count_loose(git.folder) < LOOSE_OBJECTS:
            continue
        async with host.locks.hold(repository_id):
            try:
                await git.run("gc", "--quiet", timeout_seconds=GC_SECONDS)
            except GitFailed as error:
                log.warning("scm.maintenance_failed", repository_id=str(repository_id), error=error.message)


def _count_loose(folder: Path) -> int:
    """Estimate how many objects are not packed, as git does: from one of the 256 folders."""
    sample = folder / "objects" / "17"
    return 256 * sum(1 for _ in sample.iterdir()) if sample.is_dir() else 0
