"""The owner or the lifecycle of many entities at once."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from roadbed.catalog.types import MOST_CHANGED
from roadbed.cli.main import app
from roadbed.scm.service.host import BuiltinHost
from tests.catalog.conftest import Place, component, group
from tests.catalog.own import Own
from tests.support import RunningServer

HTML = {"accept": "text/html"}
YAML = {"content-type": "application/yaml"}


@pytest.fixture(scope="module")
def kept(api: httpx.Client) -> list[str]:
    """Entities that the catalog keeps, and groups."""
    text = "".join(component(f"bulk-{name}", owner="bulk-old", type="bulk-type") for name in "abc")
    answer = api.post("/api/v1/entities", content=text + group("bulk-old") + group("bulk-new"), headers=YAML)
    assert answer.status_code == 200, answer.text
    return [f"component:default/bulk-{name}" for name in "abc"]


def run_bulk(place: Place, body: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    started = place.api.post("/api/v1/entities/bulk", json=body)
    assert started.status_code == 202, started.text
    return started.json(), place.wait(started.json()["run_id"])


def test_each_entity_is_changed_where_it_is_kept_and_the_run_tells(
    place: Place, other_place: Place, kept: list[str], server: RunningServer
) -> None:
    one, two = Own(server, "bulk-one"), Own(server, "bulk-two")
    files = {
        "catalog-info.yaml": f"# first\n{component('bulk-git-a', owner='bulk-old  # soon another')}",
        "more/b.yaml": component("bulk-git-b", owner="bulk-old") + component("bulk-git-c", owner="bulk-old"),
    }
    one.commit(files)
    two.commit({"catalog-info.yaml": component("bulk-git-d", owner="bulk-old")})
    place.register_target("git", f"{one.url}#main:**/*.yaml")
    place.register_target("git", two.url)
    other_place.write(a=component("bulk-disk", owner="bulk-old"))
    other_place.register()
    place.api.post("/api/v1/entities", content=component("bulk-done", owner="bulk-new"), headers=YAML)
    git = [f"component:default/bulk-git-{name}" for name in "abcd"]
    others = ["component:default/bulk-disk", "component:default/bulk-done", "group:default/bulk-old", "component:x/y"]
    refs = [*kept, *git, *others]
    plan = place.api.post("/api/v1/entities/bulk/check", json={"field": "owner", "value": "bulk-new", "refs": refs})
    told = plan.json()
    assert told["kept"] == kept
    assert [(part["repository"], len(part["entities"])) for part in told["repositories"]] == [
        ("catalog-tests/bulk-one", 3),
        ("catalog-tests/bulk-two", 1),
    ]
    reasons = {refusal["ref"]: refusal["reason"] for refusal in told["refused"]}
    assert "on the disk of the server" in reasons["component:default/bulk-disk"]
    assert reasons["group:default/bulk-old"] == "Group has no owner."
    assert reasons["component:x/y"] == "There is no such entity."
    assert told["unchanged"] == ["component:default/bulk-done"]
    page = place.api.get("/catalog/bulk", params={"ref": refs, "value": "bulk-new"}, headers=HTML)
    assert "Change 7 entities" in page.text
    body = {"field": "owner", "value": "bulk-new", "refs": refs, "message": "They moved."}
    _, run = run_bulk(place, body)
    assert run["state"] == "succeeded", run["error"]
    assert [step["key"] for step in run["steps"]] == ["kept", "repository-1", "repository-2"]
    for ref in kept:
        assert place.get(ref).json()["spec"]["owner"] == "bulk-new"
    change = place.api.get("/api/v1/repositories/catalog-tests/bulk-one/change-requests/1").json()
    assert {file["path"]: (file["added"], file["removed"]) for file in change["files"]} == {
        "catalog-info.yaml": (1, 1),
        "more/b.yaml": (2, 2),
    }
    assert "They moved." in change["description"]
    assert "component:default/bulk-git-c" in change["description"]
    one.merge(1)
    assert "owner: bulk-new  # soon another" in one.read("catalog-info.yaml")


def test_run_that_failed_at_one_repository_goes_on_there(place: Place, server: RunningServer, kept: list[str]) -> None:
    owns = [Own(server, name) for name in ("bulk-x", "bulk-y")]
    for own in owns:
        own.commit({"catalog-info.yaml": component(own.repository.name)})
        place.register_target("git", own.url)
    there = server.services.get(BuiltinHost).folder_of(owns[1].repository.id)
    away = there.with_suffix(".away")
    there.rename(away)
    refs = [kept[0], *(f"component:default/{own.repository.name}" for own in owns)]
    _, run = run_bulk(place, {"field": "lifecycle", "value": "late", "refs": refs})
    assert (run["state"], run["steps"][-1]["state"]) == ("failed", "failed")
    away.rename(there)
    assert place.api.post(f"/api/v1/runs/{run['id']}/retry").status_code == 200
    assert place.wait(run["id"])["state"] == "succeeded"
    for own in owns:
        changes = place.api.get(f"/api/v1/repositories/{own.full_name}/change-requests").json()["items"]
        assert [change["number"] for change in changes] == [1]


def test_what_makes_no_sense_is_refused(api: httpx.Client, kept: list[str]) -> None:
    cases: list[tuple[dict[str, Any], int, str]] = [
        ({"field": "owner", "value": "component:default/bulk-a", "refs": kept}, 422, "catalog.bulk_invalid"),
        ({"field": "owner", "value": "bulk-nobody", "refs": kept}, 404, "catalog.entity_not_found"),
        ({"field": "lifecycle", "value": " ", "refs": kept}, 422, "catalog.bulk_invalid"),
        ({"field": "lifecycle", "value": "a\nb", "refs": kept}, 422, "catalog.bulk_invalid"),
        ({"field": "lifecycle", "value": "x", "refs": ["no ref"]}, 422, "catalog.bulk_invalid"),
        ({"field": "owner", "value": "bulk-new", "refs": ["group:default/bulk-old"]}, 422, "catalog.bulk_invalid"),
        ({"field": "lifecycle", "value": "x", "refs": ["a:b"] * (MOST_CHANGED + 1)}, 422, "request.invalid"),
        ({"field": "lifecycle", "value": "x"}, 422, "request.invalid"),
        ({"field": "name", "value": "x", "refs": kept}, 422, "request.invalid"),
    ]
    for body, status, code in cases:
        answer = api.post("/api/v1/entities/bulk", json=body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_all_that_match_are_changed_from_the_list(place: Place, kept: list[str]) -> None:
    listed = place.api.get("/catalog", params={"type": "bulk-type"}, headers=HTML).text
    assert 'form="bulk" name="ref" value="component:default/bulk-a"' in listed
    assert '<input type="hidden" name="type" value="bulk-type">' in listed
    chosen = {"type": "bulk-type", "all": "true", "field": "lifecycle", "value": "<b>retired</b>"}
    page = place.api.get("/catalog/bulk", params=chosen, headers=HTML)
    assert page.status_code == 200, page.text
    assert "<b>retired" not in page.text
    form = {"ref": kept, "field": "lifecycle", "value": "<b>retired</b>"}
    started = place.api.post("/catalog/bulk", data=form, headers=HTML)
    assert started.status_code == 303, started.text
    run = place.wait(started.headers["location"].rpartition("/")[2])
    assert run["state"] == "succeeded"
    assert {place.get(ref).json()["spec"]["lifecycle"] for ref in kept} == {"<b>retired</b>"}
    nothing = place.api.get("/catalog/bulk", headers=HTML)
    assert nothing.status_code == 422
    assert "No entity is chosen" in nothing.text


def test_viewers_are_not_offered_it(client_of: Callable[[str], httpx.Client], kept: list[str]) -> None:
    viewer = client_of("viewer")
    assert 'form="bulk"' not in viewer.get("/catalog", params={"type": "bulk-type"}, headers=HTML).text
    assert viewer.get("/catalog/bulk", params={"ref": kept}, headers=HTML).status_code == 403
    body = {"field": "lifecycle", "value": "x", "refs": kept}
    assert viewer.post("/api/v1/entities/bulk", json=body).status_code == 403


def test_shell_sets_the_lifecycle_of_what_matches(server: RunningServer, api: httpx.Client, kept: list[str]) -> None:
    shell = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "400"})
    dry = shell.invoke(app, ["set", "lifecycle", "shelled", "--where", "type=bulk-type", "--dry-run"])
    assert dry.exit_code == 0, dry.output
    assert "component:default/bulk-a: at once" in dry.output
    done = shell.invoke(app, ["set", "lifecycle", "shelled", "--where", "type=bulk-type", "--wait"])
    assert done.exit_code == 0, done.output
    assert api.get("/api/v1/entities/component/default/bulk-c").json()["spec"]["lifecycle"] == "shelled"
    for wrong in ([], ["--where", "name"], ["a:b", "-q", "c"]):
        assert shell.invoke(app, ["set", "owner", "x", *wrong]).exit_code == 2
