"""A place is looked at before it is registered."""

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from typer.testing import CliRunner

from roadbed.catalog.rules.documents import read_documents
from roadbed.catalog.rules.guessing import Clues, guess, read_codeowners
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.rules.rewriting.rendering import render
from roadbed.catalog.rules.validation import check
from roadbed.cli.main import app
from tests.catalog.conftest import Place, component, group
from tests.catalog.own import Own
from tests.support import RunningServer
from tests.waiting import wait_for

HTML = {"accept": "text/html"}
YAML = {"content-type": "application/yaml"}


def look(place: Place, target: str, type_: str = "git") -> dict[str, Any]:
    started = place.api.post("/api/v1/locations/looks", json={"type": type_, "target": target})
    assert started.status_code == 202, started.text
    place.wait(started.json()["run_id"])
    found: dict[str, Any] = place.api.get(f"/api/v1/locations/looks/{started.json()['run_id']}").json()
    return found


def test_what_is_found_is_shown_and_mended_and_registered_when_merged(place: Place, server: RunningServer) -> None:
    own = Own(server, "looked")
    faulty = component("look-b", owner="''").replace("look-b", "look-b  # stays")
    own.commit({"catalog/a.yaml": component("look-a"), "catalog/b.yaml": faulty})
    page = place.api.post("/catalog/register/look", data={"type": "git", "target": f"{own.url}#main:catalog/*.yaml"})
    assert page.status_code == 303, page.text
    here = page.headers["location"]
    place.wait(here.rpartition("/")[2])
    shown = place.api.get(here, headers=HTML).text
    assert "component:default/look-a" in shown
    assert "catalog/b.yaml:9" in shown
    assert "Register what is sound" in shown
    assert place.get("component:default/look-a").status_code == 404
    still = place.api.post(f"{here}/check", data={"path": "catalog/b.yaml", "text": faulty}, headers=HTML)
    assert still.status_code == 422
    mended = faulty.replace("''", "look-team")
    checked = place.api.post(f"{here}/check", data={"path": "catalog/b.yaml", "text": mended}, headers=HTML)
    assert "Nothing is wrong with it" in checked.text
    form = {"path": "catalog/b.yaml", "text": mended, "title": "Mend it"}
    opened = place.api.post(f"{here}/propose", data=form, headers=HTML)
    assert opened.headers["location"] == "/repositories/catalog-tests/looked/changes/1"
    assert place.api.post(f"{here}/propose", data=form, headers=HTML).headers["location"] == opened.headers["location"]
    waiting = place.api.get("/api/v1/runs", params={"kind": "catalog.register_merged"}).json()["items"]
    mine = [run for run in waiting if "catalog-tests/looked" in run["title"]]
    assert len(mine) == 1
    own.merge(1)
    assert own.read("catalog/b.yaml") == mended
    wait_for(lambda: place.get("component:default/look-b").status_code == 200)
    other = place.api.post(f"{here}/check", data={"path": "../x", "text": ""}, headers=HTML)
    assert other.status_code == 422


def test_file_is_proposed_for_a_repository_without_one(place: Place, server: RunningServer, api: httpx.Client) -> None:
    api.post("/api/v1/entities", content=group("looking-team"), headers=YAML)
    own = Own(server, "bare", owner="looking-team")
    own.commit(
        {
            "README.md": "# Bare <b>orders</b>\n\n[![x](y)](z)\n\nTakes **orders** from [customers](http://x).\n",
            "pyproject.toml": '[project]\nname = "bare"\nversion = "2.1.0"\n',
            "src/main.py": "print()\n",
            "Dockerfile": "FROM scratch\n",
            "openapi.yaml": "openapi: 3.1.0\ninfo: {title: Bare, version: '1'}\npaths: {}\n",
        }
    )
    found = look(place, own.url)
    text = found["generated"]["text"]
    documents = [document.data for document in read_documents(text).documents]
    assert [document["kind"] for document in documents] == ["Component", "API"]
    assert documents[0]["metadata"]["description"] == "Takes orders from customers."
    assert documents[0]["spec"] == {
        "type": "service",
        "lifecycle": "production",
        "owner": "looking-team",
        "providesApis": ["bare-api"],
    }
    here = f"/api/v1/locations/looks/{found['run_id']}"
    body = {"path": "catalog-info.yaml", "text": text}
    assert api.post(f"{here}/check", json=body).json() == {"valid": True, "problems": []}
    wrong = api.post(f"{here}/check", json={**body, "text": text.replace("type: service", "typ: service")}).json()
    assert not wrong["valid"]
    assert wrong["problems"][0]["line"] > 1
    refused = api.post(f"{here}/proposals", json={**body, "text": "x: ["})
    assert refused.json()["code"] == "catalog.proposal_invalid"
    made = api.post(f"{here}/proposals", json=body).json()
    assert made["number"] == 1
    own.merge(1)
    run = place.wait(made["run_id"])
    assert run["state"] == "succeeded", run["error"]
    wait_for(lambda: place.get("api:default/bare-api").status_code == 200)
    page = api.get(f"/catalog/register/look/{found['run_id']}", headers=HTML).text
    assert "There is no catalog file" in page
    assert "<b>orders" not in page


