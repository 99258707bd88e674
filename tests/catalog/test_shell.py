"""Looking back, going back and looking around from a shell."""

import json
from collections.abc import Callable

import httpx
import pytest
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.catalog.conftest import component
from tests.support import RunningServer

YAML = {"content-type": "application/yaml"}
Shell = Callable[..., str]


@pytest.fixture(scope="module")
def shell(server: RunningServer) -> Shell:
    runner = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "400"})

    def run(*arguments: str) -> str:
        done = runner.invoke(app, arguments)
        assert done.exit_code == 0, f"{done.output}\n{done.exception}"
        return done.stdout

    return run


def test_entity_is_looked_back_at_and_restored(shell: Shell, api: httpx.Client) -> None:
    for lifecycle in ("one", "two"):
        text = component("sh-a", lifecycle=lifecycle, dependsOn="[component:sh-b]") + component("sh-b")
        api.post("/api/v1/entities", content=text, headers=YAML)
    table = shell("history", "component:sh-a")
    assert "~spec.lifecycle" in table
    newest, first = json.loads(shell("history", "component:default/sh-a", "-o", "json"))
    assert "is version" in shell(
        "restore", "component:sh-a", "--to", str(first["position"]), "--etag", newest["digest"]
    )
    assert api.get("/api/v1/entities/component/default/sh-a").json()["spec"]["lifecycle"] == "one"
    then = shell("get", "component:sh-a", "--as-of", newest["at"], "-o", "json")
    assert json.loads(then)["spec"]["lifecycle"] == "two"
    assert "component:default/sh-a" in shell("impact", "component:sh-b")


def test_lists_are_printed_as_lines_for_programs(shell: Shell, api: httpx.Client) -> None:
    api.post("/api/v1/entities", content=component("sh-csv", owner="sh-team"), headers=YAML)
    lines = shell("get", "component", "--owner", "sh-team", "-o", "csv", "--columns", "name,owner").splitlines()
    assert lines == ["name,owner", "sh-csv,group:default/sh-team"]
    (line,) = shell("get", "component", "--owner", "sh-team", "-o", "ndjson").splitlines()
    assert json.loads(line)["ref"] == "component:default/sh-csv"
    assert shell("schema", "-o", "csv").startswith("name,description")
