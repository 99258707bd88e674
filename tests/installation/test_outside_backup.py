"""`roadbed db` with an outside PostgreSQL: what is backed up from one database is all there in another."""

import asyncio
import base64
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.process import RoadbedProcess
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

DOMAIN = "apiVersion: backstage.io/v1alpha1\nkind: Domain\nmetadata: {name: kept}\nspec: {owner: platform}\n"


def make_database(url: str, name: str) -> str:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(f"CREATE DATABASE {name}")
        finally:
            await connection.close()

    asyncio.run(work())
    return f"{url.rpartition('/')[0]}/{name}"


def read_all(roadbed: RoadbedProcess, token: str) -> dict[str, Any]:
    """Return the catalog, the runs, the repositories, and the branches that a git client sees."""
    with roadbed.client(token) as client:
        found = {name: client.get(f"/api/v1/{name}").json()["items"] for name in ("entities", "runs", "repositories")}
    for repository in found["repositories"]:
        del repository["clone_url"]  # the port is another one
    command = ["git", "ls-remote", address_of(roadbed, token)]
    refs = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "refs/heads/main" in refs
    return {**found, "refs": refs}


def address_of(roadbed: RoadbedProcess, token: str) -> str:
    return f"{roadbed.url}/git/platform/kept.git".replace("http://", f"http://x:{token}@")


def push_a_commit(roadbed: RoadbedProcess, token: str, folder: Path) -> None:
    author = ("-c", "user.name=Kim", "-c", "user.email=kim@example.com")
    for command in (
        ("init", "--quiet", "--initial-branch=main", str(folder)),
        ("-C", str(folder), *author, "commit", "--quiet", "--allow-empty", "--message=Begin"),
        ("-C", str(folder), "push", "--quiet", address_of(roadbed, token), "main"),
    ):
        subprocess.run(["git", *command], check=True)


@pytest.fixture
def roadbed(open_folder: Path, database_url: str) -> Iterator[RoadbedProcess]:
    env = {
        "ROADBED_DATABASE__URL": make_database(database_url, "first"),
        "ROADBED_SECRETS__KEY": base64.b64encode(bytes(32)).decode(),
        "ROADBED_ARTIFACTS__FOLDER": str(open_folder / "blobs"),
    }
    roadbed = RoadbedProcess(open_folder / "first", env).start()
    yield roadbed
    assert roadbed.stop() == 0, roadbed.output


def test_backup_restored_into_another_database_gives_the_same(
    roadbed: RoadbedProcess, open_folder: Path, database_url: str
) -> None:
    token = roadbed.token()
    with roadbed.client(token) as client:
        kept = client.post("/api/v1/entities", content=DOMAIN, headers={"Content-Type": "application/yaml"})
        assert kept.status_code == 200, kept.text
        body = {"owner": "platform", "name": "kept", "description": "Kept"}
        assert client.post("/api/v1/repositories", json=body).status_code == 201
    push_a_commit(roadbed, token, open_folder / "work")
    (open_folder / "blobs" / "sha256" / "ab").mkdir(parents=True)
    (open_folder / "blobs" / "sha256" / "ab" / "cd").write_text("stored")
    wait_for(lambda: all(run["finished_at"] for run in read_all(roadbed, token)["runs"]), seconds=60)
    before = read_all(roadbed, token)
    archive = open_folder / "roadbed.tar"
    written = roadbed.run("db", "backup", str(archive))
    assert written.returncode == 0, written.stderr
    url, blobs = make_database(database_url, "second"), open_folder / "other-blobs"
    env = roadbed.env | {"ROADBED_DATABASE__URL": url, "ROADBED_ARTIFACTS__FOLDER": str(blobs)}
    other = RoadbedProcess(open_folder / "second", env)
    refuse_what_is_in_use(other, roadbed, archive)
    restored = other.run("db", "restore", str(archive))
    assert restored.returncode == 0, restored.stderr
    assert (blobs / "sha256" / "ab" / "cd").read_text() == "stored"
    status = json.loads(other.run("db", "migrate", "-o", "json").stdout)
    assert status["current"] == status["newest"]
    other.start()
    try:
        assert read_all(other, token) == before
    finally:
        assert other.stop() == 0, other.output


def refuse_what_is_in_use(other: RoadbedProcess, roadbed: RoadbedProcess, archive: Path) -> None:
    """Check that neither a database nor a folder of stored files that hold something are restored into."""
    for name, words in {
        "ROADBED_DATABASE__URL": "The database first on 127.0.0.1 has ",
        "ROADBED_ARTIFACTS__FOLDER": "blobs is not empty, so nothing was restored",
    }.items():
        refused = replace(other, env=other.env | {name: roadbed.env[name]}).run("db", "restore", str(archive))
        assert refused.returncode == 1, refused.stdout
        assert words in refused.stderr
        assert not other.home.exists()


def test_status_and_migrate_begin_with_an_empty_database(open_folder: Path, database_url: str) -> None:
    env = {"ROADBED_DATABASE__URL": make_database(database_url, "third")}
    roadbed = RoadbedProcess(open_folder / "third", env)
    empty = json.loads(roadbed.run("db", "status", "-o", "json").stdout)
    assert (empty["current"], empty["pending"]) == (None, empty["newest"])
    assert roadbed.run("db", "migrate").returncode == 0
    assert json.loads(roadbed.run("db", "status", "-o", "json").stdout)["current"] == empty["newest"]
