"""Server-sent events of what a workload prints, over its restarts and deployments."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from roadbed.core.db import Database
from roadbed.core.lifecycle import Stopping
from roadbed.core.services import Services
from roadbed.environments.service.instances import read_log
from roadbed.environments.service.reading import find_log_instance
from roadbed.kit.jsons import canonical_json

POLL_SECONDS = 0.25
LOOKS_UNTIL_ASKED = 8
LINES_AT_ONCE = 500


@dataclass(frozen=True)
class LogPosition:
    """Where a reader is: in the log of which instance, behind which byte and behind how many lines it got."""

    instance_id: UUID
    offset: int
    number: int

    def __str__(self) -> str:
        return f"{self.instance_id}:{self.offset}:{self.number}"


def read_position(text: str | None) -> LogPosition | None:
    """Return the position that an event's id says; None for what is none."""
    parts = (text or "").split(":")
    try:
        return LogPosition(UUID(parts[0]), int(parts[1]), int(parts[2])) if len(parts) == 3 else None
    except ValueError:
        return None


class LogFollower:
    """One reader of the log of a workload.

    Args:
        services: of the server.
        workload_id: whose log.
        position: where the reader is; None begins with the last lines.
        tail: so many of them.
    """

    def __init__(self, services: Services, workload_id: UUID, *, position: LogPosition | None, tail: int) -> None:
        self._services = services
        self._workload_id = workload_id
        self._position = position
        self._tail = tail

    async def events(self) -> AsyncIterator[bytes]:
        """Yield `line` for each line as it comes, and `end` when the workload is gone.

        The id of an event is a position behind which no line is missed; `number` tells those that were sent before.
        """
        stopping = self._services.get(Stopping)
        while not stopping.has_begun:
            instance_id = await self._find_instance()
            if instance_id is None:
                yield b"event: end\ndata: {}\n\n"
                return
            if self._position is None:
                self._position = await self._find_tail(instance_id)
            for _ in range(LOOKS_UNTIL_ASKED):
                while lines := await self._read():
                    for line in lines:
                        yield line
                if self._position.instance_id != instance_id:  # all of the one before is read
                    self._position = LogPosition(instance_id, 0, self._position.number)
                else:
                    await asyncio.sleep(POLL_SECONDS)
            yield b": still here\n\n"

    async def _find_instance(self) -> UUID | None:
        async with self._services.get(Database).read() as session:
            return await find_log_instance(session, self._workload_id)

    async def _find_tail(self, instance_id: UUID) -> LogPosition:
        found = await asyncio.to_thread(read_log, self._services, instance_id, limit=self._tail)
        return LogPosition(instance_id, found.position, 0)

    async def _read(self) -> list[bytes]:
        """Return events of the next lines, and go on behind them."""
        before = self._position
        assert before is not None
        found = await asyncio.to_thread(
            read_log, self._services, before.instance_id, position=before.offset, limit=LINES_AT_ONCE
        )
        count = len(found.lines)
        self._position = LogPosition(before.instance_id, found.next_position, before.number + count)
        return [
            _event(self._position if index == count else before, before.number + index, line)
            for index, line in enumerate(found.lines, 1)
        ]


def _event(position: LogPosition, number: int, text: str) -> bytes:
    data = canonical_json({"number": number, "text": text, "instance_id": position.instance_id})
    return b"id: %b\nevent: line\ndata: %b\n\n" % (str(position).encode(), data)
