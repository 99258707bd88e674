"""Entities of a repository are changed by change requests."""

import html
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.catalog.conftest import Place, component, group
from tests.catalog.own import Own
from tests.support import RunningServer
from tests.waiting import wait_for

HTML = {"accept": "text/html"}
FILE = f"""# all of the shop
{component("prop-first")}---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: {{name}}   # never change this
  description: <script>alert(1)</script>
spec:
  type: service
  lifecycle: production
  owner: prop-team   # on call
---
not: an entity
"""


class Shop:
    """A repository with one file of several documents, read into the catalog."""

    def __init__(self, server: RunningServer, place: Place, name: str) -> None:
        self.own = Own(server, name)
        self.name = name
        self.file = FILE.replace("{name}", name).replace("prop-first", f"{name}-first")
        self.head = self.own.commit({"catalog-info.yaml": self.file})
        self.place = place
        run = place.register_target("git", self.own.url)
        assert run["state"] == "succeeded", run["error"]
        self.path = f"/catalog/component/default/{name}"
        self.api = f"/api/v1/entities/component/default/{name}"

    @property
    def text(self) -> str:
        return "---" + self.file.split("---")[2]


@pytest.fixture
def shop(server: RunningServer, place: Place, request: pytest.FixtureRequest) -> Shop:
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_"))[:40].strip("-")
    return Shop(server, place, f"p-{name}")


def field(text: str, name: str) -> str:
    area = re.search(rf'<textarea[^>]*name="{name}"[^>]*>\n([^<]*)</textarea>', text)
    found = area or re.search(rf'<input[^>]*name="{name}"[^>]*value="([^"]*)"', text)
    assert found, name
    return html.unescape(found[1])


def test_form_becomes_a_change_request_that_leaves_the_rest_of_the_file(shop: Shop, api: httpx.Client) -> None:
    page = api.get(f"{shop.path}/edit", headers=HTML).text
    assert "The change becomes a change request" in page
    answers = {
        "~base": field(page, "~base"),
        "metadata.description": "<script>alert(1)</script>",
        "spec.type": "service",
        "spec.lifecycle": "deprecated",
        "spec.owner": "prop-team",
    }
    assert answers["~base"] == shop.head
    review = api.post(f"{shop.path}/edit", data=answers, headers=HTML)
    assert review.status_code == 200, review.text
    assert "<script>alert" not in review.text
    assert re.search(r"lifecycle: deprecated", review.text)
    assert "There is no group:default/prop-team" not in review.text
    words = {"~base": shop.head, "text": field(review.text, "text"), "title": "Retire it", "message": "It is old."}
    opened = api.post(f"{shop.path}/edit/propose", data=words, headers=HTML)
    assert opened.status_code == 303, opened.text
    assert opened.headers["location"] == f"/repositories/{shop.own.full_name}/changes/1"
    again = api.post(f"{shop.path}/edit/propose", data=words, headers=HTML)
    assert again.headers["location"] == opened.headers["location"]
    change = api.get(f"/api/v1/repositories/{shop.own.full_name}/change-requests/1").json()
    assert (change["title"], change["description"]) == ("Retire it", "It is old.")
    assert [(file["path"], file["added"], file["removed"]) for file in change["files"]] == [("catalog-info.yaml", 1, 1)]
    assert "1 open change request" in api.get(shop.path, headers=HTML).text
    audit = api.get("/api/v1/audit", params={"subject": f"component:default/{shop.name}"}).json()["items"]
    assert "catalog.change_proposed" in [entry["action"] for entry in audit]
    shop.own.merge(1)
    before = "lifecycle: production\n  owner: prop-team"
    changed = shop.file.replace(before, before.replace("production", "deprecated"))
    assert shop.own.read("catalog-info.yaml") == changed
    wait_for(lambda: api.get(shop.api).json()["spec"]["lifecycle"] == "deprecated")
    assert "1 open change request" not in api.get(shop.path, headers=HTML).text


FAULTS = {
    "lifecycle: production": ("lifecycle: ''", "spec.lifecycle is empty.", 19),
    "  type: service": ("  type: [", "The YAML cannot be read", 19),
    "lifecycle": ("lifecyle", "spec.lifecycle is missing.", 19),
    "name: p-": ("name: x-", "another entity", 15),
}


def test_faults_are_said_with_line_and_column_of_the_file(shop: Shop, api: httpx.Client) -> None:
    for before, (after, reason, line) in FAULTS.items():
        text = shop.text.replace(before, after)
        answer = api.post(f"{shop.api}/proposals/check", json={"text": text}).json()
        assert not answer["valid"]
        found = [problem for problem in answer["problems"] if reason in problem["reason"]]
        assert found, answer["problems"]
        assert abs(found[0]["line"] - line) <= 1, found
        refused = api.post(f"{shop.api}/proposals", json={"text": text})
        assert refused.status_code == 422
        assert refused.json()["code"] == "catalog.entity_invalid"
    page = api.post(f"{shop.path}/edit/text", data={"~base": shop.head, "text": "- <blink>"}, headers=HTML)
    assert page.status_code == 422
    assert "<blink>" not in page.text
    same = api.post(f"{shop.api}/proposals", json={"text": shop.text})
    assert same.json()["code"] == "catalog.proposal_invalid"


