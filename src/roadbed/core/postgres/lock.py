"""A lock on a folder, held as long as the process lives, that tells others who holds it.

The kernel gives the lock back when its holder dies, however it dies: there are no stale locks to clean up.
"""

import contextlib
import fcntl
import json
import os
from pathlib import Path
from typing import Self

from roadbed.core.postgres.errors import FolderLocked

LOCK_FILE = "lock"


class FolderLock:
    """The exclusive right of this process to work in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LOCK_FILE
        self._descriptor: int | None = None

    def acquire(self, *, address: str = "") -> Self:
        """Take the lock, or raise `FolderLocked` naming the holder's process id and `address`."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 4096, 0)
            os.close(descriptor)
            raise _locked(self.path.parent, holder) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)
        self._descriptor = descriptor
        _held.add(descriptor)
        return self

    def release(self) -> None:
        """Give the lock back; nothing happens when it is not held."""
        if self._descriptor is not None:
            _held.discard(self._descriptor)
            os.truncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        if self._descriptor is None:
            self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _locked(folder: Path, holder: bytes) -> FolderLocked:
    # The holder writes its name right after it has the lock; in between the file may be empty.
    fields: dict[str, object] = {}
    with contextlib.suppress(ValueError):
        fields = json.loads(holder)
    pid, address = fields.get("pid"), fields.get("address")
    who = f"process {pid}" if pid else "another process"
    if address:
        who += f" at {address}"
    return FolderLocked(
        f"The folder {folder} is in use by {who}.",
        hint=f"Stop {f'process {pid}' if pid else 'it'} first, or choose another folder with --home or ROADBED_HOME.",
        pid=pid,
        address=address,
    )


_held: set[int] = set()


def _forget_locks_in_child() -> None:
    # A forked child shares the open file: were it to outlive this process, the lock would stay taken.
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()


os.register_at_fork(after_in_child=_forget_locks_in_child)
