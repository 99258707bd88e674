"""Two transactions that wait for each other: PostgreSQL ends one, and Roadbed says so."""

import asyncio

from roadbed.core.db import Database, lock_transaction, outlast_losses
from roadbed.core.errors import Deadlock
from roadbed.kit.ids import new_id
from tests.support import RunningServer


class Meeting:
    """Two who take the same two locks, each one first that the other wants next; only once in each other's way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._names = (str(new_id()), str(new_id()))
        self._meet = asyncio.Barrier(2)
        self.tries = 0

    async def take(self, *order: int) -> None:
        self.tries += 1
        async with self._database.write() as session:
            await lock_transaction(session, self._names[order[0]])
            if self.tries <= 2:
                await self._meet.wait()
            await lock_transaction(session, self._names[order[1]])


def test_deadlock_is_named_and_the_other_one_goes_on(server: RunningServer) -> None:
    async def work() -> tuple[BaseException | None, BaseException | None]:
        meeting = Meeting(server.database)
        return await asyncio.gather(meeting.take(0, 1), meeting.take(1, 0), return_exceptions=True)

    found = server.run(work())
    assert sorted(type(one).__name__ for one in found) == ["Deadlock", "NoneType"]
    (lost,) = [one for one in found if isinstance(one, Deadlock)]
    assert lost.hint == "Nothing of this was changed. Try again."


def test_background_work_that_was_lost_is_done_again(server: RunningServer) -> None:
    async def work() -> int:
        meeting = Meeting(server.database)
        await asyncio.gather(outlast_losses(lambda: meeting.take(0, 1)), outlast_losses(lambda: meeting.take(1, 0)))
        return meeting.tries

    assert server.run(work()) == 3
