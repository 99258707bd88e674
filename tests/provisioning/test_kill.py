"""kill -9 in the middle of making and deleting a database: one role and one database, no orphan, and a last dump."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from roadbed.provisioning.workflows.server import FOLDER
from tests.folders import make_home
from tests.moments import draw_moments
from tests.process import RoadbedProcess
from tests.waiting import wait_for

SEED = 20261124
VICTIMS = ("server", "postgres", "both")


@pytest.fixture
def roadbed(tmp_path: Path) -> Iterator[RoadbedProcess]:
    home = make_home(tmp_path)
    roadbed = RoadbedProcess(home).start()
    yield roadbed
    if roadbed.process is not None and roadbed.process.poll() is None:
        assert roadbed.stop() == 0, roadbed.output


def workload_postgres(roadbed: RoadbedProcess) -> int | None:
    """Return the process id of the PostgreSQL for workloads; None before it was ever started."""
    pointer = roadbed.home / FOLDER / "location"
    folder = Path(pointer.read_text().strip()) if pointer.exists() else roadbed.home / FOLDER
    try:
        return int((folder / "data" / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError):
        return None


def finish(roadbed: RoadbedProcess, token: str, run_id: str) -> dict[str, Any]:
    """Wait for the end of a run; one that an outage of PostgreSQL failed is taken up again."""

    def look() -> dict[str, Any]:
        run: dict[str, Any] = client.get(f"/api/v1/runs/{run_id}").json()
        if run["state"] == "failed":
            client.post(f"/api/v1/runs/{run_id}/retry").raise_for_status()
        return run

    with roadbed.client(token) as client:
        ended: dict[str, Any] = wait_for(look, lambda run: run["finished_at"] and run["state"] != "failed")
        return ended


def strike(roadbed: RoadbedProcess, victim: str) -> None:
    if victim in ("postgres", "both"):
        pid = workload_postgres(roadbed)
        if pid is not None:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                print("the PostgreSQL of workloads had not started yet")  # noqa: T201 - which moment it was
    if victim in ("server", "both"):
        roadbed.kill()
        roadbed.start()


def until_step(client: httpx.Client, run_id: str, key: str, *, is_stopped: Callable[[], bool]) -> None:
    """Wait until a step of a run has begun."""
    while not is_stopped():
        steps = client.get(f"/api/v1/runs/{run_id}").json()["steps"]
        if next(step for step in steps if step["key"] == key)["state"] != "pending":
            return
        time.sleep(0.005)


def databases(roadbed: RoadbedProcess, token: str) -> list[str]:
    """Return kind and name of the databases and roles of workloads; a leftover of anything fails."""
    answer = roadbed.run("inventory", "-o", "json", token=token)
    assert answer.returncode == 0, answer.stdout
    items = json.loads(answer.stdout)["items"]
    return sorted(f"{one['kind']} {one['name']}" for one in items if one["kind"] in ("database", "role"))


@pytest.mark.slow
def test_database_is_made_and_deleted_exactly_once_through_kills(
    roadbed: RoadbedProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = draw_moments(capsys, f"{2 * len(VICTIMS)} kills", seed=SEED)
    token = roadbed.token()
    for number, victim in enumerate(VICTIMS):
        body = {"application": f"component:app{number}", "environment": "development", "type": "postgres", "id": "db"}
        keyed = {"Idempotency-Key": f"kill-{number}"}
        with roadbed.client(token) as client:
            made = client.post("/api/v1/resources", json=body, headers=keyed).json()["run_id"]
            until_step(client, made, "apply-postgres-db", is_stopped=deadline(30))
        time.sleep(moments.uniform(0.0, 0.4))
        strike(roadbed, victim)
        assert finish(roadbed, token, made)["state"] == "succeeded"
        with roadbed.client(token) as client:
            assert client.post("/api/v1/resources", json=body, headers=keyed).json()["run_id"] == made
            (resource,) = client.get("/api/v1/resources").json()["items"]
            name = resource["outputs"]["database"]
            assert databases(roadbed, token) == [f"database {name}", f"role {name}"]
            gone = client.delete(f"/api/v1/resources/{resource['id']}").json()["run_id"]
            until_step(client, gone, "destroy", is_stopped=deadline(30))
        time.sleep(moments.uniform(0.0, 0.3))
        strike(roadbed, victim)
        run = finish(roadbed, token, gone)
        assert run["state"] == "succeeded"
        assert databases(roadbed, token) == []
        dumps = list((roadbed.home / "dumps").iterdir())
        assert [dump.name for dump in dumps if dump.name.startswith(name)] == [f"{name}-{gone}.dump"]
        assert not [dump for dump in dumps if dump.suffix == ".partial"]


def deadline(seconds: float) -> Callable[[], bool]:
    at = time.monotonic() + seconds
    return lambda: time.monotonic() > at
