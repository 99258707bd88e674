"""Transactions that meet: one holds what the other waits for."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import text

from roadbed.core.db import Database, WriteSession

SECONDS = 30
Step = Callable[[WriteSession], Awaitable[object]]


async def meet(database: Database, first: Step, other: Callable[[], Awaitable[object]], then: Step) -> None:
    """Do `first`, begin `other`, and do `then` in the transaction of `first` once the other one waits for it."""
    async with database.write() as session:
        await first(session)
        task = asyncio.ensure_future(other())
        await until_waited_for(database, session)
        await then(session)
    await task


async def until_waited_for(database: Database, session: WriteSession) -> None:
    """Wait until another transaction waits for what `session` has locked."""
    pid = await session.scalar(text("SELECT pg_backend_pid()"))
    query = text("SELECT count(*) FROM pg_stat_activity WHERE :pid = ANY(pg_blocking_pids(pid))")
    async with asyncio.timeout(SECONDS):
        while True:
            async with database.read() as other:
                if await other.scalar(query, {"pid": pid}):
                    return
            await asyncio.sleep(0.01)  # PostgreSQL tells nobody who waits
