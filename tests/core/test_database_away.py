"""A database that does not answer is said as that, and waited for by background work."""

import asyncio
from pathlib import Path

import pytest

from roadbed.core.db import Database, outlast_losses
from roadbed.core.errors import DatabaseAway
from roadbed.core.postgres import EmbeddedPostgres
from roadbed.core.services import Services
from tests import plain_http
from tests.core.postgres.test_server import find_free_port
from tests.folders import let_postgres_pass
from tests.process import RoadbedProcess


async def check(url: str) -> None:
    database = Database(url, pool_size=1, statement_timeout_seconds=5, services=Services())
    try:
        await database.check()
    finally:
        await database.close()


@pytest.mark.anyio
async def test_missing_socket_is_a_database_that_is_away(tmp_path: Path) -> None:
    with pytest.raises(DatabaseAway):
        await check(f"postgresql:///roadbed?host={tmp_path}")


@pytest.mark.anyio
async def test_refused_connection_is_a_database_that_is_away() -> None:
    with pytest.raises(DatabaseAway):
        await check(f"postgresql://127.0.0.1:{find_free_port()}/roadbed")


@pytest.mark.anyio
async def test_background_work_is_done_once_the_database_is_back() -> None:
    tries = []

    async def work() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise DatabaseAway("not yet")
        return len(tries)

    assert await outlast_losses(work) == 3


@pytest.mark.anyio
async def test_file_that_is_missing_in_a_transaction_stays_what_it_is(tmp_path: Path) -> None:
    async def read() -> None:
        (tmp_path / "missing").read_text()

    with pytest.raises(FileNotFoundError):
        await outlast_losses(read)


@pytest.mark.anyio
async def test_server_whose_database_went_away_is_alive_and_not_ready(tmp_path: Path) -> None:
    let_postgres_pass(tmp_path)
    postgres = EmbeddedPostgres(tmp_path / "outside")
    await postgres.start()
    await postgres.ensure_database("roadbed")
    home = tmp_path / "home"
    home.mkdir()
    roadbed = RoadbedProcess(home, {"ROADBED_DATABASE__URL": postgres.url("roadbed")})
    try:
        await asyncio.to_thread(roadbed.start)
        async with plain_http.AsyncClient(base_url=roadbed.url, timeout=60) as client:
            assert (await client.get("/readyz")).status_code == 200
            await postgres.stop()
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["status"]) == (503, "failing")
            assert answer.json()["checks"]["database"].startswith("DatabaseAway: ")
            assert (await client.get("/livez")).status_code == 200
            await postgres.start()
            async with asyncio.timeout(60):
                while (await client.get("/readyz")).status_code != 200:
                    pass
    finally:
        await asyncio.to_thread(roadbed.stop)
        await postgres.stop()
