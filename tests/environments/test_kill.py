"""A server that is killed while workloads run, and while one is deployed; and what is said when something runs out."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import plain_http
from tests.folders import make_home
from tests.process import RoadbedProcess
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

ENDED = ("succeeded", "failed", "cancelled")


class Site:
    """A server as a process, with a component of which 1.0.0 runs in development and 2.0.0 and 3.0.0 in staging."""

    def __init__(self, roadbed: RoadbedProcess, component: str) -> None:
        self.roadbed = roadbed
        self.component = component
        self.name = component.rpartition("/")[2]
        self.token = ""

    def start(self, **env: str) -> None:
        self.roadbed.env = env
        self.roadbed.start()
        self.token = self.token or self.roadbed.token()

    def get(self, path: str, **query: Any) -> Any:
        with self.roadbed.client(self.token) as client:
            answer = client.get(f"/api/v1{path}", params=query)
        assert answer.is_success, answer.text
        return answer.json()

    def deploy(self, version: str) -> dict[str, Any]:
        body = {"component": self.component, "environment": "development", "version": version}
        with self.roadbed.client(self.token) as client:
            answer = client.post("/api/v1/deployments", json=body)
        assert answer.status_code == 202, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def workload(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/environments/{self.name}/development")["workloads"][0]
        return found

    def ends(self, run_id: str) -> dict[str, Any]:
        found: dict[str, Any] = wait_for(lambda: self.get(f"/runs/{run_id}"), lambda run: run["state"] in ENDED)
        return found

    def processes(self, environment: str = "development") -> set[int]:
        found = self.get("/inventory", kind="process")["items"]
        return {item["details"]["pid"] for item in found if item["details"].get("environment") == environment}

    def port(self) -> int:
        found = self.get("/inventory", kind="port")["items"]
        (one,) = [item for item in found if item["details"].get("environment") == "development"]
        return int(one["name"].rpartition(":")[2])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("killed")
    home = make_home(folder)
    prepared = subprocess.run(
        [sys.executable, "-m", "tests.environments.prepare", home, folder / "trees"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert prepared.returncode == 0, prepared.stderr
    component = prepared.stdout.splitlines()[-1]
    site = Site(RoadbedProcess(home), component)
    site.start()
    yield site
    assert site.roadbed.stop() == 0, site.roadbed.output


def test_workload_lives_on_while_the_server_is_dead_and_is_taken_back(site: Site) -> None:
    wait_for(site.workload, lambda found: found["health"] == "healthy")
    before, port, version = site.processes(), site.port(), site.workload()["version"]
    site.roadbed.kill()
    assert plain_http.get(f"http://127.0.0.1:{port}/", timeout=10).json()["version"] == version
    site.start()
    assert (site.processes(), site.port()) == (before, port)
    assert (site.workload()["restarts"], site.workload()["health"]) == (0, "healthy")
    assert site.get("/inventory", unexplained=True)["items"] == []


@pytest.mark.parametrize("step", ["begin", "ready", "switch"])
def test_deployment_that_was_cut_off_completes_once(site: Site, step: str) -> None:
    version = "1.0.0" if site.workload()["version"] == "2.0.0" else "2.0.0"
    earlier = len(site.get(f"/environments/{site.name}/development/deployments")["items"])
    deployment = site.deploy(version)

    def is_there(run: dict[str, Any]) -> bool:
        states = {one["key"]: one["state"] for one in run["steps"]}
        return bool(states[step] != "pending")

    wait_for(lambda: site.get(f"/runs/{deployment['run_id']}"), is_there)
    site.roadbed.kill()
    site.start()
    run = site.ends(deployment["run_id"])
    assert run["state"] == "succeeded", run["error"]
    found = site.get(f"/environments/{site.name}/development/deployments")["items"]
    assert (len(found), found[0]["state"]) == (earlier + 1, "succeeded")
    assert plain_http.get(f"http://127.0.0.1:{site.port()}/", timeout=10).json()["version"] == version
    workload = wait_for(site.workload, lambda one: one["health"] == "healthy")
    assert (workload["version"], workload["deployment_id"]) == (version, deployment["id"])
    processes = [item for item in site.get("/inventory")["items"] if item["kind"] == "process"]
    deployments = {item["details"]["deployment"] for item in processes if "deployment" in item["details"]}
    assert deployment["id"] in deployments
    assert len(deployments) == 2  # this one, and that of staging
    assert site.get("/inventory", unexplained=True)["items"] == []


@pytest.fixture
def narrow(site: Site) -> Iterator[Site]:
    """Give the server with a small quota for logs and no port that is free."""
    port = site.port()
    assert site.roadbed.stop() == 0
    site.start(
        ROADBED_ENVIRONMENTS__LOG_BYTES="2048",
        ROADBED_ENVIRONMENTS__FIRST_PORT=str(port),
        ROADBED_ENVIRONMENTS__PORT_COUNT="1",
    )
    yield site
    assert site.roadbed.stop() == 0
    site.start()


def test_what_runs_out_is_named_with_what_to_do(narrow: Site) -> None:
    path = f"/environments/{narrow.name}/staging/workloads/{narrow.name}/logs"
    lines = wait_for(  # a workload that was started again prints all of it once more
        lambda: narrow.get(path, limit=5000)["lines"],
        lambda found: any("were dropped" in line for line in found) and "noise 0" not in found,
    )
    said = [line for line in lines if "were dropped" in line][-1]
    assert "it keeps 2" in said
    assert "ROADBED_ENVIRONMENTS__LOG_BYTES" in said
    before = narrow.workload()
    run = narrow.ends(narrow.deploy("3.0.0")["run_id"])
    assert (run["state"], run["error"]["code"]) == ("failed", "environments.no_free_port")
    assert "All ports for workloads, " in run["error"]["message"]
    assert "ROADBED_ENVIRONMENTS__PORT_COUNT" in run["error"]["hint"]
    assert narrow.workload()["version"] == before["version"]  # it goes on
