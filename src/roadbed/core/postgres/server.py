"""One embedded PostgreSQL server: initialised, started or adopted, watched, stopped.

The postmaster is a direct child in the foreground and in a session of its own, so that Ctrl-C in a terminal reaches
Roadbed alone. When Roadbed is killed the server lives on; the next start takes it over. When the server is killed,
the watching task starts it again and reports what happened.
"""

import asyncio
import contextlib
import hashlib
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import asyncpg

from roadbed.core.postgres import config
from roadbed.core.postgres.binaries import Programs, find_programs
from roadbed.core.postgres.cluster import child_options, clear_leftovers, initialise
from roadbed.core.postgres.config import DEFAULT_PORT, HOST, SUPERUSER, Tuning
from roadbed.core.postgres.errors import PostgresUnavailable, WrongMajorVersion
from roadbed.core.postgres.lock import FolderLock
from roadbed.core.postgres.place import POSTGRES_UID, SHARED_ROOT, Place, choose_place, programs_for
from roadbed.core.postgres.processes import (
    PostmasterFile,
    Watched,
    drop_misleading_files,
    end_remnants,
    find_postmaster,
    read_arguments,
    wait_for_workers,
)

T = TypeVar("T")

# The last is what asyncpg raises when a server closes the connection in the middle of its greeting.
_NOT_YET = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_AWAY = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_POLL_SECONDS = 0.01
_SHORT_LIFE_SECONDS = 5.0
_LONGEST_PAUSE_SECONDS = 10.0
_QUIT_SECONDS = 5.0
_LAST_WORDS_SECONDS = 5.0


class EventKind(StrEnum):
    """What happened to a server between its start and its stop."""

    ENDED = "ended"
    RESTARTED = "restarted"
    RESTART_FAILED = "restart_failed"


@dataclass(frozen=True)
class PostgresEvent:
    kind: EventKind
    pid: int | None
    detail: str


@dataclass(frozen=True)
class StartReport:
    """How a start went."""

    pid: int
    version: str
    is_new: bool
    """The data folder was empty and has been initialised."""
    is_adopted: bool
    """The server was already running."""
    seconds: float
    notes: tuple[str, ...]
    """For the log: where things are when they are not where they were asked for."""


@dataclass(frozen=True)
class PostgresOptions:
    """What the caller may choose.

    Args:
        pg_bin: PostgreSQL's programs, used where the wheel's are missing or of another version than the data.
        tuning: TCP port and sizes.
        uid: user and group id of the server when Roadbed is root.
        shared_root: where data and programs go that this id could not reach otherwise.
        start_timeout_seconds: recovery after a crash may take its time.
        stop_timeout_seconds: after this a stop stops being gentle.
    """

    pg_bin: Path | None = None
    tuning: Tuning = field(default_factory=Tuning)
    uid: int = POSTGRES_UID
    shared_root: Path = SHARED_ROOT
    start_timeout_seconds: float = 300
    stop_timeout_seconds: float = 30


