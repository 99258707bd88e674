"""The home folder: what is where, the lock on it, and the embedded database that lives in it."""

import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from roadbed.core.db import plain_url
from roadbed.core.errors import NotFound
from roadbed.core.postgres import EmbeddedPostgres, FolderLock, FolderLocked, PostgresEvent, PostgresOptions
from roadbed.core.settings import Settings

log = structlog.get_logger(__name__)

DATABASE = "roadbed"
EXECUTOR_ID_FILE = "executor-id"


class NoInstallation(NotFound):
    code = "home.no_installation"


@dataclass(frozen=True)
class Home:
    """The open home folder of this process.

    Args:
        path: the folder; each domain keeps its files in a subfolder of its own name.
        database_url: `postgresql://…`, for core.db and the workflow engine.
        executor_id: stable for this folder, so that a restart continues its own work.
        postgres: the embedded server, or None when an outside one is used.
        is_attached: another process holds the folder and runs its servers.
    """

    path: Path
    database_url: str
    executor_id: str
    postgres: EmbeddedPostgres | None
    is_attached: bool = False

    def folder(self, name: str) -> Path:
        """Return the subfolder `name`, made on first use, for this account only."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder


def _report(event: PostgresEvent) -> None:
    log.warning("postgres.event", kind=event.kind, pid=event.pid, detail=event.detail)


@asynccontextmanager
async def open_home(settings: Settings) -> AsyncIterator[Home]:
    """Take the home folder for this process and start its database.

    Raises:
        FolderLocked: another Roadbed uses the folder; the message names its process and address.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with FolderLock(settings.home).acquire(address=f"http://{settings.host}:{settings.port}"):
        executor_id = _read_executor_id(settings.home)
        if settings.database.url is not None:
            yield Home(settings.home, plain_url(settings.database.url.get_secret_value()), executor_id, None)
            return
        server = EmbeddedPostgres(
            settings.home / "postgres", options=PostgresOptions(pg_bin=settings.pg_bin), on_event=_report
        )
        began = time.monotonic()
        report = await server.start()
        for note in report.notes:
            log.info("postgres.note", note=note)
        try:
            await server.ensure_database(DATABASE)
            log.info("postgres.ready", version=report.version, seconds=round(time.monotonic() - began, 2))
            yield Home(settings.home, server.url(DATABASE), executor_id, server)
        finally:
            await server.stop()


def require_installation(settings: Settings) -> None:
    """Raise NoInstallation when nothing was ever started in the home folder, so that looking at it makes nothing."""
    if settings.database.url is None and not (settings.home / "postgres").exists():
        raise no_installation(settings)


def no_installation(settings: Settings) -> NoInstallation:
    return NoInstallation(
        f"There is no Roadbed in {settings.home}.",
        hint="Start it once with `roadbed up`, or name its home folder: --home or ROADBED_HOME.",
    )


@asynccontextmanager
async def open_home_database(settings: Settings) -> AsyncIterator[Home]:
    """Reach the home folder's database as its owner, whether the server runs or not.

    For maintenance from the command line: whoever can open the socket in the folder could do anything to it anyway.
    """
    async with AsyncExitStack() as stack:
        try:
            home = await stack.enter_async_context(open_home(settings))
        except FolderLocked:
            home = _attach(settings)
        yield home


def _attach(settings: Settings) -> Home:
    """Return the home whose database a running Roadbed serves."""
    if settings.database.url is not None:
        url = plain_url(settings.database.url.get_secret_value())
        return Home(settings.home, url, _read_executor_id(settings.home), None, is_attached=True)
    server = EmbeddedPostgres(settings.home / "postgres", options=PostgresOptions(pg_bin=settings.pg_bin))
    server.locate()
    return Home(settings.home, server.url(DATABASE), _read_executor_id(settings.home), server, is_attached=True)


def _read_executor_id(folder: Path) -> str:
    path = folder / EXECUTOR_ID_FILE
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.write_text(f"home-{secrets.token_hex(6)}\n")
        fresh.replace(path)
    return path.read_text().strip()
