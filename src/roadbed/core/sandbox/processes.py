"""Starting, recognising, awaiting and ending the processes of a sandbox."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from roadbed.core.sandbox.arguments import COOKIE_VARIABLE
from roadbed.core.sandbox.isolation import Isolation, Mechanism

_KILL_ROUNDS = 50
_QUIET_ROUNDS = 2
_POLL_SECONDS = 0.1
_RESET_SIGNALS = [signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """Names one process beyond doubt, also after a restart of the server or of the machine.

    Args:
        pid: of the first process of its own process namespace, else of the leader of its own process group.
        started: when it started; a pid is used again, a pid with its start is not.
        mechanism: how it is isolated, which decides how all of it is ended.
        uid: the account of the sandbox, or None.
        cookie: what marks its processes.
    """

    pid: int
    started: str
    mechanism: Mechanism
    uid: int | None
    cookie: str

    def to_data(self) -> dict[str, Any]:
        """Return it as JSON data, to be kept across a restart."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> "ProcessIdentity":
        """Read what `to_data` wrote."""
        return cls(**{**data, "mechanism": Mechanism(data["mechanism"])})

    def is_alive(self) -> bool:
        """True while this very process runs."""
        return start_token(self.pid) == self.started


def start_token(pid: int) -> str | None:
    """Return what tells a process from a later one with the same pid; None when there is none, or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (FileNotFoundError, ProcessLookupError):
        return _portable_start_token(pid) if not Path("/proc/self/stat").exists() else None
    return None if fields[0] in "ZX" else f"{boot}/{fields[19]}"


def _portable_start_token(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.NoSuchProcess:
        return None


def spawn(arguments: list[str], *, environment: dict[str, str], output_fd: int, pass_fds: Sequence[int] = ()) -> int:
    """Start a process in a session of its own and return its pid; all other descriptors are closed to it.

    posix_spawn, because it does not copy the page tables of a large server, and because the process may outlive
    this one without leaving an object behind that complains.
    """
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, output_fd, 1),
        (os.POSIX_SPAWN_DUP2, output_fd, 2),
        *((os.POSIX_SPAWN_DUP2, descriptor, descriptor) for descriptor in pass_fds),
    ]
    return os.posix_spawn(
        arguments[0], arguments, environment, file_actions=actions, setsid=True, setsigmask=[], setsigdef=_RESET_SIGNALS
    )


async def wait_until_ended(pid: int) -> None:
    """Return when a process has ended, a child of this one or not."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (OSError, AttributeError):  # a kernel or a platform without pidfd
        while start_token(pid) is not None:  # noqa: ASYNC110 - nothing tells us, so we have to look
            await asyncio.sleep(_POLL_SECONDS)
        return
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _settle, ended)
    try:
        await ended
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


async def reap(pid: int) -> int:
    """Wait for a child; return its exit code, 128 + n after signal n."""
    await wait_until_ended(pid)
    _, status = os.waitpid(pid, 0)  # noqa: ASYNC222 - it has ended already
    code = os.waitstatus_to_exitcode(status)
    return 128 - code if code < 0 else code


def ask_to_end(identity: ProcessIdentity) -> None:
    """Send SIGTERM to all processes of a sandbox."""
    if not identity.is_alive():
        return
    if not identity.mechanism.has_namespace:
        _signal_group(identity.pid, signal.SIGTERM)
        return
    # The first process of a namespace ignores it; what the command started is below that one, wherever it hid.
    for process in psutil.Process(identity.pid).children(recursive=True):
        _signal_process(process.pid, signal.SIGTERM)


def end_all(identity: ProcessIdentity, isolation: Isolation, *, is_sole_user: bool = True) -> None:
    """Kill all processes of a sandbox at once, also those that left its process group.

    Args:
        identity: the sandbox.
        isolation: the machine's isolation.
        is_sole_user: whether all processes of the account belong to it.
    """
    if identity.mechanism.has_namespace:
        if identity.is_alive():
            _signal_process(identity.pid, signal.SIGKILL)  # the kernel ends the rest of the namespace
        return
    if identity.is_alive():
        _signal_group(identity.pid, signal.SIGKILL)
    if identity.uid is not None and is_sole_user:
        end_account(identity.uid, isolation.setpriv)
    end_marked(identity.cookie)


def end_marked(cookie: str) -> None:
    """Kill every process that carries a cookie, until two looks in a row are sure that there are no more of them.

    Who does not carry it never will: only the first look is at all processes of the machine, the others at new ones.
    """
    quiet_count = 0
    others: set[int] = set()
    for _ in range(_KILL_ROUNDS):
        look = look_for_marked(leave_out=others)
        found = [pid for pid, carried in look.cookies.items() if carried == cookie]
        others |= look.others | (look.cookies.keys() - set(found))
        for pid in found:
            _signal_process(pid, signal.SIGKILL)
        quiet_count = quiet_count + 1 if look.is_sure and not found else 0
        if quiet_count == _QUIET_ROUNDS:
            return
        time.sleep(0.002)  # the kernel takes them off the list a moment later


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at processes found: the cookies of those in sandboxes by pid, and the pids of all others.

    `is_sure` is False when one can have been overlooked: a process was just becoming another program, which shows no
    environment for a moment, or ended while we looked and may have left a child that was not on the list yet.
    """

    cookies: dict[int, str]
    others: set[int]
    is_sure: bool


def look_for_marked(*, leave_out: set[int] | frozenset[int] = frozenset()) -> Look:
    """Look at the living processes, but for those that are known."""
    cookies: dict[int, str] = {}
    others: set[int] = set()
    is_sure = True
    for pid in psutil.pids():
        if pid in leave_out:
            continue
        try:
            cookie = _read_cookie(psutil.Process(pid))
        except psutil.NoSuchProcess:
            is_sure = False
        except (psutil.Error, OSError):
            others.add(pid)  # somebody else's
        else:
            if cookie:
                cookies[pid] = cookie
            elif cookie is None:
                is_sure = False
            else:
                others.add(pid)
    return Look(cookies, others, is_sure)


def _read_cookie(process: psutil.Process) -> str | None:
    """Return what marks a process, or an empty string; None while it shows no environment."""
    try:
        environment = process.environ()
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        if environment or process.cmdline() or not process.exe():  # a thread of the kernel has no file
            return environment.get(COOKIE_VARIABLE, "")
    except psutil.NoSuchProcess:
        if psutil.pid_exists(process.pid):  # a zombie or a thread of the kernel, which stays
            return ""
        raise
    return None


def end_account(uid: int, setpriv: str) -> None:
    """Kill all processes of an account in one call of the kernel, which no fork can outrun."""
    account = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]
    script = "kill -s KILL -- -1"
    pid = os.posix_spawn(setpriv, [setpriv, *account, "/bin/sh", "-c", script], {"PATH": os.defpath})
    os.waitpid(pid, 0)


def _signal_process(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