def test_repository_elsewhere_is_looked_at_and_only_read(
    place: Place, server: RunningServer, client_of: Callable[[str], httpx.Client]
) -> None:
    place.write(**{"catalog-info": component("look-out") + "---\nkind: [\n"})
    place.commit()
    target = f"file://{place.folder}"
    found = look(place, target)
    assert found["counts"] == {"files": 1, "entities": 1, "errors": 1}
    assert found["files"][0]["text"].startswith("---")
    refused = place.api.post(
        f"/api/v1/locations/looks/{found['run_id']}/proposals",
        json={"path": "catalog-info.yaml", "text": component("look-out")},
    )
    assert refused.json()["code"] == "catalog.source_not_writable"
    file = place.api.post(
        f"/catalog/register/look/{found['run_id']}/file", data={"path": "catalog-info.yaml", "text": "a: b"}
    )
    assert file.text == "a: b"
    developer = client_of("developer")
    assert developer.get(f"/api/v1/locations/looks/{found['run_id']}").status_code == 403
    denied = developer.post("/api/v1/locations/looks", json={"type": "git", "target": target})
    assert denied.status_code == 403
    shell = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "400"})
    printed = shell.invoke(app, ["locations", "look", target])
    assert printed.exit_code == 1
    assert "component:default/look-out" in printed.output


def test_look_that_fails_says_why(place: Place, api: httpx.Client) -> None:
    found = look(place, "https://127.0.0.1:9/x.git")
    assert found["state"] == "failed"
    assert found["message"]
    page = api.get(f"/catalog/register/look/{found['run_id']}", headers=HTML).text
    assert html.escape(found["message"]) in page or found["message"][:20] in page
    wrong = api.post("/catalog/register/look", data={"type": "git", "target": "javascript:alert(1)"}, headers=HTML)
    assert wrong.status_code == 422
    assert api.get(f"/api/v1/locations/looks/{uuid4()}").status_code == 404


GUESSES: dict[str, tuple[Clues, dict[str, Any]]] = {
    "nothing": (Clues("Nothing!", []), {"type": "other", "lifecycle": "experimental", "owner": "unknown"}),
    "website": (
        Clues("w", ["package.json"], {"package.json": '{"version":"0.3","dependencies":{"react":"1"}}'}),
        {"type": "website", "lifecycle": "experimental", "owner": "unknown"},
    ),
    "library": (
        Clues("l", ["Cargo.toml", "a.rs"], {"Cargo.toml": '[package]\nversion = "1.0.0"\n'}, [("team", "why")]),
        {"type": "library", "lifecycle": "production", "owner": "team"},
    ),
    "documentation": (
        Clues("d", ["mkdocs.yml", "docs/a.md"]),
        {"type": "documentation", "lifecycle": "experimental", "owner": "unknown"},
    ),
    "hostile": (
        Clues(
            "../../<script>" + "x" * 500,
            ["node_modules/Dockerfile", "package.json", *[f"{n}.py" for n in range(9)]],
            {"package.json": "[" * 200_000, "README.md": "<script>\n" * 10_000 + "a: |\n# " + "b" * 100_000},
            [("a: b # c\n- d", "why")],
        ),
        {"type": "library", "lifecycle": "experimental", "owner": "a: b # c\n- d"},
    ),
}


@pytest.mark.parametrize(("clues", "spec"), GUESSES.values(), ids=GUESSES)
def test_guess_is_sound_whatever_the_files_say(clues: Clues, spec: dict[str, Any]) -> None:
    guessed = guess(clues)
    assert guessed.documents[0]["spec"] == spec
    (document,) = read_documents(render(guessed.documents[0])).documents
    assert document.data == guessed.documents[0]
    if "\n" not in spec["owner"]:
        assert [problem for problem in check(document, BUILT_IN_KINDS) if problem.is_error] == []
    assert re.fullmatch(r"[a-z0-9-]{1,63}", document.data["metadata"]["name"])


def test_owners_of_everything_are_read_from_codeowners() -> None:
    text = "# all\n*  @org/old\n/docs @org/writers\n* @org/team-a @ada someone@example.com # last\n"
    assert read_codeowners(text) == ["team-a", "ada"]
    assert read_codeowners("") == []
