"""The server's commands as processes: up, db, config, token --local; and the exit codes that scripts rely on."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from tests.folders import let_postgres_pass, make_home
from tests.process import RoadbedProcess

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def roadbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoadbedProcess]:
    """A server after its first start."""
    folder = tmp_path_factory.mktemp("cli")
    home = make_home(folder)
    roadbed = RoadbedProcess(home).start()
    yield roadbed
    assert roadbed.stop() == 0, roadbed.output


def test_first_start_prints_the_password_once(roadbed: RoadbedProcess) -> None:
    assert roadbed.output.count("with the password one-time-") == 1
    assert "Stop with Ctrl-C." in roadbed.output


def test_second_server_is_kept_off_the_folder(roadbed: RoadbedProcess) -> None:
    refused = roadbed.run("up", "--port", "0")
    assert refused.returncode == 1
    assert f"is in use by process {roadbed.process.pid if roadbed.process else 0}" in refused.stderr
    assert "choose another folder with --home" in refused.stderr


def test_port_in_use_is_told_before_anything_starts(roadbed: RoadbedProcess, tmp_path: Path) -> None:
    port = roadbed.url.rpartition(":")[2]
    refused = roadbed.run("up", "--port", port, "--home", str(tmp_path / "other"))
    assert refused.returncode == 1
    assert roadbed.process is not None
    assert f"cannot listen on 127.0.0.1:{port}: process {roadbed.process.pid} (" in refused.stderr
    assert "choose another one with --port or ROADBED_PORT" in refused.stderr
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["get", "component:nobody-made-this"], 4, "There is no component:default/nobody-made-this"),
        (["runs", "show", "01a20a58-9ccd-734d-b6d3-08a868fee990"], 4, "There is no run"),
        (["runs", "list", "--nonsense"], 2, "No such option"),
        (["get", "componnet"], 4, "Did you mean Component?"),
        (["get", "componnet:orders"], 4, "Did you mean Component?"),
        (["apply", "-f", "-"], 1, "kind"),
    ],
)
def test_exit_codes_tell_what_went_wrong(roadbed: RoadbedProcess, arguments: list[str], code: int, words: str) -> None:
    answer = roadbed.run(*arguments, token=roadbed.token(), stdin="apiVersion: v1\n")
    assert answer.returncode == code, answer
    assert words in answer.stderr


def test_schema_of_a_kind_is_printed_as_json(roadbed: RoadbedProcess) -> None:
    printed = json.loads(roadbed.run("schema", "component").stdout)
    assert printed["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "lifecycle" in printed["properties"]["spec"]["properties"]
    kinds = roadbed.run("schema", "-o", "name", token=roadbed.token("viewer")).stdout.split()
    assert {"Component", "Group", "ResourceType"} <= set(kinds)
    unknown = roadbed.run("schema", "componnet")
    assert unknown.returncode == 4
    assert "Did you mean Component?" in unknown.stderr


def test_viewer_is_denied_with_what_it_takes(roadbed: RoadbedProcess) -> None:
    document = "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: mine}\nspec: {owner: platform}\n"
    denied = roadbed.run("apply", "-f", "-", token=roadbed.token("viewer"), stdin=document)
    assert denied.returncode == 3
    assert "catalog.entity.write" in denied.stderr
    allowed = roadbed.run("apply", "-f", "-", token=roadbed.token("developer"), stdin=document)
    assert allowed.returncode == 0, allowed.stderr
    assert "system:default/mine" in allowed.stdout


def test_server_that_is_not_there_is_told_with_the_next_step(tmp_path: Path) -> None:
    answer = RoadbedProcess(tmp_path / "home", url="http://127.0.0.1:9").run("runs", "list")
    assert answer.returncode == 1
    assert "There is no answer from http://127.0.0.1:9" in answer.stderr
    assert "roadbed up" in answer.stderr


def test_backup_restored_elsewhere_gives_the_same_catalog_and_runs(tmp_path: Path) -> None:
    let_postgres_pass(tmp_path)
    roadbed = RoadbedProcess(tmp_path / "home").start()
    try:
        _back_up_and_restore(roadbed, tmp_path)
    finally:
        assert roadbed.stop() == 0, roadbed.output


def _back_up_and_restore(roadbed: RoadbedProcess, tmp_path: Path) -> None:
    token = roadbed.token()
    document = "apiVersion: backstage.io/v1alpha1\nkind: Domain\nmetadata: {name: kept}\nspec: {owner: platform}\n"
    applied = roadbed.run("apply", "-f", "-", token=token, stdin=document)
    assert applied.returncode == 0, applied
    for run in json.loads(roadbed.run("runs", "list", "-o", "json", token=token).stdout):
        assert roadbed.run("runs", "follow", run["id"], token=token).returncode == 0
    runs = roadbed.run("runs", "list", "-o", "json", token=token).stdout
    archive = tmp_path / "roadbed.tar"
    assert roadbed.run("db", "backup", str(archive)).returncode == 0
    other = RoadbedProcess(tmp_path / "other")
    restored = other.run("db", "restore", str(archive))
    assert restored.returncode == 0, restored.stderr
    assert "the secrets key" in restored.stdout
    again = other.run("db", "restore", str(archive))
    assert again.returncode == 1
    assert "is not empty" in again.stderr
    try:
        other.start()
        assert "one-time" not in other.output
        entities = other.run("get", "all", "-o", "json", token=token)
        assert json.loads(entities.stdout) == json.loads(roadbed.run("get", "all", "-o", "json", token=token).stdout)
        assert json.loads(other.run("runs", "list", "-o", "json", token=token).stdout) == json.loads(runs)
        assert refs_of(other) == refs_of(roadbed)
    finally:
        assert other.stop() == 0, other.output


def refs_of(roadbed: RoadbedProcess) -> dict[str, list[str]]:
    """Return the refs of all repositories with what they lead to, as git reads them from the folders."""
    found = {}
    for folder in (roadbed.home / "repositories").glob("*.git"):
        command = ["git", "-c", "safe.directory=*", f"--git-dir={folder}", "for-each-ref"]
        found[folder.name] = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert any(line.endswith("\trefs/heads/main") for lines in found.values() for line in lines)
    return found


def test_local_token_is_as_it_was_asked_for(roadbed: RoadbedProcess) -> None:
    options = ("--name", "nightly", "--days", "2", "--scope", "catalog.*", "-o", "yaml")
    made = yaml.safe_load(roadbed.run("token", "create", "--local", *options).stdout)
    assert (made["name"], made["account"]) == ("nightly", "local-admin")
    assert timedelta(days=1) < datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC) < timedelta(days=2)
    listed = json.loads(roadbed.run("token", "list", "-o", "json", token=made["value"]).stdout)
    assert [token["scopes"] for token in listed if token["id"] == made["id"]] == [["catalog.*"]]
    assert roadbed.run("runs", "list", token=made["value"]).returncode == 3
    assert roadbed.run("get", "group", "-o", "name", token=made["value"]).returncode == 0
    wrong = roadbed.run("token", "create", "--local", "--days", "100000")
    assert wrong.returncode == 1
    assert "expires_in_days" in wrong.stderr
    gone = roadbed.run("token", "revoke", made["id"], "-o", "json", token=roadbed.token())
    assert json.loads(gone.stdout) == {"id": made["id"], "state": "revoked"}


def test_status_of_the_schema_is_current(roadbed: RoadbedProcess) -> None:
    status = json.loads(roadbed.run("db", "status", "-o", "json").stdout)
    assert status["current"] == status["newest"]
    assert status["pending"] == "none"


def test_wrong_setting_is_named_as_its_variable(tmp_path: Path) -> None:
    process = RoadbedProcess(tmp_path / "home", {"ROADBED_PORT": "high", "ROADBED_DATABASE__URL": "mysql://x/y"})
    answer = process.run("config", "check")
    assert answer.returncode == 1
    assert "ROADBED_PORT: " in answer.stderr
    assert "ROADBED_DATABASE__URL: " in answer.stderr


def test_secret_settings_are_masked(tmp_path: Path) -> None:
    url = "postgresql://roadbed:correct-horse@db/roadbed"
    shown = RoadbedProcess(tmp_path / "home", {"ROADBED_DATABASE__URL": url}).run("config", "show", "-o", "json")
    assert "ROADBED_DATABASE__URL" in shown.stdout
    assert "correct-horse" not in shown.stdout


def test_role_is_refused_without_what_replicas_share(tmp_path: Path) -> None:
    refused = RoadbedProcess(tmp_path / "home", {"ROADBED_ARTIFACTS__FOLDER": "/srv/blobs"}).run("up", "--role", "web")
    assert refused.returncode == 1
    assert "ROADBED_DATABASE__URL: set it to the PostgreSQL that all processes use" in refused.stderr
    assert "ROADBED_SECRETS__KEY: set it to the key of the host" in refused.stderr
    assert "ROADBED_ARTIFACTS__FOLDER" not in refused.stderr
    assert "or leave --role and ROADBED_ROLE out" in refused.stderr
    assert not (tmp_path / "home").exists()
