"""Starting, adopting, watching and stopping, by what a client of the server sees."""

import asyncio
import json
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path

import asyncpg
import psutil
import pytest

from roadbed.core.postgres import (
    EmbeddedPostgres,
    EventKind,
    FolderLocked,
    PostgresEvent,
    PostgresOptions,
    PostgresUnavailable,
    Tuning,
    WrongMajorVersion,
)
from roadbed.core.postgres.cluster import child_options
from roadbed.core.postgres.config import LOCAL_CONFIG
from tests.core.postgres.support import Script, kill, list_postmasters, wait_for_end

pytestmark = pytest.mark.anyio


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_new_server_answers_and_keeps_what_was_written(folder: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    first = await server.start()
    assert (first.is_new, first.is_adopted) == (True, False)
    assert await server.ensure_database("shop") is True
    assert await server.ensure_database("shop") is False
    async with server.connect("shop") as connection:
        await connection.execute("CREATE TABLE goods AS SELECT 'tea' AS name")
    await server.stop()
    assert server.pid is None
    wait_for_end(server.place.data_dir)

    second = await server.start()
    assert (second.is_new, second.is_adopted) == (False, False)
    connection = await asyncpg.connect(server.url("shop"), ssl=False)
    assert await connection.fetchval("SELECT name FROM goods") == "tea"
    await connection.close()
    await server.stop()


async def test_server_is_durable_utf8_and_not_on_the_network(folder: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    report = await server.start()
    async with server.connect() as connection:
        shown = {
            name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "server_encoding", "listen_addresses")
        }
        locale = await connection.fetchval("SELECT datlocale FROM pg_database WHERE datname = 'template1'")
    assert shown == {"fsync": "on", "server_encoding": "UTF8", "listen_addresses": ""}
    assert locale == "C.UTF-8"
    assert psutil.Process(report.pid).net_connections("inet") == []
    assert server.place.socket_dir.stat().st_mode & 0o777 == 0o700
    await server.stop()


async def test_server_runs_unprivileged_with_a_bare_environment(
    folder: Path, options: PostgresOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROADBED_SECRETS__KEY", "made-up")
    server = EmbeddedPostgres(folder / "postgres", options=options)
    report = await server.start()
    process = psutil.Process(report.pid)
    assert process.uids().effective == (options.uid if os.geteuid() == 0 else os.geteuid())
    assert set(process.environ()) <= {"PATH", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "PGDATA"}
    assert os.getsid(report.pid) != os.getsid(0)
    await server.stop()


async def test_killed_server_is_back_and_both_are_reported(folder: Path, options: PostgresOptions) -> None:
    events: asyncio.Queue[PostgresEvent] = asyncio.Queue()
    server = EmbeddedPostgres(folder / "postgres", options=options, on_event=events.put_nowait)
    first = await server.start()
    kill(first.pid)
    ended, restarted = await events.get(), await events.get()
    assert (ended.kind, ended.pid) == (EventKind.ENDED, first.pid)
    assert (restarted.kind, restarted.pid) == (EventKind.RESTARTED, server.pid)
    async with server.connect() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    await server.stop()
    assert events.empty()


async def test_failed_restart_is_reported_with_its_reason_and_tried_again(
    folder: Path, options: PostgresOptions
) -> None:
    events: asyncio.Queue[PostgresEvent] = asyncio.Queue()
    server = EmbeddedPostgres(folder / "postgres", options=options, on_event=events.put_nowait)
    first = await server.start()
    local = server.place.folder / LOCAL_CONFIG
    local.write_text("no_such_setting = on\n")
    kill(first.pid)
    assert (await events.get()).kind is EventKind.ENDED
    failed = await events.get()
    assert failed.kind is EventKind.RESTART_FAILED
    assert "no_such_setting" in failed.detail
    local.unlink()
    while (event := await events.get()).kind is EventKind.RESTART_FAILED:
        pass
    assert event.kind is EventKind.RESTARTED
    await server.stop()


async def test_living_server_is_adopted_unless_its_configuration_changed(
    folder: Path, options: PostgresOptions
) -> None:
    parent = Script("run_server.py", folder)
    pid = parent.read()["pid"]
    parent.kill()
    server = EmbeddedPostgres(folder / "postgres", options=options)
    adopted = await server.start()
    assert (adopted.is_adopted, adopted.pid) == (True, pid)
    await server.stop()
    wait_for_end(server.place.data_dir)

    parent = Script("run_server.py", folder)
    pid = parent.read()["pid"]
    parent.kill()
    server = EmbeddedPostgres(folder / "postgres", options=replace(options, tuning=Tuning(max_connections=33)))
    restarted = await server.start()
    assert not restarted.is_adopted
    assert list_postmasters(server.place.data_dir) == [restarted.pid] != [pid]
    async with server.connect() as connection:
        assert await connection.fetchval("SHOW max_connections") == "33"
    await server.stop()


async def test_adopted_server_that_is_killed_comes_back(folder: Path, options: PostgresOptions) -> None:
    parent = Script("run_server.py", folder)
    parent.read()
    parent.kill()
    events: asyncio.Queue[PostgresEvent] = asyncio.Queue()
    server = EmbeddedPostgres(folder / "postgres", options=options, on_event=events.put_nowait)
    adopted = await server.start()
    kill(adopted.pid)
    assert [(await events.get()).kind, (await events.get()).kind] == [EventKind.ENDED, EventKind.RESTARTED]
    await server.stop()


async def test_server_of_another_living_process_is_refused(folder: Path, options: PostgresOptions) -> None:
    parent = Script("run_server.py", folder)
    pid = parent.read()["pid"]
    server = EmbeddedPostgres(folder / "postgres", options=options)
    with pytest.raises(FolderLocked, match=str(parent.process.pid)):
        await server.start()
    assert list_postmasters(folder / "postgres" / "data") == [pid]
    parent.close()


async def test_files_left_by_a_process_whose_id_is_reused_do_not_stop_the_start(
    folder: Path, options: PostgresOptions
) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    report = await server.start()
    data_dir, socket_dir = server.place.data_dir, server.place.socket_dir
    left = {path: path.read_text() for path in (data_dir / "postmaster.pid", socket_dir / ".s.PGSQL.5432.lock")}
    await server.stop()
    account = server.place.account
    # of the server's own account, else PostgreSQL sees by itself that it cannot be its own
    stranger = await asyncio.create_subprocess_exec("sleep", "infinity", **child_options(account))
    for path, text in left.items():
        path.write_text(text.replace(str(report.pid), str(stranger.pid)))
        os.chown(path, account.uid, account.gid)
    assert not (await server.start()).is_adopted
    await server.stop()
    stranger.kill()
    await stranger.wait()


async def test_data_of_another_major_version_is_refused_with_the_way_out(
    folder: Path, options: PostgresOptions
) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    await server.start()
    await server.stop()
    (server.place.data_dir / "PG_VERSION").write_text("12\n")
    with pytest.raises(WrongMajorVersion, match="written by PostgreSQL 12") as caught:
        await server.start()
    assert "roadbed db backup" in str(caught.value.hint)
    (server.place.data_dir / "PG_VERSION").write_text("18\n")
    await server.start()
    await server.stop()


async def test_taken_port_is_named(folder: Path, options: PostgresOptions) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = EmbeddedPostgres(folder / "postgres", options=replace(options, tuning=Tuning(tcp_port=port)))
        with pytest.raises(PostgresUnavailable, match=f"127.0.0.1.*{port}"):
            await server.start()
    wait_for_end(folder / "postgres" / "data")
    await server.start()
    await server.stop()


async def test_tcp_asks_for_a_password_and_never_lets_the_superuser_in(folder: Path, options: PostgresOptions) -> None:
    port = find_free_port()
    server = EmbeddedPostgres(folder / "postgres", options=replace(options, tuning=Tuning(tcp_port=port)))
    await server.start()
    async with server.connect() as connection:
        await connection.execute("CREATE ROLE orders LOGIN PASSWORD 'right'")
        await connection.execute("ALTER ROLE roadbed PASSWORD 'right'")
        stored = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'orders'")
    assert stored.startswith("SCRAM-SHA-256$")
    address = f"127.0.0.1:{port}/postgres"
    connection = await asyncpg.connect(f"postgresql://orders:right@{address}", ssl=False)
    assert await connection.fetchval("SELECT current_user") == "orders"
    await connection.close()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(f"postgresql://orders:wrong@{address}", ssl=False)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match="rejects"):
        await asyncpg.connect(f"postgresql://roadbed:right@{address}", ssl=False)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError, match=r"no pg_hba\.conf entry"):
        await asyncpg.connect(server.url("postgres").replace("roadbed@", "orders:right@"), ssl=False)
    await server.stop()


async def test_stop_ends_open_transactions_and_frees_the_folder(folder: Path, options: PostgresOptions) -> None:
    server = EmbeddedPostgres(folder / "postgres", options=options)
    await server.start()
    connection = await asyncpg.connect(server.url("postgres"), ssl=False)
    await connection.execute("BEGIN")
    await server.stop()
    connection.terminate()
    await server.stop()  # a second time is harmless
    another = EmbeddedPostgres(folder / "postgres", options=options)
    await another.start()
    await another.stop()


def test_sigterm_to_the_parent_stops_the_server(folder: Path) -> None:
    parent = Script("run_server.py", folder)
    parent.read()
    parent.process.send_signal(signal.SIGTERM)
    assert parent.process.wait() == 0
    parent.close()
    wait_for_end(folder / "postgres" / "data")
    assert json.loads((folder / "postgres" / "lock").read_text() or "null") is None
