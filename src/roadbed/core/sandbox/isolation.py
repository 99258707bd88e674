"""Which isolation this machine offers, found out by trying it, and the accounts that sandboxes run under."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil

from roadbed.core.sandbox.spec import SandboxFailed

_LOCK_FOLDERS = (Path("/run/roadbed-sandboxes"), Path(tempfile.gettempdir()) / "roadbed-sandboxes")


class Mechanism(StrEnum):
    """What separates a command from the server."""

    UID_AND_NAMESPACE = "uid_and_namespace"
    UID = "uid"
    NAMESPACE = "namespace"
    NONE = "none"

    @property
    def has_namespace(self) -> bool:
        """True when the command sees only its own files and processes."""
        return self in {Mechanism.UID_AND_NAMESPACE, Mechanism.NAMESPACE}

    @property
    def has_uid(self) -> bool:
        """True when the command runs under an account of its own."""
        return self in {Mechanism.UID_AND_NAMESPACE, Mechanism.UID}


@dataclass(frozen=True, slots=True)
class UidRange:
    """User ids for sandboxes. Nobody else may use them; they need no entry in /etc/passwd."""

    first: int = 52_000
    count: int = 1_000

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.first, self.first + self.count))

    def __contains__(self, uid: int) -> bool:
        return self.first <= uid < self.first + self.count


@dataclass(frozen=True, slots=True)
class Isolation:
    """The mechanism in use. `reason` says why nothing stronger is, empty when it is the strongest.

    Where `is_isolated` is False, callers let only admins start commands, and mark them "not isolated".
    """

    mechanism: Mechanism
    reason: str = ""
    uids: UidRange = UidRange()
    bubblewrap: str = ""
    setpriv: str = ""

    @property
    def is_isolated(self) -> bool:
        """False when a command could read what the server can."""
        return self.mechanism is not Mechanism.NONE


def isolation_candidates(uids: UidRange) -> tuple[list[Isolation], list[str]]:
    """List what could work here, strongest first, and name the programs that are missing."""
    bubblewrap, setpriv = shutil.which("bwrap") or "", shutil.which("setpriv") or ""
    is_root = os.geteuid() == 0
    missing = [] if bubblewrap else ["bubblewrap is not installed"]
    if is_root and not setpriv:
        missing.append("setpriv (package util-linux) is not installed")
    found: list[Isolation] = []
    if is_root and setpriv and bubblewrap:
        found.append(Isolation(Mechanism.UID_AND_NAMESPACE, "", uids, bubblewrap, setpriv))
    if is_root and setpriv:
        found.append(Isolation(Mechanism.UID, "", uids, "", setpriv))
    if not is_root and bubblewrap:
        found.append(Isolation(Mechanism.NAMESPACE, "", uids, bubblewrap, ""))
    return found, missing


class UidPool:
    """Hands out user ids, each to one sandbox at a time on the whole machine.

    Two Roadbeds on one machine share the range: a lock file keeps them apart while they run, and a user id with
    living processes is not handed out, so that what a killed server left running stays apart as well. The file names
    the holder, so that the next server of the same installation knows which accounts the killed one had.
    """

    def __init__(self, uids: UidRange, *, holder: str) -> None:
        self._uids = uids
        self._holder = holder.encode()
        self._locks: dict[int, int] = {}
        self._folder: Path | None = None

    def acquire(self) -> int:
        """Take a free user id.

        Raises:
            SandboxFailed: all are in use.
        """
        busy = {process.info["uids"].real for process in psutil.process_iter(["uids"]) if process.info["uids"]}
        for uid in self._uids:
            if uid not in busy and self.reserve(uid):
                return uid
        raise SandboxFailed(
            f"All {self._uids.count} user ids for sandboxes are in use.",
            hint="Wait for running commands to end, or widen the range in the settings.",
        )

    def reserve(self, uid: int) -> bool:
        """Take this user id, which a workload that is still running has; False when another Roadbed holds it."""
        if uid in self._locks:
            return False
        descriptor = os.open(self._lock_folder() / str(uid), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        os.ftruncate(descriptor, 0)
        os.write(descriptor, self._holder)
        self._locks[uid] = descriptor
        return True

    def release(self, uid: int) -> None:
        """Give a user id back."""
        descriptor = self._locks.pop(uid)
        os.ftruncate(descriptor, 0)
        os.close(descriptor)

    def list_left(self) -> list[int]:
        """List the user ids that an earlier server of this installation held when it was killed."""
        files = ((uid, self._lock_folder() / str(uid)) for uid in self._uids if uid not in self._locks)
        return [uid for uid, file in files if file.is_file() and file.read_bytes() == self._holder]

    def _lock_folder(self) -> Path:
        if self._folder is None:
            self._folder = _make_lock_folder()
        return self._folder


def _make_lock_folder() -> Path:
    problems: list[str] = []
    for folder in _LOCK_FOLDERS:
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            status = folder.lstat()
        except OSError as error:
            problems.append(str(error))
            continue
        if folder.is_symlink() or status.st_uid != os.geteuid() or status.st_mode & 0o077:
            problems.append(f"{folder} belongs to somebody else or is open to others")
            continue
        return folder
    raise SandboxFailed(
        f"There is no folder for the locks of user ids: {'; '.join(problems)}.",
        hint=f"Make {_LOCK_FOLDERS[0]} a folder of the server's account with mode 0700.",
    )
