"""Asking for resources: questions made from the type's schema, in a browser and in the shell."""

import json

import pytest
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.identity.people import new_name, new_person
from tests.provisioning.conftest import Yard

CACHE = """
apiVersion: roadbed.dev/v1
kind: ResourceType
metadata: {name: NAME, title: A cache}
spec:
  owner: platform
  version: "1.0"
  parameters:
    type: object
    required: [megabytes]
    additionalProperties: false
    properties:
      megabytes: {type: integer, minimum: 16, maximum: 512, title: Memory}
      eviction: {type: string, enum: [oldest, none], default: oldest, title: Eviction}
  outputs: {type: object}
"""


@pytest.fixture
def shell(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("ROADBED_URL", yard.server.base_url)
    monkeypatch.setenv("ROADBED_TOKEN", yard.server.token())
    return CliRunner()


def test_questions_come_from_the_schema_of_the_type(yard: Yard) -> None:
    name = new_name("cache")
    yard.put(CACHE.replace("NAME", name))
    person = new_person(yard.server, "developer")
    page = person.browser.get("/resources/ask", params={"type": name}).text
    assert all(words in page for words in ("Ask for A cache", "Memory", "Eviction", 'name="params.megabytes"'))
    form = {"type": name, "~type": name, "application": "component:app", "environment": "staging", "id": "cache"}
    missing = person.browser.post("/resources/ask", data=form)
    assert (missing.status_code, "An answer is needed here." in missing.text) == (422, True)
    small = person.browser.post("/resources/ask/questions", data=form | {"params.megabytes": "3"}).text
    assert "At least 16." in small
    assert "An answer is needed here." not in small
    nobody = person.browser.post("/resources/ask", data=form | {"params.megabytes": "64"})
    assert nobody.status_code == 422
    assert "No resource definition provides" in nobody.text
    assert "--set params" not in nobody.text
    assert "--set megabytes=64" in nobody.text


def test_type_that_is_chosen_without_scripts_asks_its_questions_first(yard: Yard) -> None:
    name = new_name("cache")
    yard.put(CACHE.replace("NAME", name))
    person = new_person(yard.server, "developer")
    form = {"type": name, "~type": "postgres", "application": "component:app", "environment": "staging", "id": "cache"}
    asked = person.browser.post("/resources/ask", data=form)
    assert (asked.status_code, "Memory" in asked.text) == (200, True)
    assert 'aria-invalid="true"' not in asked.text


def test_form_that_is_sent_twice_starts_one_run(yard: Yard) -> None:
    person = new_person(yard.server, "developer")
    form = {
        "type": "postgres",
        "~type": "postgres",
        "~key": new_name("key"),
        "application": f"component:{new_name('app')}",
        "environment": "development",
        "id": "db",
        "class": "default",
    }
    first, second = (person.browser.post("/resources/ask", data=form) for _ in range(2))
    assert (first.status_code, first.headers["location"]) == (303, second.headers["location"])
    yard.ends(first.headers["location"].rpartition("/")[2])


def test_shell_asks_shows_and_deletes(yard: Yard, shell: CliRunner) -> None:
    application = f"component:default/{new_name('shell')}"
    asked = shell.invoke(
        app,
        ["resources", "request", "postgres", "--application", application, "--class", "small", "--wait", "-o", "json"],
    )
    assert asked.exit_code == 0, asked.output
    assert json.loads(asked.stdout)["state"] == "succeeded"
    listed = json.loads(shell.invoke(app, ["resources", "list", "--application", application, "-o", "json"]).stdout)
    assert [(one["type"], one["name"], one["class"]) for one in listed] == [("postgres", "db", "small")]
    shown = shell.invoke(app, ["resources", "show", listed[0]["id"]])
    assert "secret://resources/component/default/" in shown.stdout
    gone = shell.invoke(app, ["resources", "delete", listed[0]["id"], "--wait"])
    assert gone.exit_code == 0, gone.output
    assert "Last copy: " in gone.stdout


def test_shell_reads_parameters_with_the_types_of_the_schema(yard: Yard, shell: CliRunner) -> None:
    name = new_name("cache")
    yard.put(CACHE.replace("NAME", name))
    asked = ["resources", "request", name, "--application", "component:app", "--set"]
    wrong = shell.invoke(app, [*asked, "megabytes=3"])
    assert [problem["path"] for problem in getattr(wrong.exception, "problems", [])] == ["params.megabytes"]
    nobody = shell.invoke(app, [*asked, "megabytes=64"])
    assert "No resource definition provides" in str(nobody.exception)