class EmbeddedPostgres:
    """A PostgreSQL server that belongs to this process.

    Args:
        folder: a folder of its own for this server; made when missing.
        options: see `PostgresOptions`.
        on_event: called from the event loop when the server ended by itself and when it is back.
    """

    def __init__(
        self,
        folder: Path,
        *,
        options: PostgresOptions | None = None,
        on_event: Callable[[PostgresEvent], None] | None = None,
    ) -> None:
        self.folder = folder
        self.options = options or PostgresOptions()
        self._on_event = on_event or (lambda _: None)
        self._place: Place | None = None
        self._programs: Programs | None = None
        self._lock: FolderLock | None = None
        self._process: Watched | None = None
        self._watcher: asyncio.Task[None] | None = None

    @property
    def place(self) -> Place:
        """Where the server keeps its files. Known once `start` was called."""
        return self._known(self._place)

    @property
    def programs(self) -> Programs:
        """The programs in use, for dumps too. Known once `start` was called."""
        return self._known(self._programs)

    @property
    def port(self) -> int:
        """The TCP port, and in any case the number in the socket's name."""
        return self.options.tuning.tcp_port or DEFAULT_PORT

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, or None while it is not running."""
        return None if self._process is None or self._process.has_ended() else self._process.pid

    def url(self, database: str) -> str:
        """Return the superuser's address of `database`, over the socket. It holds no password."""
        host = quote(str(self.place.socket_dir), safe="")
        return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={self.port}"

    def locate(self) -> Place:
        """Find this server's folders without starting it, to reach one that another process of ours runs."""
        self._place = choose_place(
            self.folder, port=self.port, uid=self.options.uid, shared_root=self.options.shared_root
        )
        self._programs = self._choose_programs(self._place, self._place.read_major())
        return self._place

    async def start(self) -> StartReport:
        """Initialise if needed, start or adopt the server, and return once it answers queries.

        Raises:
            FolderLocked: another living process runs this server.
            ProgramsNotFound, WrongMajorVersion, PostgresUnavailable: with the end of the server's log.
        """
        began_at = time.monotonic()
        place = choose_place(self.folder, port=self.port, uid=self.options.uid, shared_root=self.options.shared_root)
        self._lock = FolderLock(place.folder).acquire()
        try:
            major = place.read_major()
            self._place = place
            self._programs = self._choose_programs(place, major)
            await clear_leftovers(place)
            if major is None:
                await initialise(place, self._programs)
            place.remember()
            is_adopted = await self._launch()
        except BaseException:
            await self._end_process()
            self._lock.release()
            raise
        self._watcher = asyncio.create_task(self._watch(), name=f"postgres {place.folder}")
        process = self._known(self._process)
        seconds = time.monotonic() - began_at
        return StartReport(process.pid, self._programs.version, major is None, is_adopted, seconds, place.notes)

    async def stop(self) -> None:
        """Stop the server: fast, then hard. Everything committed stays. Nothing happens when it is not running."""
        if self._watcher is not None:
            self._watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._watcher
            self._watcher = None
        await self._end_process()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @asynccontextmanager
    async def connect(self, database: str = "postgres") -> AsyncIterator["asyncpg.Connection"]:
        """Give a superuser's connection over the socket, outside any pool; a server being restarted is waited for.

        Raises:
            PostgresUnavailable: it was not there in time.
        """
        try:
            async with asyncio.timeout(self.options.start_timeout_seconds):
                connection = await self._reach(database)
        except TimeoutError:
            raise self._failure("cannot be reached") from None
        try:
            yield connection
        finally:
            await connection.close(timeout=5)

    async def ensure_database(self, database: str) -> bool:
        """Create `database` unless it exists; return whether it was created."""
        async with self.connect() as connection:
            if await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", database):
                return False
            quoted = database.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{quoted}"')
            return True

    def _choose_programs(self, place: Place, major: int | None) -> Programs:
        found = find_programs(pg_bin=self.options.pg_bin, major=major)
        if major is not None and major != found.major:
            raise _wrong_major(place, found, major)
        return programs_for(place, found, shared_root=self.options.shared_root)

    async def _launch(self) -> bool:
        """Bring the server up and return whether it was there already."""
        fingerprint = self._write_config()
        self._process = await self._adopt(fingerprint)
        # the one found may be on its way out, stopped by a Roadbed that was killed right afterwards
        if self._process is not None and await self._becomes_ready(self._process):
            return True
        await end_remnants(self.place.data_dir)
        drop_misleading_files(self.place.data_dir, self.place.socket_dir, self.port)
        self._process = self._spawn(fingerprint)
        if not await self._becomes_ready(self._process):
            await wait_for_workers(self.place.data_dir, patience_seconds=_LAST_WORDS_SECONDS)
            raise self._failure("ended while starting")
        return False

    def _write_config(self) -> str:
        config.write_config(self.place, self.programs, self.options.tuning)
        local = self.place.folder / config.LOCAL_CONFIG
        paths = [config.config_path(self.place), config.hba_path(self.place), *([local] if local.exists() else [])]
        return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()[:16]

    async def _adopt(self, fingerprint: str) -> Watched | None:
        """Return the living server if it is the one we would start, else end it."""
        found = find_postmaster(self.place.data_dir)
        if found is None:
            return None
        try:
            process = Watched(found.pid)
        except ProcessLookupError:
            return None
        is_ours = f"roadbed.config={fingerprint}" in read_arguments(found.pid)
        if is_ours and not found.status.startswith("stopping"):
            return process
        await process.end((signal.SIGINT, self.options.stop_timeout_seconds), (signal.SIGQUIT, _QUIT_SECONDS))
        return None

    def _spawn(self, fingerprint: str) -> Watched:
        command = [
            self.programs.path("postgres"),
            *("-D", str(self.place.data_dir)),
            *("-c", f"config_file={config.config_path(self.place)}"),
            *("-c", f"roadbed.config={fingerprint}"),
        ]
        with self._first_output().open("wb") as output:
            try:
                child = subprocess.Popen(
                    command,
                    stdout=output,
                    stderr=output,
                    cwd=self.place.data_dir,
                    **child_options(self.place.account),
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise PostgresUnavailable(
                    f"PostgreSQL could not be started as user id {self.place.account.uid}: {error}.",
                    hint="Run Roadbed as an ordinary user, or set ROADBED_DATABASE__URL to an outside PostgreSQL.",
                ) from error
        return Watched(child.pid, child=child)

    def _first_output(self) -> Path:
        return self.place.folder / "start.log"

    async def _becomes_ready(self, process: Watched) -> bool:
        """Wait until `process` answers; return False when it ends first."""
        try:
            async with asyncio.timeout(self.options.start_timeout_seconds):
                while not await self._answers(process):
                    if process.has_ended():
                        return False
                    await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            raise self._failure(f"did not answer within {self.options.start_timeout_seconds:.0f} s") from None
        return True

    def _failure(self, what: str) -> PostgresUnavailable:
        told = self._read_log_end()
        if self.options.tuning.tcp_port and "could not bind" in told:
            return PostgresUnavailable(
                f"PostgreSQL in {self.place.folder} cannot listen on {HOST}:{self.port}: the port is in use. {told}",
                hint=f"Stop what listens on port {self.port}, or choose another port.",
            )
        return PostgresUnavailable(
            f"PostgreSQL in {self.place.folder} {what}. {told}", hint=f"See the logs in {self.place.log_dir}."
        )

    async def _answers(self, process: Watched) -> bool:
        found = PostmasterFile.read(self.place.data_dir)
        if found is None or found.pid != process.pid or found.status != "ready":
            return False
        try:
            connection = await self._open("postgres")
            try:
                return bool(await connection.fetchval("SELECT 1") == 1)
            finally:
                await connection.close(timeout=5)
        except _NOT_YET:
            return False

    async def _reach(self, database: str) -> "asyncpg.Connection":
        while True:
            try:
                return await self._open(database)
            except _AWAY:
                await asyncio.sleep(_POLL_SECONDS)

    async def _open(self, database: str) -> "asyncpg.Connection":
        return await asyncpg.connect(
            host=str(self.place.socket_dir), port=self.port, user=SUPERUSER, database=database, ssl=False
        )

    def _read_log_end(self) -> str:
        """Return what the server said last: before its log collector ran, or in the newest log."""
        path = self._first_output()
        logs = sorted(self.place.log_dir.glob("*.log"), key=lambda path: path.stat().st_mtime)
        if logs and "logging collector process" in path.read_text(errors="replace"):
            path = logs[-1]
        return " ".join(path.read_text(errors="replace").splitlines()[-6:])

    async def _watch(self) -> None:
        """Start the server again whenever it ends by itself, at once at first and with growing pauses afterwards."""
        pause_seconds = 0.0
        while True:
            began_at = time.monotonic()
            process = self._known(self._process)
            await process.wait()
            if time.monotonic() - began_at > _SHORT_LIFE_SECONDS:
                pause_seconds = 0.0
            self._report(EventKind.ENDED, process.pid, "PostgreSQL ended by itself and is started again.")
            while not await self._try_again(pause_seconds):
                pause_seconds = min(max(pause_seconds * 2, 0.1), _LONGEST_PAUSE_SECONDS)
            pause_seconds = min(max(pause_seconds * 2, 0.1), _LONGEST_PAUSE_SECONDS)

    async def _try_again(self, pause_seconds: float) -> bool:
        await asyncio.sleep(pause_seconds)
        try:
            await self._launch()
        except (PostgresUnavailable, OSError) as error:
            await self._end_process()
            self._report(EventKind.RESTART_FAILED, None, str(error))
            return False
        self._report(EventKind.RESTARTED, self.pid, "PostgreSQL is running again.")
        return True

    def _report(self, kind: EventKind, pid: int | None, detail: str) -> None:
        self._on_event(PostgresEvent(kind, pid, detail))

    async def _end_process(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.end((signal.SIGINT, self.options.stop_timeout_seconds), (signal.SIGQUIT, _QUIT_SECONDS))

    def _known(self, value: T | None) -> T:
        if value is None:
            raise RuntimeError("The server has not been started.")
        return value


def _wrong_major(place: Place, found: Programs, major: int) -> WrongMajorVersion:
    return WrongMajorVersion(
        f"The database in {place.data_dir} was written by PostgreSQL {major}; "
        f"{found.origin} is PostgreSQL {found.version}, which cannot read it.",
        hint=f"Move it by a dump: 1. install PostgreSQL {major}, set ROADBED_PG_BIN to its programs (for example "
        f"/usr/lib/postgresql/{major}/bin) and run `roadbed db backup FILE`; 2. unset ROADBED_PG_BIN and run "
        "`roadbed db restore FILE --home NEW_FOLDER`; 3. copy secrets.key into the new folder and start Roadbed there.",
    )
