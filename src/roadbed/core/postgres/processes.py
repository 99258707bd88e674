"""Finding, watching and ending the processes of a server, whoever started them.

A process is recognised by the folder it works in (PostgreSQL changes into its data folder), compared by device and
inode, so neither a reused process id nor another container's equal path is mistaken for the server.
"""

import asyncio
import contextlib
import os
import select
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import psutil

PROGRAM_NAMES = frozenset({"postgres", "initdb"})
_START_TOLERANCE_SECONDS = 60  # the clock may be set between the server's start and now
_PROC = Path("/proc")


@dataclass(frozen=True)
class PostmasterFile:
    """What `postmaster.pid` says. A server that has just begun may not have written the later lines yet."""

    pid: int
    started_at: float
    status: str

    @classmethod
    def read(cls, data_dir: Path) -> Self | None:
        try:
            lines = [line.strip() for line in (data_dir / "postmaster.pid").read_text().splitlines()]
            return cls(int(lines[0]), float(lines[2]), lines[7] if len(lines) > 7 else "starting")
        except (FileNotFoundError, IndexError, ValueError):
            return None


class Watched:
    """A living process, held by a descriptor: its id cannot be reused under us, and its end is an event."""

    def __init__(self, pid: int, *, child: subprocess.Popen[bytes] | None = None) -> None:
        """Watch process `pid`.

        Args:
            pid: of any process; it need not be a child.
            child: the same process when it is our own child, so that it is reaped.

        Raises:
            ProcessLookupError: it has ended already.
        """
        self.pid = pid
        self._child = child
        self._descriptor = os.pidfd_open(pid)
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._descriptor, self._notice_end)

    def _notice_end(self) -> None:
        self.close()
        if self._child is not None:
            self._child.wait()
        self._ended.set()

    def close(self) -> None:
        """Stop watching; the process goes on."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = -1

    def has_ended(self) -> bool:
        if self._descriptor < 0:
            return True
        return bool(select.select([self._descriptor], [], [], 0)[0])

    async def wait(self) -> None:
        await self._ended.wait()

    def send(self, number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        if not self.has_ended():
            signal.pidfd_send_signal(self._descriptor, number)

    async def end(self, *steps: tuple[signal.Signals, float]) -> None:
        """Send each signal in turn, waiting its seconds for the process to end before the next; then SIGKILL."""
        for number, seconds in steps:
            self.send(number)
            try:
                async with asyncio.timeout(seconds):
                    await self.wait()
            except TimeoutError:
                continue
            return
        self.send(signal.SIGKILL)
        await self.wait()


def list_workers(folder: Path) -> list[int]:
    """Return the ids of all living PostgreSQL processes that work in `folder`."""
    try:
        wanted = folder.stat()
    except FileNotFoundError:
        return []
    pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if _works_in(pid, wanted)]


def _works_in(pid: int, wanted: os.stat_result) -> bool:
    process = _PROC / str(pid)
    try:
        if (process / "comm").read_text().strip() not in PROGRAM_NAMES:
            return False
        return os.path.samestat((process / "cwd").stat(), wanted)
    except OSError:  # it has ended, or belongs to somebody else
        return False


def find_postmaster(data_dir: Path) -> PostmasterFile | None:
    """Return the server that lives on `data_dir`, or None when `postmaster.pid` is absent or left over."""
    found = PostmasterFile.read(data_dir)
    if found is None or not data_dir.is_dir() or not _works_in(found.pid, data_dir.stat()):
        return None
    try:
        began_at = psutil.Process(found.pid).create_time()
    except psutil.Error:
        return None
    return found if abs(began_at - found.started_at) <= _START_TOLERANCE_SECONDS else None


def read_arguments(pid: int) -> list[str]:
    """Return the command line of process `pid`; empty when it has ended."""
    try:
        return os.fsdecode((_PROC / str(pid) / "cmdline").read_bytes()).split("\0")
    except OSError:
        return []


async def end_remnants(folder: Path, *, patience_seconds: float = 3) -> list[int]:
    """End every PostgreSQL process that works in `folder` and return their ids.

    To be called when no postmaster lives there: its orphans keep the shared memory, and with it a new server, waiting.
    SIGQUIT makes them leave at once; what was acknowledged is in the write-ahead log.
    """
    ended: list[int] = []
    while pids := list_workers(folder):
        await asyncio.gather(*(_end(pid, patience_seconds) for pid in pids))
        ended += pids
    return ended


async def wait_for_workers(folder: Path, *, patience_seconds: float) -> None:
    """Wait for the end of the processes that outlive a postmaster: its log collector still writes what it said."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(patience_seconds):
            await asyncio.gather(*(_wait_for(pid) for pid in list_workers(folder)))


async def _wait_for(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        process = Watched(pid)
        try:
            await process.wait()
        finally:
            process.close()


async def _end(pid: int, patience_seconds: float) -> None:
    try:
        process = Watched(pid)
    except ProcessLookupError:
        return
    await process.end((signal.SIGQUIT, patience_seconds))


def drop_misleading_files(data_dir: Path, socket_dir: Path, port: int) -> None:
    """Remove `postmaster.pid` and the socket's lock when their process id now belongs to something else.

    PostgreSQL overwrites files whose process is gone, and refuses to start when the id is in use again by the same
    account, as happens in restarted containers. To be called when no process of the server lives.
    """
    for path in (data_dir / "postmaster.pid", socket_dir / f".s.PGSQL.{port}.lock"):
        try:
            pid = int(path.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            continue
        if psutil.pid_exists(pid):
            path.unlink()
