"""What is the reader's own in lists: what they and their groups own, and what is said to those whom nobody knows."""

import re

import httpx
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.catalog.conftest import component, group
from tests.identity.people import new_person
from tests.support import RunningServer

YAML = {"content-type": "application/yaml"}


def put(api: httpx.Client, text: str) -> None:
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text


def read(browser: httpx.Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def refs(browser: httpx.Client, **params: str) -> list[str]:
    answer = browser.get("/api/v1/entities", params={"mine": "true", **params}).json()
    return [item["ref"].partition("/")[2] for item in answer["items"]]


def test_mine_is_what_somebody_and_their_groups_own(server: RunningServer, api: httpx.Client) -> None:
    person = new_person(server, "developer")
    browser, name = person.browser, person.name
    assert "Mine <span" not in read(browser, "/catalog"), "the catalog does not know them yet"
    text = read(browser, "/catalog?mine=true")
    assert "Roadbed cannot tell what is yours" in text
    assert f"is linked to user:default/{name}, which the catalog does not have" in text
    answer = browser.get("/api/v1/entities/export?mine=true")
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.account_unknown")

    user = "---\napiVersion: backstage.io/v1alpha1\nkind: User\n"
    user += f"metadata: {{name: {name}}}\nspec: {{memberOf: [{name}-in]}}\n"
    owners = {"a": f"user:{name}", "b": f"{name}-in", "c": f"{name}-above", "d": f"{name}-other"}
    groups = group(f"{name}-in", parent=f"{name}-above") + group(f"{name}-above") + group(f"{name}-other")
    put(api, user + groups + "".join(component(f"{name}-{key}", owner=owner) for key, owner in owners.items()))
    assert refs(browser) == [f"{name}-{key}" for key in "abc"]
    assert refs(browser, owner=f"{name}-in") == [f"{name}-b"], "together with an owner it is both"
    assert refs(browser, owner=f"{name}-other") == []
    assert browser.get("/api/v1/entities/export?mine=true&columns=name").text.split() == [
        "name", *(f"{name}-{key}" for key in "abc")
    ]  # fmt: skip
    text = read(browser, "/catalog?mine=true")
    assert re.search(r'aria-current="\w+"[^>]*>Mine <span[^>]*>3<', text), text
    assert "3 of 3 entities" in text
    assert f'value="group:default/{name}-in"' in text
    assert f'value="group:default/{name}-other"' not in text, "counts of owners are of what is theirs"
    assert "Nothing of yours is here" in read(browser, "/catalog?mine=true&lifecycle=nothing")

    token = browser.post("/api/v1/tokens", json={"name": "mine"}).json()["value"]
    runner = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": token, "COLUMNS": "400"})
    done = runner.invoke(app, ["get", "all", "--mine", "--sort", "-updated_at", "-o", "name"])
    assert done.exit_code == 0, done.output
    assert sorted(done.output.split()) == [f"component:default/{name}-{key}" for key in "abc"]
    put(api, component(f"{name}-b", owner=f"{name}-other"))
    assert refs(browser) == [f"{name}-a", f"{name}-c"]


def test_program_that_is_nobody_is_told_so(server: RunningServer) -> None:
    runner = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "400"})
    done = runner.invoke(app, ["get", "all", "--mine"])
    assert done.exit_code == 1, done.output
    assert "is not linked to a User" in str(done.exception)
