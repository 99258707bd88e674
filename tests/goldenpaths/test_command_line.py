"""`roadbed create`, as scripts and people use it."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.goldenpaths.conftest import Paths
from tests.process import RoadbedProcess


@pytest.fixture
def shell(paths: Paths, tmp_path: Path) -> RoadbedProcess:
    """The command line, beside the shared server."""
    return RoadbedProcess(tmp_path / "home", url=paths.server.base_url)


def create(shell: RoadbedProcess, paths: Paths, *arguments: str) -> subprocess.CompletedProcess[str]:
    return shell.run("create", *arguments, token=paths.server.token("developer"))


def test_created_service_is_shown_with_where_it_is(paths: Paths, shell: RoadbedProcess) -> None:
    name = paths.publish_folder("service")

    done = create(
        shell,
        paths,
        name,
        *("--set", "name=by-hand", "--set", "owner=group:default/checkout", "--set", "extras=true"),
        *("--set", "ports=80", "--set", "ports=443", "--wait"),
    )

    assert done.returncode == 0, done.stderr
    assert "Create the repository: succeeded  checkout/by-hand" in done.stdout
    assert f"{paths.server.base_url}/catalog/component/default/by-hand" in done.stdout
    preview = paths.post("preview", name="by-hand-2", owner="group:default/checkout", ports=[80, 443]).json()
    assert "port-443.txt" in preview["files"]


def test_script_reads_json_and_nothing_else(paths: Paths, shell: RoadbedProcess) -> None:
    name = paths.publish_folder("service")

    done = create(
        shell,
        paths,
        f"template:default/{name}",
        *("--set", "name=by-script", "--set", "owner=group:default/checkout", "--wait", "-o", "json"),
    )

    result = json.loads(done.stdout)
    assert result["state"] == "succeeded"
    assert result["url"] == f"{paths.server.base_url}/runs/{result['run_id']}"
    links = {link["title"]: link["url"] for link in result["links"]}
    assert links["checkout/by-script"] == f"{paths.server.base_url}/repositories/checkout/by-script"
    assert "Render the service: succeeded" in done.stderr


def test_without_wait_the_run_is_named_and_goes_on(paths: Paths, shell: RoadbedProcess) -> None:
    name = paths.publish_folder("service")
    answers = ("--set", "name=later", "--set", "owner=group:default/checkout", "--key", "one", "-o", "name")

    first, second = create(shell, paths, name, *answers), create(shell, paths, name, *answers)

    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert paths.wait(first.stdout.strip())["state"] == "succeeded"


def test_each_missing_and_wrong_value_is_named(paths: Paths, shell: RoadbedProcess) -> None:
    name = paths.publish_folder("service")

    refused = create(shell, paths, name, "--set", "name=Refunds", "--set", "nmae=x", "--set", "extras=perhaps")

    assert refused.returncode == 1
    assert "name: It does not have the form that is wanted" in refused.stderr
    assert "owner: An answer is needed here." in refused.stderr
    assert "extras: It must be yes or no." in refused.stderr
    assert "nmae: This path does not ask for nmae. Did you mean name?" in refused.stderr


def test_exit_codes_tell_a_wrong_command_an_unknown_path_and_a_failed_run(paths: Paths, shell: RoadbedProcess) -> None:
    name = paths.publish_steps({"id": "none", "action": "fetch:template", "input": {"url": "./nowhere"}})

    assert create(shell, paths, name, "--set", "name").returncode == 2
    assert create(shell, paths, name, "--set", "name=a", "--set", "name=b").returncode == 2
    unknown = create(shell, paths, "no-such-path", "--set", "name=a")
    failed = create(shell, paths, name, "--set", "name=a", "--wait")

    assert unknown.returncode == 4
    assert f"default/{name}" in unknown.stderr
    assert failed.returncode == 1
    assert "has no path/nowhere at" in failed.stdout


def test_without_a_path_they_are_listed(paths: Paths, shell: RoadbedProcess) -> None:
    name = paths.publish_folder("service")

    listed = create(shell, paths)

    assert listed.returncode == 0
    assert "Small service" in listed.stdout
    assert name in create(shell, paths, "-o", "name").stdout.split()
