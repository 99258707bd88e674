"""The first start with the sample: a service made from the path python-fastapi, from nothing to healthy."""

import subprocess
from pathlib import Path

import httpx
import pytest

from tests import plain_http
from tests.folders import make_home
from tests.main_job.support import Installation, Json
from tests.process import RoadbedProcess
from tests.waiting import wait_for


def healthy(installation: Installation) -> Json | None:
    """Return the workload hello in development once it is healthy; fail as soon as a run does."""
    for run in installation.get("/api/v1/runs")["items"]:
        if run["state"] == "failed":
            steps = [(step["title"], step["error"]) for step in installation.run(run["id"])["steps"] if step["error"]]
            pytest.fail(f"{run['title']}: {steps}")
    answer = installation.client.get("/api/v1/environments/hello/development")
    workloads = answer.json()["workloads"] if answer.status_code == 200 else []
    return next((workload for workload in workloads if workload["health"] == "healthy"), None)


@pytest.mark.slow
def test_first_start_makes_a_service_that_runs_and_keeps_what_it_is_told(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    installation = Installation(RoadbedProcess(home), tmp_path)
    installation.roadbed.start("--sample")
    try:
        installation.token = installation.roadbed.token()
        check_organisation(installation)
        workload: Json = wait_for(lambda: healthy(installation), seconds=240, what="hello in development")
        check_service(workload)
        check_repository(installation)
        check_runs(installation)
        lost = [item for item in installation.get("/api/v1/inventory")["items"] if not item["is_explained"]]
        assert lost == []
        installation.roadbed.stop()
        installation.roadbed.start("--sample")
        again: Json = wait_for(lambda: healthy(installation), what="hello after a restart")
        assert again["deployment_id"] == workload["deployment_id"]
        creations = installation.get("/api/v1/runs", kind="goldenpaths.create")["items"]
        assert [run["title"] for run in creations] == ["Create hello"]
    finally:
        installation.close()
        installation.roadbed.stop()


def check_organisation(installation: Installation) -> None:
    """List what the sample brings, in a shell, while hello is being made."""
    shell = installation.roadbed
    token = shell.token("viewer")
    wait_for(lambda: shell.run("get", "component:orders", token=token).returncode == 0, what="the organisation")
    refs = shell.run("get", "component", "--owner", "team-checkout", "-o", "name", token=token).stdout.split()
    assert [ref for ref in refs if ref != "component:default/hello"] == [
        f"component:default/{name}"
        for name in ("cart", "checkout-web", "notifications", "orders", "promotions", "tax-rules")
    ]


def check_service(workload: Json) -> None:
    """Use it under its own address, as a browser would: *.localhost is this machine."""
    address = httpx.URL(workload["url"])
    assert address.host.endswith(".localhost")
    with plain_http.Client(
        base_url=address.copy_with(host="127.0.0.1"), headers={"Host": address.netloc.decode()}
    ) as client:
        ready = client.get("/readyz")
        assert ready.status_code == 200, ready.text
        assert "http_" in client.get("/metrics").text
        made = client.post("/v1/notes", json={"title": "Remember the milk"})
        assert made.status_code == 201, made.text
        assert "Remember the milk" in client.get("/v1/notes").text


def check_repository(installation: Installation) -> None:
    clone = installation.folder / "hello"
    installation.git(installation.folder, "clone", "--quiet", installation.address("team-checkout", "hello"), "hello")
    assert (clone / "Makefile").is_file()
    assert "python-fastapi" in (clone / ".roadbed" / "path.yaml").read_text()
    listed = subprocess.run(["git", "ls-files"], cwd=clone, capture_output=True, text=True, check=True).stdout.split()
    assert {"score.yaml", "catalog-info.yaml", "Dockerfile", "requirements.txt"} <= set(listed)


def check_runs(installation: Installation) -> None:
    pipeline = installation.get("/api/v1/runs", kind="delivery.pipeline")["items"][0]
    detail = installation.get(f"/api/v1/pipelines/runs/{pipeline['id']}")
    assert detail["tests"]["failed"] == 0
    assert detail["tests"]["total"] >= 40
    assert detail["artifact"]
    entity = installation.get("/api/v1/entities/component/default/hello")
    assert entity["metadata"]["name"] == "hello"
