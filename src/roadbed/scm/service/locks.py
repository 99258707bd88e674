"""One writer a repository at a time, across all processes of this machine."""

import asyncio
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID
from weakref import WeakValueDictionary

FIRST_PAUSE_SECONDS = 0.01
LONGEST_PAUSE_SECONDS = 0.2


class RepositoryLocks:
    """Locks by repository.

    The lock is one on a file, and the git process that writes inherits the open file: should this process be killed,
    the lock holds until that git has ended too, and only then is the repository looked at again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._local: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def hold(self, repository_id: UUID) -> AsyncIterator[int]:
        """Wait for the lock and hold it. Yields the descriptor to be inherited."""
        local = self._local.setdefault(repository_id, asyncio.Lock())
        async with local:
            descriptor = os.open(self._folder / f"{repository_id}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                await _wait_for(descriptor)
                yield descriptor
            finally:
                os.close(descriptor)


async def _wait_for(descriptor: int) -> None:
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)
        else:
            return
