"""The inventory over REST and in a shell: what everything belongs to, and one leftover of each kind."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from roadbed.artifacts.rules import image_manifest
from roadbed.artifacts.types import ArtifactMeta
from roadbed.core.blobs import Blob, BlobStore
from roadbed.core.home import Home
from roadbed.environments.service.routes import Routes
from roadbed.provisioning.workflows.server import WorkloadServer, quote_name
from tests.environments.conftest import Stage
from tests.environments.shell import roadbed
from tests.folders import let_postgres_pass
from tests.process import RoadbedProcess

LISTEN = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
)


def items(stage: Stage, **query: Any) -> list[dict[str, Any]]:
    answer = stage.api.get("/api/v1/inventory", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def leftovers(stage: Stage) -> dict[tuple[str, str], str]:
    found = items(stage, unexplained=True)
    for item in found:
        words = {"process": "`kill ", "port": "`kill ", "route": "Start the server again"}.get(item["kind"], "`")
        assert words in item["hint"], "a leftover comes with how to remove it"
        for path in re.findall(r"`rm (?:-r )?(\S+)`", item["hint"]):
            assert Path(path).exists(), path
    return {(item["kind"], item["name"]): item["reason"] for item in found}


def test_everything_in_the_home_folder_is_listed_with_what_it_belongs_to(stage: Stage) -> None:
    listed = {item["name"]: item["belongs_to"] for item in items(stage, kind=["folder", "file"])}
    assert {path.name for path in stage.server.home.iterdir()} <= set(listed)
    assert listed["secrets.key"] == "secrets"
    assert listed["delivery"] == "delivery"


def test_everything_of_a_workload_is_explained(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact())
    name = component.rpartition("/")[2]
    mine = [item for item in items(stage) if item["belongs_to"] == component]
    assert {item["kind"] for item in mine} == {"process", "port", "route"}
    for item in mine:
        assert item["is_explained"]
        assert item["reason"] == ""
        assert (item["details"]["workload"], item["details"]["environment"]) == (name, "development")
        assert (item["details"]["application"], item["details"]["version"]) == (name, "1.0.0")
    deployment = mine[0]["details"]["deployment"]
    assert stage.api.get(f"/api/v1/deployments/{deployment}").json()["component"] == component
    assert leftovers(stage) == {}


def test_kinds_and_limit_choose_what_is_listed(stage: Stage) -> None:
    stage.deploy(stage.component(), stage.artifact())
    kinds = {item["kind"] for item in items(stage)}
    assert kinds >= {"process", "port", "route", "folder", "artifact"}
    assert {item["kind"] for item in items(stage, kind=["port", "route"])} == {"port", "route"}
    answer = stage.api.get("/api/v1/inventory", params={"limit": 1}).json()
    assert len(answer["items"]) == 1
    assert answer["total_count"] > 1
    assert answer["unexplained_count"] == 0


@pytest.mark.parametrize("role", ["viewer", "developer", "platform-engineer"])
def test_only_admins_see_the_inventory(stage: Stage, role: str) -> None:
    answer = stage.server.client_as(role).get("/api/v1/inventory")
    assert answer.status_code == 403
    assert "core.inventory.read" in answer.json()["hint"]


@contextmanager
def left_process(stage: Stage) -> Iterator[dict[tuple[str, str], str]]:
    """Leave a process of a sandbox that no workload has, and its port."""
    cookie = f"{stage.server.services.get(Home).executor_id}.{uuid4().hex}"
    command = [sys.executable, "-c", LISTEN]
    with subprocess.Popen(
        command, env={"ROADBED_SANDBOX": cookie}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        yield {
            ("process", f"pid {process.pid}"): "no workload or pipeline has it",
            ("port", f"127.0.0.1:{port}"): f"Process {process.pid} listens there",
        }
        process.communicate("\n")


@contextmanager
def left_folders(stage: Stage) -> Iterator[dict[tuple[str, str], str]]:
    """Leave a folder of an instance, one of an artifact, and one of a repository."""
    name = uuid4()
    left = {
        ("folder", f"environments/instances/{name}"): "the database does not know",
        ("folder", f"environments/artifacts/sha256-{name.hex}"): "no workload runs",
        ("folder", f"delivery/workspaces/{name}"): "No run has this id",
        ("folder", f"delivery/workspaces/.{name}.tmp"): "No run has this id",
        ("folder", f"goldenpaths/{name}"): "No run has it",
        ("folder", f"catalog/{name}"): "No location has this id",
        ("folder", f"left-{name}"): "No part of Roadbed keeps anything under this name",
        ("repository", f"{name}.git"): "No repository has this id",
    }
    home = stage.server.home
    folders = [home / (place if kind == "folder" else f"repositories/{place}") for kind, place in left]
    for folder in folders:
        folder.mkdir(parents=True)
    yield left
    for folder in folders:
        folder.rmdir()


@contextmanager
def left_database(stage: Stage) -> Iterator[dict[tuple[str, str], str]]:
    name = f"left_{uuid4().hex[:12]}"

    async def say(*statements: str) -> None:
        server = await stage.server.services.get(WorkloadServer).start()
        async with server.connect() as connection:
            for statement in statements:
                await connection.execute(statement)

    stage.server.run(say(f"CREATE ROLE {quote_name(name)}", f"CREATE DATABASE {quote_name(name)}"))
    yield {("database", name): "made by hand", ("role", name): "made by hand"}
    stage.server.run(say(f"DROP DATABASE {quote_name(name)}", f"DROP ROLE {quote_name(name)}"))


@contextmanager
def left_artifact(stage: Stage) -> Iterator[dict[tuple[str, str], str]]:
    blobs = stage.server.services.get(BlobStore)
    meta = ArtifactMeta(name="left", version="1", repository="shop/left", commit=uuid4().hex)
    none = Blob("sha256:" + "0" * 64, 0)
    digest = blobs.put(image_manifest(meta, config=none, layer=none)).digest
    yield {("artifact", digest): "did not go on"}
    blobs.remove(digest)


@contextmanager
def left_route(stage: Stage) -> Iterator[dict[tuple[str, str], str]]:
    routes = stage.server.services.get(Routes)
    stage.deploy(stage.component(), stage.artifact())
    known = routes.list_all()
    stale = replace(known[-1], workload=f"left-{uuid4().hex[:8]}", instance_id=uuid4())
    routes.replace([*known, stale], routes.begin())
    yield {("route", f"{stale.host} to {stale.port}"): "does not exist any more"}
    routes.replace(known, routes.begin())


@pytest.mark.parametrize("leave", [left_process, left_folders, left_database, left_artifact, left_route])
def test_leftover_is_named_with_the_reason(stage: Stage, leave: Any) -> None:
    with leave(stage) as left:
        found = leftovers(stage)
        assert set(found) == set(left)
        for key, words in left.items():
            assert words in found[key]
    assert leftovers(stage) == {}


def test_folders_that_somebody_put_there_do_not_hinder_the_start_and_are_left_alone(tmp_path: Path) -> None:
    let_postgres_pass(tmp_path)
    process = RoadbedProcess(tmp_path / "home")
    places = {f"{part}/notes" for part in ("environments/instances", "environments/artifacts", "goldenpaths")}
    for place in places:
        (process.home / place).mkdir(parents=True)
        (process.home / place / "kept").write_text("mine")
    process.start()
    try:
        answer = process.run("inventory", "--unexplained", "-o", "json", token=process.token())
        assert answer.returncode == 1, answer
        found = {item["name"]: item for item in json.loads(answer.stdout)["items"]}
        assert set(found) == places
        assert "it was made by hand" in found["environments/instances/notes"]["reason"]
        assert "it was made by hand" in found["goldenpaths/notes"]["reason"]
        assert f"rm -r {process.home / 'goldenpaths/notes'}" in found["goldenpaths/notes"]["hint"]
    finally:
        assert process.stop() == 0, process.output
    assert {(process.home / place / "kept").read_text() for place in places} == {"mine"}


def test_command_fails_when_something_is_left(stage: Stage) -> None:
    stage.deploy(stage.component(), stage.artifact())
    token = stage.server.token()
    answer = roadbed(stage, "inventory", "--unexplained", token=token)
    assert (answer.returncode, answer.stdout) == (0, "Nothing is unexplained.\n")
    assert "route" in roadbed(stage, "inventory", "--kind", "route", token=token).stdout
    with left_folders(stage) as left:
        answer = roadbed(stage, "inventory", "-o", "json", token=token)
        assert answer.returncode == 1
        assert f"{len(left)} of" in answer.stderr
        found = [item for item in json.loads(answer.stdout)["items"] if not item["is_explained"]]
        assert {(item["kind"], item["name"]) for item in found} == set(left)
    assert roadbed(stage, "inventory", token=stage.server.token("viewer")).returncode == 3
