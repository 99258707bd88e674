"""The main job in a shell: create a service, see it run, read its log, deploy, go back, stop and start it."""

import json
from typing import Any

import pytest

from tests.main_job.support import OWNER, Installation, Json, open_service

pytestmark = pytest.mark.slow


def test_service_is_created_run_and_looked_after_in_a_shell(made: Installation) -> None:
    shell = Shell(made)
    values = ("--set", "name=shelled", "--set", f"owner={OWNER}", "--set", "greeting=Good day")
    result = shell.read("create", "small-service", *values, "--wait")
    assert result["state"] == "succeeded", result
    assert {link["kind"] for link in result["links"]} >= {"repository", "entity", "pipeline"}
    assert shell.read("get", "component:shelled")["metadata"]["name"] == "shelled"

    workload = shell.read("env", "show", "shelled", "development")["workloads"][0]
    assert (workload["health"], workload["state"]) == ("healthy", "running")
    assert open_service(workload["url"]).text == "Good day from shelled"
    assert "GET /readyz" in shell.run("logs", "shelled", "-e", "development")

    again = shell.read("deploy", "shelled", "-e", "development", "--wait")
    assert again["state"] == "succeeded", again
    shell.run("env", "stop", "shelled", "development", "shelled", "--wait")
    assert open_service(workload["url"]).status_code == 503
    shell.run("env", "restart", "shelled", "development", "shelled", "--wait")
    assert open_service(workload["url"]).text == "Good day from shelled"
    assert [item for item in shell.read("inventory")["items"] if not item["is_explained"]] == []


class Shell:
    """The command line against an installation."""

    def __init__(self, made: Installation) -> None:
        self.made = made

    def run(self, *arguments: str) -> str:
        done = self.made.roadbed.run(*arguments, token=self.made.token)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def read(self, *arguments: str) -> Json:
        found: Any = json.loads(self.run(*arguments, "-o", "json"))
        return found if isinstance(found, dict) else {"items": found}