def test_change_of_others_in_the_same_document_is_shown_beside_ones_own(shop: Shop, api: httpx.Client) -> None:
    elsewhere = shop.file.replace("all of the shop", "all of the shops")
    shop.own.commit({"catalog-info.yaml": elsewhere})
    mine = shop.text.replace("production", "experimental")
    body: dict[str, Any] = {"text": mine, "base": shop.head}
    assert api.post(f"{shop.api}/proposals", json={**body, "title": "Untouched"}).status_code == 201
    shop.own.commit({"catalog-info.yaml": elsewhere.replace("prop-team", "prop-other")})
    refused = api.post(f"{shop.api}/proposals", json=body)
    assert refused.status_code == 409
    assert refused.json()["code"] == "catalog.source_changed"
    page = api.post(f"{shop.path}/edit/propose", data={"~base": shop.head, "text": mine, "title": "Mine"}, headers=HTML)
    assert page.status_code == 409
    assert "What was changed meanwhile" in page.text
    assert page.text.index("prop-other") < page.text.index("lifecycle: experimental")
    newest = field(page.text, "~base")
    settled = {"~base": newest, "text": mine.replace("prop-team", "prop-other"), "title": "Mine"}
    assert api.post(f"{shop.path}/edit/propose", data=settled, headers=HTML).status_code == 303


def test_form_of_a_placeholder_leaves_it_alone(place: Place, server: RunningServer, api: httpx.Client) -> None:
    own = Own(server, "placeholders")
    text = (
        "apiVersion: backstage.io/v1alpha1\nkind: API\nmetadata: {name: prop-api}\n"
        "spec:\n  type: openapi\n  lifecycle: production\n  owner: x\n  definition:\n    $text: ./api/openapi.yaml\n"
    )
    own.commit({"catalog-info.yaml": text, "api/openapi.yaml": "openapi: 3.1.0\n"})
    place.register_target("git", own.url)
    answers = {"spec.type": "openapi", "spec.lifecycle": "deprecated", "spec.owner": "x"}
    review = api.post("/catalog/api/default/prop-api/edit", data=answers, headers=HTML)
    assert review.status_code == 200, review.text
    assert field(review.text, "text") == text.replace("production", "deprecated")
    gone = text.replace("./api/openapi.yaml", "./none.yaml")
    answer = api.post("/api/v1/entities/api/default/prop-api/proposals/check", json={"text": gone}).json()
    assert "cannot be put in" in answer["problems"][0]["reason"]


def test_who_may_not_write_cannot_propose(shop: Shop, client_of: Callable[[str], httpx.Client]) -> None:
    viewer = client_of("viewer")
    assert viewer.get(f"{shop.api}/source").status_code == 403
    assert viewer.get(f"{shop.path}/edit", headers=HTML).status_code == 403
    assert viewer.post(f"{shop.api}/proposals", json={"text": shop.text}).status_code == 403
    assert ">Edit<" not in re.sub(r"<svg.*?</svg>", "", viewer.get(shop.path, headers=HTML).text)


def test_what_is_only_read_is_offered_to_be_taken_there(
    place: Place, api: httpx.Client, server: RunningServer, client_of: Callable[[str], httpx.Client]
) -> None:
    place.write(a=component("prop-disk"), t=group("prop-team"))
    place.register()
    page = api.get("/catalog/component/default/prop-disk/edit", headers=HTML).text
    assert "on the disk of the server" in page
    source = api.get("/api/v1/entities/component/default/prop-disk/source").json()
    assert not source["is_writable"]
    text = component("prop-disk", lifecycle="deprecated")
    review = api.post("/catalog/component/default/prop-disk/edit/text", data={"text": text}, headers=HTML)
    assert "Download the file" in review.text
    assert "Open change request" not in review.text
    file = api.post("/catalog/component/default/prop-disk/edit/file", data={"text": text}, headers=HTML)
    assert file.text == text
    assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''a.yaml"
    refused = api.post("/api/v1/entities/component/default/prop-disk/proposals", json={"text": text})
    assert refused.status_code == 409
    assert refused.json()["code"] == "catalog.source_not_writable"
    place.write(a=f"# secret\n{component('prop-disk')}")
    developer = client_of("developer").get("/api/v1/entities/component/default/prop-disk/source").json()
    assert "secret" not in developer["text"]
    shipped = api.get("/api/v1/entities/group/default/roadbed/source")
    assert shipped.json()["code"] == "catalog.source_not_writable"


def test_shell_edits_an_entity_in_its_file(shop: Shop, server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROADBED_URL", server.base_url)
    monkeypatch.setenv("ROADBED_TOKEN", server.token())
    ref, text = f"component:default/{shop.name}", shop.text.replace("production", "deprecated")
    shell = CliRunner()
    dry = shell.invoke(app, ["edit", ref, "-f", "-", "--dry-run"], input=text)
    assert dry.exit_code == 0, dry.output
    assert "-  lifecycle: production\n+  lifecycle: deprecated" in dry.output
    made = shell.invoke(app, ["edit", ref, "-f", "-", "--title", "From the shell"], input=text)
    assert made.exit_code == 0, made.output
    assert f"Change request #1 in {shop.own.full_name}" in made.output
    kept = component("prop-kept")
    assert shell.invoke(app, ["apply", "-f", "-"], input=kept).exit_code == 0
    put = shell.invoke(app, ["edit", "component:prop-kept", "-f", "-"], input=kept.replace("production", "deprecated"))
    assert "component:default/prop-kept: updated" in put.output
