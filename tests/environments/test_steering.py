"""Restarting, stopping and starting workloads, and following what they print."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests import plain_http
from tests.environments.conftest import Stage
from tests.environments.test_api import address


def workload(stage: Stage, component: str) -> dict[str, Any]:
    found: dict[str, Any] = stage.api.get(address(component)).json()["workloads"][0]
    return found


def steer(stage: Stage, component: str, verb: str) -> dict[str, Any]:
    """Restart or stop the workload, and return the run at its end."""
    name = component.rpartition("/")[2]
    answer = stage.api.post(f"{address(component)}/workloads/{name}/{verb}")
    assert answer.status_code == 202, answer.text
    return stage.ends(answer.json()["run_id"])


def ask(stage: Stage, component: str) -> httpx.Response:
    """Ask the workload under its own name."""
    name = component.rpartition("/")[2]
    return plain_http.get(stage.server.base_url, headers={"Host": f"{name}.development.{name}.localhost"}, timeout=10)


def test_restart_exchanges_the_process_and_keeps_the_rest(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact())
    before = ask(stage, component).json()
    run = steer(stage, component, "restart")
    assert run["state"] == "succeeded", run["error"]
    assert run["title"] == f"Restart {component.rpartition('/')[2]} in development"
    after = ask(stage, component).json()
    log = stage.api.get(f"{address(component)}/workloads/{component.rpartition('/')[2]}/logs").json()["lines"]
    assert log.count("service 1.0.0 starts") == 2
    assert before["env"]["PORT"] == after["env"]["PORT"]
    found = workload(stage, component)
    assert (found["health"], found["restarts"], found["is_stopped"]) == ("healthy", 0, False)


def test_stopped_workload_keeps_its_version_and_starts_again(stage: Stage) -> None:
    component = stage.component()
    artifact = stage.artifact("3.1.0")
    stage.deploy(component, artifact)
    assert steer(stage, component, "stop")["state"] == "succeeded"
    found = workload(stage, component)
    assert (found["version"], found["is_stopped"], found["state"], found["url"]) == ("3.1.0", True, "stopped", None)
    assert found["health"] == "unknown"
    assert found["health_summary"].startswith("Stopped by ")
    answer = ask(stage, component)
    assert answer.status_code == 503
    assert "does not run" in answer.text
    folders = stage.api.get("/api/v1/inventory", params={"kind": "folder"}).json()["items"]
    own = [item["is_explained"] for item in folders if item["name"].endswith(artifact.digest.replace(":", "-"))]
    assert own == [True]
    run = steer(stage, component, "restart")
    assert run["state"] == "succeeded", run["error"]
    assert run["title"].startswith("Start ")
    assert ask(stage, component).json()["version"] == "3.1.0"
    assert workload(stage, component)["health"] == "healthy"


def test_deployment_takes_over_from_a_stopped_workload(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    steer(stage, component, "stop")
    stage.deploy(component, stage.artifact("2.0.0"))
    assert ask(stage, component).json()["version"] == "2.0.0"
    assert workload(stage, component)["is_stopped"] is False


def test_restart_that_does_not_become_ready_says_what_to_do(stage: Stage) -> None:
    component = stage.component()
    first = "open(os.path.expanduser('~/ran'), 'x')"  # fails the second time
    stage.deploy(component, stage.artifact(first=first))
    run = steer(stage, component, "restart")
    assert run["state"] == "failed"
    assert "does not stay up" in run["error"]["message"]
    assert "deploy another version, or stop it" in run["error"]["hint"]
    assert steer(stage, component, "stop")["state"] == "succeeded"


@pytest.mark.parametrize("verb", ["restart", "stop"])
def test_viewer_may_not_steer(stage: Stage, verb: str) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact())
    name = component.rpartition("/")[2]
    answer = stage.server.client_as("viewer").post(f"{address(component)}/workloads/{name}/{verb}")
    assert answer.status_code == 403


def events(answer: httpx.Response) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield id, name and data of server-sent events."""
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif "event" in event:
            yield event.get("id", ""), event.pop("event"), json.loads(event["data"])


def test_follower_gets_each_line_once_over_reconnection_and_deployment(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    url = f"{address(component)}/workloads/{component.rpartition('/')[2]}/logs/events"
    with stage.api.stream("GET", url) as answer:
        seen = events(answer)
        last_id, name, data = next(seen)
        assert (name, data["number"]) == ("line", 1)
        assert data["text"].startswith("[roadbed] starting")
        while "service 1.0.0 starts" not in data["text"]:
            last_id, _, data = next(seen)
    number = data["number"]
    ask(stage, component)
    stage.deploy(component, stage.artifact("2.0.0"))
    with stage.api.stream("GET", url, headers={"Last-Event-ID": last_id}) as answer:
        lines = []
        for _, _, data in events(answer):
            if data["number"] > number:
                number = data["number"]
                lines.append(data["text"])
            if "service 2.0.0 starts" in data["text"]:
                break
    assert lines.count("asked for /") == 1
    assert lines.count("[roadbed] stopped") == 1
    assert lines.index("asked for /") < lines.index("[roadbed] stopped") < lines.index("service 2.0.0 starts")
    assert "service 1.0.0 starts" not in lines


def test_log_of_a_deployment_that_failed_is_there(stage: Stage) -> None:
    component = stage.component()
    run = stage.ends(stage.start(component, stage.artifact(first="raise SystemExit('no licence')")).run_id)
    assert run["state"] == "failed"
    answer = stage.api.get(f"{address(component)}/workloads/{component.rpartition('/')[2]}/logs")
    assert "no licence" in answer.json()["lines"]
