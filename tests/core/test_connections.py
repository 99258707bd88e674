"""Connections that broke while they were in the pool: replaced, without the one who asks noticing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import text

from roadbed.core import connections
from roadbed.core.db import Database
from roadbed.core.services import Services
from tests.support import RunningServer

pytestmark = pytest.mark.anyio


class Forgetful:
    """Something between the two that passes on what is said until it forgets: then it resets who goes on talking."""

    def __init__(self, target: str) -> None:
        self._target = target
        self.opened = 0
        self._ages: list[asyncio.Event] = []

    def forget(self) -> None:
        for age in self._ages:
            age.set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        forgotten = asyncio.Event()
        self._ages.append(forgotten)
        self.opened += 1
        from_server, to_server = await asyncio.open_unix_connection(self._target)
        ways = [
            asyncio.create_task(self._pass_on(reader, to_server, forgotten)),
            asyncio.create_task(self._pass_on(from_server, writer, asyncio.Event())),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        writer.transport.abort()
        to_server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, ends: asyncio.Event) -> None:
        while (data := await reader.read(65536)) and not ends.is_set():
            writer.write(data)
            await writer.drain()


@pytest.fixture
def socket(server: RunningServer) -> Path:
    """The Unix socket of the server's PostgreSQL."""
    folder = server.database.url.query.get("host")
    if not isinstance(folder, str):
        pytest.skip("the database of this run is reached otherwise than over a Unix socket")
    return next(path for path in Path(folder).glob(".s.PGSQL.*") if path.suffix != ".lock")


@pytest.fixture
async def database(server: RunningServer) -> AsyncIterator[Database]:
    database = Database(str(server.database.url), pool_size=1, statement_timeout_seconds=5, services=Services())
    yield database
    await database.close()


async def find_backend(database: Database) -> int:
    async with database.read() as session:
        return int(await session.scalar(text("SELECT pg_backend_pid()")) or 0)


async def test_connection_is_kept_from_one_transaction_to_the_next(database: Database) -> None:
    assert await find_backend(database) == await find_backend(database)


async def test_connection_that_the_server_closed_is_replaced(server: RunningServer, database: Database) -> None:
    first = await find_backend(database)
    other = Database(str(server.database.url), pool_size=1, statement_timeout_seconds=5, services=Services())
    try:
        async with other.write() as session:
            await session.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": first})
        assert await find_backend(database) != first
    finally:
        await other.close()


async def test_connection_that_was_forgotten_on_the_way_is_replaced(
    server: RunningServer, socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE_SECONDS", 0.0)
    between = Forgetful(str(socket))
    with TemporaryDirectory() as folder:  # the path of a socket must be short
        url = server.database.url.update_query_dict({"host": folder})
        passing_on = await asyncio.start_unix_server(between.serve, Path(folder) / socket.name)
        database = Database(
            url.render_as_string(hide_password=False), pool_size=1, statement_timeout_seconds=5, services=Services()
        )
        try:
            async with asyncio.timeout(30):
                first = await find_backend(database)
                between.forget()
                assert await find_backend(database) != first
            assert between.opened == 2
        finally:
            await database.close()
            passing_on.close()
