"""Environments in a shell: deploy, logs, env; exit codes that scripts rely on."""

import json
import subprocess
from typing import Any

from tests.environments.conftest import Stage
from tests.environments.shell import roadbed
from tests.process import RoadbedProcess


def data(answer: subprocess.CompletedProcess[str]) -> Any:
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def test_service_is_deployed_compared_promoted_and_rolled_back(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    stage.deploy(component, stage.artifact("1.0.0"))
    stage.deploy(component, stage.artifact("2.0.0"))
    answer = roadbed(stage, "deploy", name, "-e", "staging", "--version", "1.0.0", "--wait")
    assert answer.returncode == 0, answer.stderr
    assert f"Wait until {name} is ready: succeeded" in answer.stdout
    shown = roadbed(stage, "env", "compare", name, "staging", "development")
    assert shown.returncode == 0
    assert [line.split() for line in shown.stdout.splitlines() if "version" in line] == [
        [name, "~", "version", "1.0.0", "2.0.0"]
    ]
    found = data(roadbed(stage, "promote", name, "--from", "development", "--to", "staging", "--wait", "-o", "json"))
    assert (found["version"], found["state"]) == ("2.0.0", "succeeded")
    assert "do not differ" in roadbed(stage, "env", "compare", name, "staging", "development").stdout
    found = data(roadbed(stage, "rollback", name, "staging", "--wait", "-o", "json"))
    assert found["version"] == "1.0.0"
    (staging,) = [
        one for one in data(roadbed(stage, "env", "list", "-a", name, "-o", "json")) if one["name"] == "staging"
    ]
    assert staging["workloads"][0]["version"] == "1.0.0"
    assert "1.0.0" in roadbed(stage, "env", "show", name, "staging").stdout
    assert f"Nothing runs in production of {name}." in roadbed(stage, "env", "show", name, "production").stdout


def test_deployment_that_waits_for_an_approval_has_its_exit_code(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    stage.deploy(component, stage.artifact("1.0.0"))
    answer = roadbed(stage, "promote", name, "--from", "development", "--to", "production", "--wait")
    assert answer.returncode == 5, answer.stderr
    assert "Approve production: waiting" in answer.stdout


def test_workload_is_stopped_and_restarted(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    stage.deploy(component, stage.artifact("1.0.0"))
    assert roadbed(stage, "env", "stop", name, "development", name, "--wait").returncode == 0
    assert "Stopped by" in roadbed(stage, "env", "show", name, "development").stdout
    assert roadbed(stage, "env", "restart", name, "development", name, "--wait").returncode == 0
    assert "healthy" in roadbed(stage, "env", "show", name, "development").stdout


def test_logs_are_printed_and_followed(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    stage.deploy(component, stage.artifact("1.0.0"))
    printed = roadbed(stage, "logs", name, "-e", "development").stdout.splitlines()
    assert "service 1.0.0 starts" in printed
    assert roadbed(stage, "logs", name, "-e", "development", "--tail", "1").stdout.count("\n") == 1
    process = RoadbedProcess(stage.server.home, url=stage.server.base_url)
    environment = process.environment | {"ROADBED_URL": process.url, "ROADBED_TOKEN": stage.server.token()}
    command: list[str] = [str(process.program), "logs", name, "-e", "development", "--follow", "--tail", "1"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert follower.stdout.readline()  # it is connected
        stage.deploy(component, stage.artifact("2.0.0"))
        for line in follower.stdout:
            if "service 2.0.0 starts" in line:
                break
        else:
            raise AssertionError("the follower ended")
        follower.terminate()


def test_what_does_not_exist_or_is_unclear_is_said(stage: Stage) -> None:
    answer = roadbed(stage, "logs", "no-such-workload", "-e", "development")
    assert (answer.returncode, answer.stdout) == (4, "")
    assert "There is no workload 'no-such-workload' in development." in answer.stderr
    answer = roadbed(stage, "deploy", "no-such-component", "-e", "development")
    assert answer.returncode == 4
    assert roadbed(stage, "deploy", "orders").returncode == 2
    viewer = stage.server.token("viewer")
    assert roadbed(stage, "deploy", "no-such-component", "-e", "development", token=viewer).returncode == 3
