"""A wrong command line is told in a sentence, with exit code 2, before anything is sent."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.process import RoadbedProcess


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["runs", "show", "nonsense"], "roadbed runs list"),
        (["runs", "follow", "nonsense"], "roadbed runs list"),
        (["token", "revoke", "nonsense"], "roadbed token list"),
        (["approvals", "approve", "nonsense"], "roadbed approvals list"),
        (["resources", "show", "nonsense"], "roadbed resources list"),
        (["locations", "remove", "nonsense"], "roadbed locations list"),
        (["get", "component:"], "names no entity"),
        (["get", "component", "--limit", "0"], "--limit"),
        (["runs", "list", "--limit", "-1"], "--limit"),
        (["apply", "-f", "/nonexistent.yaml"], "No such file"),
        (["apply", "-f", "/tmp"], "Is a directory"),
    ],
)
def test_wrong_argument_is_told_before_anything_is_sent(arguments: list[str], words: str) -> None:
    answer = CliRunner(env={"ROADBED_URL": "http://127.0.0.1:9", "COLUMNS": "400"}).invoke(app, arguments)
    assert answer.exit_code == 2, answer.output
    assert words in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("command", [["token", "create", "--local"], ["db", "status"], ["db", "backup", "x.tar"]])
def test_home_without_an_installation_stays_without_one(tmp_path: Path, command: list[str]) -> None:
    home = tmp_path / "home"
    answer = RoadbedProcess(home).run(*command)
    assert answer.returncode == 4
    assert f"There is no Roadbed in {home}" in answer.stderr
    assert "roadbed up" in answer.stderr
    assert not home.exists()
