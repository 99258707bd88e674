"""Versions of entities, the catalog as it was, and going back."""

from typing import Any

import httpx
import pytest

from roadbed.catalog.rules.commits import find_commit_href
from roadbed.catalog.rules.comparison import MOST_LINES, compare_documents
from tests.catalog.conftest import Place, component, group
from tests.catalog.test_pages import HTML, page

YAML = {"content-type": "application/yaml"}
SHA = "0123456789abcdef0123456789abcdef01234567"


def put(api: httpx.Client, text: str) -> None:
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text


def versions(api: httpx.Client, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = api.get(f"/api/v1/entities/component/default/{name}/history").json()["items"]
    return items


def restore(api: httpx.Client, name: str, position: int, **headers: str) -> httpx.Response:
    address = f"/api/v1/entities/component/default/{name}/restore"
    return api.post(address, json={"position": position}, headers=headers)


@pytest.mark.parametrize(
    ("target", "href"),
    [
        ("https://github.com/shop/orders.git#main", f"https://github.com/shop/orders/commit/{SHA}"),
        ("git@github.example.com:shop/orders.git", f"https://github.example.com/shop/orders/commit/{SHA}"),
        ("https://gitlab.example.com:8443/a/b/c", f"https://gitlab.example.com:8443/a/b/c/-/commit/{SHA}"),
        ("https://codeberg.org/shop/orders", f"https://codeberg.org/shop/orders/commit/{SHA}"),
        ("roadbed:shop/orders#main:catalog-info.yaml", f"/repositories/shop/orders/commits/{SHA}"),
        ("https://git.example.com/shop/orders", None),
        ("file:///srv/github/orders", None),
        ("nonsense", None),
    ],
)
def test_commit_is_linked_where_its_host_is_known(target: str, href: str | None) -> None:
    assert find_commit_href(type_="git", target=target, revision=SHA) == href
    assert find_commit_href(type_="git", target=target, revision="etag-1") is None
    assert find_commit_href(type_="url", target=target, revision=SHA) is None


def test_documents_are_compared_as_yaml_up_to_a_limit() -> None:
    def document(*tags: str) -> dict[str, Any]:
        return {"apiVersion": "v1", "kind": "System", "metadata": {"name": "x", "tags": list(tags)}, "spec": {}}

    found = compare_documents(document("a", "b"), document("a", "c", "d"))
    assert (found.added, found.removed) == (2, 1)
    changed = [(line.kind, line.text.strip()) for line in found.hunks[0].lines if line.kind != "same"]
    assert changed == [("del", "- b"), ("add", "- c"), ("add", "- d")]
    assert compare_documents(document("a"), document("a")).note == "The content is the same."
    long = compare_documents(document("a"), document(*map(str, range(MOST_LINES))))
    assert not long.hunks
    assert "more than 3,000 lines" in long.note


def test_version_says_what_changed_and_where_it_came_from(place: Place) -> None:
    place.write(a=component("ver-read"))
    place.commit()
    place.register_target("git", f"file://{place.folder}#main:a.yaml")
    place.write(a=component("ver-read", lifecycle="deprecated"))
    second = place.commit()
    place.refresh()
    newest, first = versions(place.api, "ver-read")
    assert newest["differences"] == [
        {"sign": "~", "name": "spec.lifecycle", "before": "production", "after": "deprecated"}
    ]
    assert (newest["revision"], newest["run_href"]) == (second, f"/runs/{place.run_id}")
    assert first["differences"] == []
    address = f"/api/v1/entities/component/default/ver-read/history/{newest['position']}"
    assert place.api.get(address).json() == newest
    unknown = place.api.get(f"{address}0")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "catalog.version_not_found")
    text = page(place.api, f"/catalog/component/default/ver-read/history/{first['position']}")
    assert "is read from a.yaml, line 2, so it is changed there." in text
    assert "Restore this version" not in text
    refused = restore(place.api, "ver-read", first["position"])
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.entity_managed")
    assert "Change the file" in refused.json()["hint"]


def test_entity_goes_back_to_an_earlier_version(api: httpx.Client) -> None:
    put(api, component("back", lifecycle="one"))
    put(api, component("back", lifecycle="two"))
    newest, first = versions(api, "back")
    refused = restore(api, "back", first["position"], **{"If-Match": f'"{first["digest"]}"'})
    assert (refused.status_code, refused.json()["code"]) == (412, "request.precondition_failed")
    done = restore(api, "back", first["position"], **{"If-Match": f'"{newest["digest"]}"'})
    assert (done.status_code, done.json()["change"]) == (200, "updated")
    assert api.get("/api/v1/entities/component/default/back").json()["spec"]["lifecycle"] == "one"
    assert restore(api, "back", first["position"]).json()["change"] is None
    assert len(versions(api, "back")) == 3


def test_deleted_entity_is_shown_and_comes_back_under_its_identity(api: httpx.Client) -> None:
    put(api, component("gone", lifecycle="one"))
    uid = api.get("/api/v1/entities/component/default/gone").json()["uid"]
    api.delete("/api/v1/entities/component/default/gone")
    path = "/catalog/component/default/gone/history"
    assert "Deleted" in page(api, path)
    assert api.get("/catalog/component/default/never-there/history", headers=HTML).status_code == 404
    deleted, created = versions(api, "gone")
    assert "Restore this version" in page(api, f"{path}/{created['position']}")
    conflict = api.post(f"{path}/{created['position']}/restore", data={"etag": "other"}, headers=HTML)
    assert conflict.status_code == 412
    done = api.post(f"{path}/{deleted['position']}/restore", data={"etag": ""}, headers=HTML)
    assert (done.status_code, done.headers["location"]) == (303, "/catalog/component/default/gone")
    back = api.get("/api/v1/entities/component/default/gone").json()
    assert (back["uid"], back["spec"]["lifecycle"]) == (uid, "one")
    assert versions(api, "gone")[0]["change"] == "restored"
    late = api.post(f"{path}/{created['position']}/restore", data={"etag": ""}, headers=HTML)
    assert late.status_code == 412, "it is there again, and whoever saw it gone decides anew"


