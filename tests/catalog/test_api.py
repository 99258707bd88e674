"""Entities over REST."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from roadbed.catalog.contract import Health, StatusReport, read_documents, report_status
from roadbed.catalog.service.entities import put_built_in
from roadbed.core.actor import system_actor
from roadbed.core.paging import number_cursor
from roadbed.identity.contract import UserSource
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import Place, component, group
from tests.support import RunningServer

YAML = {"content-type": "application/yaml"}


def put(api: httpx.Client, text: str) -> httpx.Response:
    return api.post("/api/v1/entities", content=text, headers=YAML)


def test_put_entity_is_found_with_uid_relations_and_etag(api: httpx.Client) -> None:
    answer = put(api, component("put-a", dependsOn="[component:put-b]"))
    assert answer.status_code == 200, answer.text
    assert answer.json()["items"] == [{"ref": "component:default/put-a", "change": "created"}]
    entity = api.get("/api/v1/entities/Component/DEFAULT/Put-A").json()
    assert entity["apiVersion"] == "backstage.io/v1alpha1"
    assert entity["metadata"]["uid"] == entity["uid"]
    assert entity["owner"] == "group:default/team-none"
    assert entity["source"] == {"location_id": None, "is_built_in": False, "file": "", "line": 0}
    assert {"type": "dependsOn", "target": "component:default/put-b", "found": False} in entity["relations"]
    put(api, component("put-b"))
    relations = api.get("/api/v1/entities/component/default/put-a").json()["relations"]
    assert {"type": "dependsOn", "target": "component:default/put-b", "found": True} in relations
    back = api.get("/api/v1/entities/component/default/put-b").json()["relations"]
    assert {"type": "dependencyOf", "target": "component:default/put-a", "found": True} in back


def test_unknown_kind_is_told_with_the_nearest(api: httpx.Client) -> None:
    for path in ("/api/v1/entities?kind=componnet", "/api/v1/entities/componnet/default/put-a"):
        answer = api.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "catalog.kind_not_found"), path
        assert answer.json()["hint"] == "Did you mean Component?"


def test_entity_that_is_known_is_not_sent_again(api: httpx.Client) -> None:
    put(api, component("tagged", dependsOn="[component:tagged-b]"))
    address = "/api/v1/entities/component/default/tagged"
    first = api.get(address)
    known = api.get(address, headers={"If-None-Match": first.headers["etag"]})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", first.headers["etag"])
    put(api, component("tagged-b"))  # the relation is found from now on
    assert api.get(address, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_change_of_what_has_changed_since_is_refused(api: httpx.Client) -> None:
    put(api, component("matched"))
    address = "/api/v1/entities/component/default/matched"
    old = {"If-Match": api.get(address).headers["etag"]}
    changed = api.post("/api/v1/entities", content=component("matched", lifecycle="old"), headers=YAML | old)
    assert changed.status_code == 200, changed.text
    refused = api.post("/api/v1/entities", content=component("matched", lifecycle="new"), headers=YAML | old)
    assert (refused.status_code, refused.json()["code"]) == (412, "request.precondition_failed")
    assert "Read it again" in refused.json()["hint"]
    assert api.delete(address, headers=old).status_code == 412
    two = api.post("/api/v1/entities", content=component("matched") + component("other"), headers=YAML | old)
    assert two.status_code == 422
    missing = api.post("/api/v1/entities", content=component("never-made"), headers=YAML | {"If-Match": "*"})
    assert missing.status_code == 412
    etag = api.get(address).json()["etag"]
    assert api.delete(address, headers={"If-Match": f'"{etag}"'}).status_code == 204


def test_history_is_listed_in_pages(api: httpx.Client) -> None:
    for number in range(5):
        put(api, component("versions", lifecycle=f"v{number}"))
    address, found, cursor = "/api/v1/entities/component/default/versions/history", [], None
    while True:
        page = api.get(address, params={"limit": 2, **({"cursor": cursor} if cursor else {})}).json()
        found += [change["position"] for change in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [change["position"] for change in api.get(address).json()["items"]]
    assert found == sorted(set(found), reverse=True)
    assert len(found) == 5


def test_feed_gives_each_change_once_and_in_order(api: httpx.Client) -> None:
    def read(cursor: str | None, **query: Any) -> dict[str, Any]:
        answer = api.get("/api/v1/entities/changes", params=query | ({"since": cursor} if cursor else {}))
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.json()
        return page

    page, seen = read(None, limit=200), []
    while page["items"]:
        seen += [change["position"] for change in page["items"]]
        page = read(page["next_cursor"], limit=200)
    assert seen == list(range(1, len(seen) + 1)), "from the first change on, without a gap"
    start = page["next_cursor"]
    put(api, component("mirrored"))
    put(api, component("mirrored", lifecycle="deprecated"))
    api.delete("/api/v1/entities/component/default/mirrored")
    first = read(start, limit=2)
    rest = read(first["next_cursor"], limit=2)
    mine = [item for item in first["items"] + rest["items"] if item["ref"] == "component:default/mirrored"]
    assert [item["change"] for item in mine] == ["created", "updated", "deleted"]
    assert mine[1]["document"]["spec"]["lifecycle"] == "deprecated"
    ahead = api.get("/api/v1/entities/changes", params={"since": number_cursor(10**9)})
    assert (ahead.status_code, ahead.json()["code"]) == (409, "catalog.feed_ahead")
    assert api.get("/api/v1/entities/changes", params={"since": "nonsense"}).status_code == 422


def test_feed_waits_for_the_next_change(api: httpx.Client) -> None:
    cursor = api.get("/api/v1/entities/changes", params={"limit": 200}).json()["next_cursor"]
    while (page := api.get("/api/v1/entities/changes", params={"since": cursor, "limit": 200}).json())["items"]:
        cursor = page["next_cursor"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(api.get, "/api/v1/entities/changes", params={"since": cursor, "wait_seconds": 60})
        put(api, component("awaited"))
        items = waiting.result(30).json()["items"]
    assert "component:default/awaited" in [item["ref"] for item in items]


def test_put_of_the_same_changes_nothing(api: httpx.Client) -> None:
    put(api, component("put-same"))
    assert put(api, component("put-same")).json()["items"][0]["change"] is None
    assert put(api, component("put-same", lifecycle="deprecated")).json()["items"][0]["change"] == "updated"


def test_what_is_built_in_is_changed_by_nobody(api: httpx.Client, server: RunningServer, place: Place) -> None:
    async def put_own(text: str) -> None:
        async with server.database.write() as session:
            await put_built_in(session, system_actor("test"), read_documents(text.encode(), file="own.yaml"))

    put(api, component("own-part", lifecycle="somebody"))
    server.run(put_own(component("own-part", lifecycle="roadbed")))
    assert put(api, component("own-part", lifecycle="mine")).json()["code"] == "catalog.entity_managed"
    refused = api.delete("/api/v1/entities/component/default/own-part")
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.entity_managed")
    assert "is a part of Roadbed" in refused.json()["detail"]
    place.write(a=component("own-part", lifecycle="file"))
    place.register()
    assert "exists already, from Roadbed itself" in place.problems()[0]["reason"]
    entity = api.get("/api/v1/entities/component/default/own-part").json()
    assert (entity["spec"]["lifecycle"], entity["source"]["is_built_in"]) == ("roadbed", True)
    assert "Delete own-part" not in api.get("/catalog/component/default/own-part").text
    server.run(put_own(component("own-part", lifecycle="newer")))
    assert api.get("/api/v1/entities/component/default/own-part").json()["spec"]["lifecycle"] == "newer"


def test_entities_are_put_all_or_none(api: httpx.Client) -> None:
    answer = put(api, component("half-good") + component("half-bad", owner="''"))
    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "catalog.entity_invalid"
    assert problem["problems"][0]["path"] == "spec.owner"
    assert problem["problems"][0]["line"] == 18
    assert api.get("/api/v1/entities/component/default/half-good").status_code == 404


def test_entities_are_put_as_json_too(api: httpx.Client) -> None:
    entity = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "System",
        "metadata": {"name": "json-system", "description": "a 🛣 and a 😀"},
        "spec": {"owner": "x"},
    }
    assert api.post("/api/v1/entities", json=entity).status_code == 200
    assert api.post("/api/v1/entities", json=[entity]).json()["items"][0]["change"] is None
    assert api.post("/api/v1/entities", json=[]).status_code == 422
    entity["metadata"] = {"name": "json-nul", "description": "a\u0000b"}
    assert api.post("/api/v1/entities", json=entity).status_code == 422
    half = b'{"apiVersion":"v1","kind":"System","metadata":{"name":"x","title":"\\ud83d"},"spec":{"owner":"x"}}'
    assert api.post("/api/v1/entities", content=half, headers={"content-type": "application/json"}).status_code == 422


def test_entity_of_a_location_is_changed_there(place: Place) -> None:
    place.write(a=component("managed"))
    place.register()
    answer = put(place.api, component("managed", lifecycle="deprecated"))
    assert answer.status_code == 409
    assert "is read from a.yaml, line 2" in answer.json()["detail"]
    assert place.api.delete("/api/v1/entities/component/default/managed").status_code == 409
    (place.folder / "a.yaml").unlink()
    place.write(b=component("managed-other"))
    place.refresh()
    assert place.api.delete("/api/v1/entities/component/default/managed").status_code == 204


def test_deleted_entity_leaves_its_history(api: httpx.Client) -> None:
    put(api, component("deleted"))
    assert api.delete("/api/v1/entities/component/default/deleted").status_code == 204
    assert api.get("/api/v1/entities/component/default/deleted").status_code == 404
    items = api.get("/api/v1/entities/component/default/deleted/history").json()["items"]
    assert [item["change"] for item in items] == ["deleted", "created"]


def test_unknown_entity_names_the_nearest(api: httpx.Client) -> None:
    put(api, component("nearest-neighbour"))
    answer = api.get("/api/v1/entities/component/default/nearest-neighbor")
    assert answer.status_code == 404
    assert answer.json()["code"] == "catalog.entity_not_found"
    assert "component:default/nearest-neighbour" in answer.json()["hint"]


@pytest.fixture(scope="module")
def listed(api: httpx.Client) -> httpx.Client:
    texts = [
        component("list-a", owner="list-team", type="service", lifecycle="production", system="list-sys"),
        component("list-b", owner="list-team", type="website", lifecycle="experimental"),
        component("list-c", owner="group:list/other", type="service").replace(
            "name: list-c", "name: list-c\n  tags: [list-tag]"
        ),
        component("list-d", owner="list-ghost").replace("name: list-d", "name: list-d\n  namespace: list"),
        group("list-team"),
    ]
    assert put(api, "".join(texts)).status_code == 200
    return api


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({"owner": "list-team"}, ["list-a", "list-b"]),
        ({"owner": ["list-team", "group:list/other"]}, ["list-a", "list-b", "list-c"]),
        ({"owner": "list-team", "type": "website"}, ["list-b"]),
        ({"owner": "list-team", "lifecycle": ["Production", "none"]}, ["list-a"]),
        ({"system": "list-sys", "kind": "component"}, ["list-a"]),
        ({"tag": "list-tag"}, ["list-c"]),
        ({"namespace": "list"}, ["list-d"]),
        ({"q": "LIST-", "kind": "group"}, ["list-team"]),
        ({"q": "list- tag"}, ["list-c"]),
        ({"q": "list_"}, []),
        ({"q": "list-", "unowned": True}, ["list-c", "list-d"]),
        ({"owner": "a//"}, []),
    ],
)
def test_list_is_filtered(listed: httpx.Client, params: dict[str, Any], names: list[str]) -> None:
    page = listed.get("/api/v1/entities", params=params).json()
    assert [item["metadata"]["name"] for item in page["items"]] == names
    assert page["total"] == len(names)


def test_list_is_read_page_by_page(listed: httpx.Client) -> None:
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, Any] = {"q": "list-", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = listed.get("/api/v1/entities", params=params).json()
        assert page["total"] == 5
        seen += [item["ref"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5


def test_wrong_cursor_and_unknown_parameter_are_refused(api: httpx.Client) -> None:
    assert api.get("/api/v1/entities", params={"cursor": "x"}).status_code == 422
    assert api.get("/api/v1/entities", params={"kinds": "x"}).status_code == 422


def test_validation_lists_problems_with_places_and_keeps_nothing(api: httpx.Client) -> None:
    text = component("checked") + component("checked-bad").replace("lifecycle", "lifecyle")
    answer = api.post("/api/v1/validate", content=text, headers=YAML).json()
    assert answer["valid"] is False
    assert answer["entities"] == ["component:default/checked", "component:default/checked-bad"]
    problem = answer["problems"][0]
    assert (problem["line"], problem["column"], problem["path"]) == (17, 3, "spec.lifecyle")
    assert problem["ref"] == "component:default/checked-bad"
    assert api.get("/api/v1/entities/component/default/checked").status_code == 404
    assert api.post("/api/v1/validate", content=component("checked"), headers=YAML).json()["valid"] is True
    assert api.post("/api/v1/validate", content="", headers=YAML).json()["valid"] is False


def test_kinds_and_their_schemas_are_published(api: httpx.Client, server: RunningServer) -> None:
    kinds = {kind["name"]: kind for kind in api.get("/api/v1/kinds").json()["items"]}
    assert {"Component", "AiResource", "Pipeline", "EnvironmentType"} <= kinds.keys()
    schema = server.client().get(kinds["Component"]["schema_url"])
    assert schema.status_code == 200
    assert schema.json()["properties"]["spec"]["required"] == ["type", "lifecycle", "owner"]
    assert api.get("/api/v1/kinds/Componnet/schema").json()["hint"] == "Did you mean Component?"


def test_status_keeps_since_while_the_state_stays(api: httpx.Client, server: RunningServer) -> None:
    put(api, component("reported"))
    ref = parse_ref("component:reported")

    async def report(state: Health, summary: str) -> None:
        async with server.database.write() as session:
            await report_status(
                session, ref, StatusReport(key="health", state=state, summary=summary, source="tests", detail={"n": 1})
            )

    def status() -> dict[str, Any]:
        found: dict[str, Any] = api.get("/api/v1/entities/component/default/reported").json()["statuses"][0]
        return found

    server.run(report(Health.HEALTHY, "all good"))
    first = status()
    server.run(report(Health.HEALTHY, "still good"))
    second = status()
    assert (second["summary"], second["since"]) == ("still good", first["since"])
    assert second["at"] > first["at"]
    server.run(report(Health.FAILING, "broken"))
    assert status()["since"] > first["since"]


def test_groups_of_a_user_are_found_through_parents_and_circles(api: httpx.Client, server: RunningServer) -> None:
    user = "---\napiVersion: backstage.io/v1alpha1\nkind: User\nmetadata: {name: grouped}\nspec: {memberOf: [grp-a]}\n"
    put(api, user + group("grp-a", parent="grp-b") + group("grp-b", parent="grp-c") + group("grp-c", parent="grp-b"))

    async def find() -> frozenset[str]:
        async with server.database.read() as session:
            return await server.services.get(UserSource).find_groups(session, "User:default/Grouped")

    assert server.run(find()) == {"group:default/grp-a", "group:default/grp-b", "group:default/grp-c"}


def test_positions_have_no_gaps_under_concurrent_writes(api: httpx.Client, server: RunningServer) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: put(api, component(f"parallel-{number}")), range(24)))
    assert {answer.status_code for answer in answers} == {200}
    items = [
        api.get(f"/api/v1/entities/component/default/parallel-{number}/history").json()["items"][0]["position"]
        for number in range(24)
    ]
    assert len(set(items)) == 24


def test_viewer_sees_and_does_not_change(client_of: Callable[[str], httpx.Client], server: RunningServer) -> None:
    viewer = client_of("viewer")
    assert viewer.get("/api/v1/entities").status_code == 200
    assert put(viewer, component("never")).status_code == 403
    assert (
        viewer.post("/api/v1/locations", json={"type": "git", "target": "https://x.example/y.git"}).status_code == 403
    )
    assert server.client().get("/api/v1/entities").status_code == 401
