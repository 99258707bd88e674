"""A dump is whole or absent, and restores under any owner, all of it or nothing."""

from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from roadbed.core.postgres import (
    DumpFailed,
    EmbeddedPostgres,
    PostgresOptions,
    Tuning,
    dump_database,
    restore_database,
)
from roadbed.core.postgres.dump import connection_environment
from tests.core.postgres.test_server import find_free_port

pytestmark = pytest.mark.anyio


async def test_dump_restores_under_another_owner_and_over_tcp(folder: Path, options: PostgresOptions) -> None:
    port = find_free_port()
    server = EmbeddedPostgres(folder / "postgres", options=replace(options, tuning=Tuning(tcp_port=port)))
    await server.start()
    file = folder / "orders.dump"
    async with server.connect() as connection:
        for name in ("first", "second"):
            await connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'p@ss/word'")
            await connection.execute(f"CREATE DATABASE {name} OWNER {name}")
    address = f"postgresql://first:p%40ss%2Fword@127.0.0.1:{port}/first"
    writing = await asyncpg.connect(address, ssl=False)
    await writing.execute("CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
    await writing.close()

    await dump_database(server.programs, url=address, file=file)
    assert file.stat().st_mode & 0o777 == 0o600
    await restore_database(server.programs, url=server.url("second"), file=file, owner="second")

    async with server.connect("second") as connection:
        assert await connection.fetchval("SELECT count(*) FROM orders") == 1000
        assert await connection.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'") == "second"
        await connection.execute("DROP TABLE orders")
        await connection.execute("CREATE VIEW orders AS SELECT 1 AS in_the_way")
    with pytest.raises(DumpFailed, match="already exists"):
        await restore_database(server.programs, url=server.url("second"), file=file, owner="second")
    async with server.connect("second") as connection:
        assert await connection.fetchval("SELECT in_the_way FROM orders") == 1
    await server.stop()


async def test_dump_of_the_superuser_restores_as_an_ordinary_role(folder: Path, options: PostgresOptions) -> None:
    port = find_free_port()
    server = EmbeddedPostgres(folder / "postgres", options=replace(options, tuning=Tuning(tcp_port=port)))
    await server.start()
    await server.ensure_database("from")
    async with server.connect("from") as connection:
        await connection.execute("CREATE SCHEMA dbos; CREATE TABLE dbos.steps AS SELECT 1 AS id; CREATE ROLE reader")
        await connection.execute("GRANT SELECT ON dbos.steps TO reader")
        await connection.execute("CREATE FUNCTION one() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")
        await connection.execute("CREATE ROLE other LOGIN PASSWORD 'made-up'")
        await connection.execute("CREATE DATABASE target OWNER other")
    await dump_database(server.programs, url=server.url("from"), file=folder / "a.dump")
    address = f"postgresql://other:made-up@127.0.0.1:{port}/target"
    await restore_database(server.programs, url=address, file=folder / "a.dump")
    reading = await asyncpg.connect(address, ssl=False)
    assert await reading.fetchval("SELECT id + one() FROM dbos.steps") == 2
    await reading.close()
    await server.stop()


async def test_failed_dump_keeps_the_file_that_was_there(folder: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    await server.start()
    file = folder / "kept.dump"
    file.write_bytes(b"of yesterday")
    with pytest.raises(DumpFailed, match='database "absent" does not exist'):
        await dump_database(server.programs, url=server.url("absent"), file=file)
    assert file.read_bytes() == b"of yesterday"
    assert [path.name for path in folder.glob("kept*")] == ["kept.dump"]
    with pytest.raises(DumpFailed, match=r"not a valid archive|input file"):
        await restore_database(server.programs, url=server.url("postgres"), file=file)
    await server.stop()


def test_address_becomes_environment_so_that_no_password_is_in_a_command_line() -> None:
    environment = connection_environment(
        "postgresql://ada:p%40ss@db.example.com:6432/shop?sslmode=verify-full&sslrootcert=%2Fca.pem"
    )
    assert {name: value for name, value in environment.items() if name.startswith("PG")} == {
        "PGHOST": "db.example.com",
        "PGPORT": "6432",
        "PGUSER": "ada",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "shop",
        "PGSSLMODE": "verify-full",
        "PGSSLROOTCERT": "/ca.pem",
    }
