"""Workload databases in a backup: restored elsewhere, they hold the same rows and open with the same credentials."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from roadbed.core.home import Home
from roadbed.core.postgres import EmbeddedPostgres, PostgresOptions, Tuning
from roadbed.core.settings import Settings
from roadbed.provisioning.workflows.backup import read_databases, write_databases
from roadbed.provisioning.workflows.server import FOLDER, PORT_FILE, WorkloadServer
from tests.folders import let_postgres_pass
from tests.process import RoadbedProcess
from tests.provisioning.conftest import Yard, query


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that the account of the embedded PostgreSQL can reach."""
    let_postgres_pass(tmp_path)
    return tmp_path


def test_restored_database_opens_with_the_credentials_of_its_workload(yard: Yard, open_folder: Path) -> None:
    outputs = yard.outputs(yard.make())
    query(outputs["url"], "CREATE TABLE notes (id int)", "INSERT INTO notes VALUES (71)", "SELECT 1")
    other = Home(open_folder / "other", "", "other", None)
    other.path.mkdir(mode=0o755)
    dumps = open_folder / "dumps"
    dumps.mkdir()
    running = Home(yard.server.home, "", "running", None, is_attached=True)
    settings = yard.server.services.get(Settings)

    async def move() -> tuple[Any, ...]:
        await write_databases(settings, running, dumps)
        told = await read_databases(settings, other, dumps)
        server = WorkloadServer(other, settings)
        await server.start()
        try:
            url = outputs["url"].replace(f":{outputs['port']}/", f":{server.port}/")
            assert url != outputs["url"]
            connection = await asyncpg.connect(url, timeout=20)
            try:
                owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'notes'"
                limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
                found = [await connection.fetchval(one) for one in ("TABLE notes", owner, limit)]
            finally:
                await connection.close()
        finally:
            await server.stop()
        return (*told, *found)

    told, rows, owner, limit = asyncio.run(move())
    assert f"the port {outputs['port']} of the workload databases, which is in use here" in told
    assert (rows, owner, limit) == (71, outputs["database"], 20)
    assert query(outputs["url"], "TABLE notes") == 71


@pytest.fixture
def roadbed(open_folder: Path) -> Iterator[RoadbedProcess]:
    home = open_folder / "home"
    home.mkdir(mode=0o755)
    roadbed = RoadbedProcess(home).start()
    yield roadbed
    if roadbed.process is not None and roadbed.process.poll() is None:
        assert roadbed.stop() == 0, roadbed.output


def look(roadbed: RoadbedProcess, database: str, statement: str) -> Any:
    """Run a statement as the superuser of a running server's workload PostgreSQL."""
    folder = roadbed.home / FOLDER
    tuning = Tuning(tcp_port=int((folder / PORT_FILE).read_text()))

    async def work() -> Any:
        server = EmbeddedPostgres(folder, options=PostgresOptions(tuning=tuning))
        server.locate()
        async with server.connect(database) as connection:
            return await connection.fetchval(statement)

    return asyncio.run(work())


def make(roadbed: RoadbedProcess, token: str) -> dict[str, Any]:
    """Have a database made, and return its resource."""
    body = {"application": "component:default/kept", "environment": "development", "type": "postgres", "id": "db"}
    with roadbed.client(token) as client:
        started = client.post("/api/v1/resources", json=body)
        assert started.status_code == 202, started.text
        follow = roadbed.run("runs", "follow", started.json()["run_id"], token=token)
        assert follow.returncode == 0, follow.stdout + follow.stderr
        resource: dict[str, Any] = client.get("/api/v1/resources").json()["items"][0]
    return resource


@pytest.mark.slow
def test_backup_restored_elsewhere_holds_the_rows_of_workloads(roadbed: RoadbedProcess, open_folder: Path) -> None:
    token = roadbed.token()
    before = make(roadbed, token)
    look(roadbed, before["outputs"]["database"], "CREATE TABLE notes AS SELECT generate_series(1, 500) AS id")
    check_restored(roadbed, open_folder / "beside", before, is_old_one_running=True)
    assert roadbed.stop() == 0, roadbed.output
    check_restored(roadbed, open_folder / "instead", before, is_old_one_running=False)


def check_restored(roadbed: RoadbedProcess, home: Path, before: dict[str, Any], *, is_old_one_running: bool) -> None:
    """Back up, restore into another home, and start there: beside the old server, or instead of it."""
    token, database = roadbed.token(), before["outputs"]["database"]
    archive = home.with_suffix(".tar")
    written = roadbed.run("db", "backup", str(archive))
    assert written.returncode == 0, written.stderr
    other = RoadbedProcess(home)
    restored = other.run("db", "restore", str(archive))
    assert restored.returncode == 0, restored.stderr
    assert ("Deploy workloads again" in restored.stdout) is is_old_one_running
    (other.home / "secrets.key").write_bytes((roadbed.home / "secrets.key").read_bytes())
    (other.home / "secrets.key").chmod(0o600)
    other.start()
    try:
        assert look(other, database, "SELECT sum(id) FROM notes") == 125_250
        after = make(other, token)
        port = int((other.home / FOLDER / PORT_FILE).read_text())
        assert (port != before["outputs"]["port"]) is is_old_one_running
        assert after["outputs"] == before["outputs"] | {"port": port}
        assert look(other, database, "SELECT sum(id) FROM notes") == 125_250
        inventory = other.run("inventory", "-o", "json", token=token)
        assert inventory.returncode == 0, inventory.stdout
    finally:
        assert other.stop() == 0, other.output