def test_deleted_entity_that_was_read_is_not_put(place: Place) -> None:
    place.write(a=component("gone-read") + component("gone-stays"))
    place.register()
    place.write(a=component("gone-stays"))
    place.refresh()
    assert place.api.delete("/api/v1/entities/component/default/gone-read").status_code == 204
    for version in versions(place.api, "gone-read"):
        refused = restore(place.api, "gone-read", version["position"])
        assert (refused.status_code, refused.json()["code"]) == (409, "catalog.entity_managed")
        assert "was read from file" in refused.json()["detail"]


def test_viewer_sees_versions_and_restores_none(api: httpx.Client, client_of: Any) -> None:
    put(api, component("seen"))
    viewer = client_of("viewer")
    (version,) = versions(viewer, "seen")
    assert restore(viewer, "seen", version["position"]).status_code == 403


@pytest.fixture(scope="module")
def past(api: httpx.Client) -> dict[str, Any]:
    """The names `past-…`: three entities, then a time, then everything about them changes."""
    put(
        api,
        component("past-a", owner="past-team", dependsOn="[component:past-b]")
        + component("past-b", owner="past-team")
        + component("past-c", owner="past-ghost", dependsOn="[component:past-a]")
        + group("past-team"),
    )
    at = versions(api, "past-a")[0]["at"]
    for name in ("past-b", "past-c"):
        at = max(at, versions(api, name)[0]["at"])
    at = max(at, api.get("/api/v1/entities/group/default/past-team/history").json()["items"][0]["at"])
    put(api, component("past-a", owner="past-ghost", lifecycle="deprecated") + component("past-d", owner="past-team"))
    api.delete("/api/v1/entities/component/default/past-b")
    api.delete("/api/v1/entities/group/default/past-team")
    return {"as_of": at, "q": "past-"}


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["past-a", "past-b", "past-c", "past-team"]),
        ({"owner": "past-team"}, ["past-a", "past-b"]),
        ({"kind": "group"}, ["past-team"]),
        ({"lifecycle": "deprecated"}, []),
        ({"unowned": True}, ["past-c"]),
        ({"as_of": "2020-01-01"}, []),
    ],
)
def test_list_is_as_it_was(api: httpx.Client, past: dict[str, Any], params: dict[str, Any], names: list[str]) -> None:
    found = api.get("/api/v1/entities", params=past | params).json()
    assert [item["metadata"]["name"] for item in found["items"]] == names
    assert found["total"] == len(names)


def test_list_as_it_was_is_read_page_by_page_while_it_changes(api: httpx.Client, past: dict[str, Any]) -> None:
    seen, cursor = [], None
    while True:
        found = api.get("/api/v1/entities", params=past | {"limit": 1} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["metadata"]["name"] for item in found["items"]]
        put(api, component("past-c", lifecycle=f"l{len(seen)}"))
        cursor = found["next_cursor"]
        if cursor is None:
            break
    assert seen == ["past-a", "past-b", "past-c", "past-team"]


def test_entity_is_as_it_was_with_its_relations_then(api: httpx.Client, past: dict[str, Any]) -> None:
    then = {"as_of": past["as_of"]}
    found = api.get("/api/v1/entities/component/default/past-a", params=then).json()
    assert found["owner"] == "group:default/past-team"
    assert {"type": "dependsOn", "target": "component:default/past-b", "found": True} in found["relations"]
    assert {"type": "dependencyOf", "target": "component:default/past-c", "found": True} in found["relations"]
    assert api.get("/api/v1/entities/component/default/past-b", params=then).status_code == 200
    later = api.get("/api/v1/entities/component/default/past-d", params=then)
    assert (later.status_code, later.json()["code"]) == (404, "catalog.entity_not_found")
    assert "was not in the catalog at that time" in later.json()["detail"]


def test_pages_show_the_catalog_as_it_was_and_lead_back(api: httpx.Client, past: dict[str, Any]) -> None:
    text = page(api, f"/catalog?q=past-&as_of={past['as_of']}")
    assert "The catalog as it was" in text
    assert 'href="?q=past-"' in text
    assert "4 entities at that time" in text
    then = api.get("/catalog/component/default/past-b/history/at", params={"as_of": past["as_of"]})
    assert then.status_code == 303
    assert "past-b" in page(api, then.headers["location"])


@pytest.mark.parametrize("as_of", ["yesterday", "2999-01-01", "2026-13-01"])
def test_time_that_is_none_is_refused(api: httpx.Client, as_of: str) -> None:
    answer = api.get("/api/v1/entities", params={"as_of": as_of})
    assert answer.status_code == 422
    assert api.get("/api/v1/entities", params={"as_of": "2020-01-01", "inherited": True}).status_code == 422


def test_list_that_is_known_is_not_sent_again(api: httpx.Client) -> None:
    put(api, component("fresh"))
    first = api.get("/api/v1/entities", params={"q": "fresh"})
    etag = {"If-None-Match": first.headers["etag"]}
    known = api.get("/api/v1/entities", params={"q": "fresh"}, headers=etag)
    assert (known.status_code, known.content) == (304, b"")
    put(api, component("fresh", lifecycle="deprecated"))
    assert api.get("/api/v1/entities", params={"q": "fresh"}, headers=etag).status_code == 200
