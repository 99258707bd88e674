"""Pages of declared kinds and their entities, as a browser without scripts gets them."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.catalog.conftest import Place, component, group
from tests.catalog.kinds import entity, kind
from tests.catalog.test_pages import HTML, page

YAML = {"content-type": "application/yaml"}
SCHEMA = {
    "type": "object",
    "required": ["engine"],
    "properties": {
        "engine": {"enum": ["postgresql", "mysql"], "title": "Engine"},
        "nodes": {"type": "integer", "minimum": 1, "default": 2, "title": "Nodes"},
        "wiki": {"type": "string", "title": "Wiki"},
        "databases": {"type": "array", "items": {"type": "string"}, "title": "Databases"},
        "limits": {"$ref": "#/$defs/limits"},
    },
    "$defs": {"limits": {"type": "object", "properties": {"cpu": {"type": "integer", "title": "CPU"}}}},
}
COMPUTED = [
    {"name": "large", "title": "Is large", "type": "boolean", "expression": "spec.nodes > 3"},
    {"name": "broken", "title": "Broken one", "type": "integer", "expression": "spec.nodes / 0"},
]
RELATIONS = [
    {"field": "databases", "type": "hosts", "inverse": "hostedOn", "inverseTitle": "Lives on", "kinds": ["Resource"]}
]
LAYOUT = {
    "sections": [{"title": "The machine", "fields": ["engine", "nodes", "wiki", "large", "broken", "limits"]}],
    "columns": ["engine", "large", "databases"],
}


@pytest.fixture(scope="module")
def clusters(api: httpx.Client) -> httpx.Client:
    """A kind with a layout, and entities of it."""
    more: dict[str, Any] = {"relations": RELATIONS, "computed": COMPUTED, "page": LAYOUT, "owned": True}
    declared = kind("PageCluster", SCHEMA, icon="server", **more)
    text = (
        declared
        + group("page-cluster-team")
        + component("page-cluster-db").replace("Component", "Resource")
        + entity(
            "PageCluster",
            "big",
            engine="postgresql",
            nodes=5,
            wiki="https://wiki.example/<big>",
            owner="page-cluster-team",
            databases=["page-cluster-db", "page-cluster-gone"],
        )
        + entity("PageCluster", "wild", engine="mysql", wiki="javascript:alert(1)<script>", owner="page-cluster-tem")
    )
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    return api


def test_list_of_a_kind_has_its_own_columns(clusters: httpx.Client) -> None:
    text = page(clusters, "/catalog?kind=PageCluster")
    assert '<th scope="col">Engine</th>' in text
    assert '<th scope="col">Is large</th>' in text
    assert 'href="/catalog/pagecluster/default/big"' in text
    assert "postgresql" in text
    assert '<a class="prose-link" href="/catalog/resource/default/page-cluster-db">page-cluster-db</a>' in text
    assert '<span class="mono">page-cluster-gone</span> <span class="meta">not found</span>' in text
    assert 'class="end row-end"' in text
    assert "Engine</th>" not in page(clusters, "/catalog?kind=PageCluster&kind=Component")


def test_page_of_an_entity_is_laid_out_as_its_kind_says(clusters: httpx.Client) -> None:
    text = page(clusters, "/catalog/pagecluster/default/big")
    assert "The machine" in text
    assert "<dt>Is large</dt><dd>Yes</dd>" in text
    assert "No value" in text
    assert "Division by zero" in text
    assert 'href="https://wiki.example/&lt;big&gt;"' in text
    assert "Hosts" in text
    assert "Lives on" in page(clusters, "/catalog/resource/default/page-cluster-db")
    wild = page(clusters, "/catalog/pagecluster/default/wild")
    assert 'href="javascript:' not in wild
    assert "javascript:alert(1)&lt;script&gt;" in wild
    assert "Did you mean" in wild
    assert "group:default/page-cluster-team" in wild


def test_kinds_are_listed_with_what_there_is_of_them(
    clusters: httpx.Client, client_of: Callable[[str], httpx.Client]
) -> None:
    text = page(clusters, "/catalog/kinds")
    assert 'href="/catalog?kind=PageCluster"' in text
    assert 'href="/catalog/kind/default/pagecluster"' in text
    assert 'href="/catalog/new/PageCluster"' in text
    assert "Define a kind" in text
    viewer = page(client_of("viewer"), "/catalog/kinds")
    assert "Define a kind" not in viewer
    assert "/catalog/new/" not in viewer
    own = page(clusters, "/catalog/kind/default/pagecluster")
    assert 'href="/catalog?kind=PageCluster"' in own
    assert "/api/v1/kinds/PageCluster/schema" in own


def test_change_of_a_kind_is_checked_before_it_is_saved(
    api: httpx.Client, client_of: Callable[[str], httpx.Client]
) -> None:
    big, small = (
        entity("PageChecked", name, engine="mysql", nodes=nodes) for name, nodes in (("big", 5), ("small", 1))
    )
    api.post("/api/v1/entities", content=kind("PageChecked", SCHEMA) + big + small, headers=YAML)
    address = "/catalog/kinds/PageChecked/edit"
    assert "/catalog/kinds/PageChecked/edit" in page(api, "/catalog/kind/default/pagechecked")
    properties: dict[str, Any] = {**SCHEMA["properties"], "nodes": {"type": "integer", "maximum": 3}}  # type: ignore[dict-item]
    changed = kind("PageChecked", {**SCHEMA, "properties": properties})
    checked = api.post(address, data={"text": changed, "action": "check"}, headers=HTML)
    assert checked.status_code == 200
    assert "1 of its 2 entities would become invalid." in checked.text
    assert 'href="/catalog/pagechecked/default/big"' in checked.text
    broken = api.post(address, data={"text": changed.replace("type: object", "type: objet")}, headers=HTML)
    assert broken.status_code == 422
    assert "It is not a JSON Schema" in broken.text
    other = api.post(address, data={"text": kind("Other")}, headers=HTML)
    assert "Other is another kind." in other.text
    assert "You may not define kinds" in page(client_of("developer"), address)
    refused = client_of("developer").post(address, data={"text": changed}, headers=HTML)
    assert (refused.status_code, ">Save<" in refused.text) == (200, False)
    saved = api.post(address, data={"text": changed}, headers=HTML)
    assert (saved.status_code, saved.headers["location"]) == (303, "/catalog/kind/default/pagechecked")
    new = api.post("/catalog/kinds/new", data={"text": kind("PageMade")}, headers=HTML)
    assert (new.status_code, new.headers["location"]) == (303, "/catalog/kind/default/pagemade")


def test_kind_of_a_file_is_changed_there(place: Place) -> None:
    place.write(k=kind("PageFiled"))
    place.register()
    text = page(place.api, "/catalog/kinds/PageFiled/edit")
    assert "It is read from k.yaml, line 2, so it is changed there." in text
    assert "managed-by" not in text


def test_entity_is_made_with_a_form_from_its_schema(clusters: httpx.Client) -> None:
    address = "/catalog/new/PageCluster"
    text = page(clusters, address)
    assert 'name="spec.nodes"' in text
    assert 'name="spec.limits.cpu"' in text
    assert '<option value="page-cluster-team"' in text
    answers = {"metadata.name": "formed", "spec.engine": "mysql", "spec.nodes": "many", "spec.limits.cpu": "4"}
    wrong = clusters.post(address, data=answers, headers=HTML)
    assert wrong.status_code == 422
    assert "It must be a whole number." in wrong.text
    right = clusters.post(address, data=answers | {"spec.nodes": "4"}, headers=HTML)
    assert (right.status_code, right.headers["location"]) == (303, "/catalog/pagecluster/default/formed")
    made: dict[str, Any] = clusters.get("/api/v1/entities/pagecluster/default/formed").json()
    assert made["spec"] == {"engine": "mysql", "nodes": 4, "limits": {"cpu": 4}}
    again = clusters.post(address, data=answers | {"spec.nodes": "4"}, headers=HTML)
    assert (again.status_code, "There is one of this name already." in again.text) == (422, True)


def test_edit_keeps_what_was_not_asked_and_refuses_what_is_outdated(clusters: httpx.Client) -> None:
    text = entity("PageCluster", "edited", engine="mysql", nodes=2, extra={"a": [1]}, limits={"cpu": 1, "other": True})
    clusters.post("/api/v1/entities", content=text, headers=YAML)
    address = "/catalog/pagecluster/default/edited/edit"
    assert f'href="{address}"' in page(clusters, "/catalog/pagecluster/default/edited")
    shown = page(clusters, address)
    assert 'name="metadata.name"' not in shown
    etag = shown.partition('name="~etag"')[2].partition('value="')[2].partition('"')[0]
    answers = {"~etag": etag, "metadata.title": "Edited", "spec.engine": "postgresql", "spec.limits.cpu": "8"}
    saved = clusters.post(address, data=answers, headers=HTML)
    assert saved.status_code == 303, saved.text
    held = clusters.get("/api/v1/entities/pagecluster/default/edited").json()
    assert held["metadata"]["title"] == "Edited"
    assert held["spec"] == {"engine": "postgresql", "extra": {"a": [1]}, "limits": {"cpu": 8, "other": True}}
    outdated = clusters.post(address, data=answers | {"spec.engine": "mysql"}, headers=HTML)
    assert outdated.status_code == 422
    assert "has changed since you read it" in outdated.text


def test_every_kind_has_a_form(api: httpx.Client) -> None:
    for one in api.get("/api/v1/kinds").json()["items"]:
        assert 'name="metadata.name"' in page(api, f"/catalog/new/{one['name']}")
