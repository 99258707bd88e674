"""Live streams: wakes whoever follows a run when the run changed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from roadbed.core.db import Database
from roadbed.core.listen import listen
from roadbed.runs.repository import CHANNEL

LONGEST_WAIT_SECONDS = 2.0


class RunFeed:
    """One listening connection for all followers of this process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._followers: dict[str, set[asyncio.Event]] = {}
        self.is_closing = False

    async def listen(self) -> None:
        await listen(self._database, CHANNEL, self._wake)

    def _wake(self, run_id: str) -> None:
        names = [run_id] if run_id else list(self._followers)
        for name in names:
            for event in self._followers.get(name, ()):
                event.set()

    async def changes(self, run_id: UUID) -> AsyncIterator[None]:
        """Yield at once, then whenever the run may have changed; at least every two seconds, until the server stops."""
        event = asyncio.Event()
        followers = self._followers.setdefault(str(run_id), set())
        followers.add(event)
        try:
            while not self.is_closing:
                yield
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(event.wait(), LONGEST_WAIT_SECONDS)
                event.clear()
        finally:
            followers.discard(event)
            if not followers:
                self._followers.pop(str(run_id), None)

    def close(self) -> None:
        """End all streams, so that the server can stop."""
        self.is_closing = True
        self._wake("")
