"""Pages of the catalog, as a browser without scripts gets them."""

import re

import httpx

from roadbed.catalog.contract import Health, StatusReport, report_status
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import Place, component, group
from tests.support import RunningServer

HTML = {"accept": "text/html"}
BETA = "scaffolder.backstage.io/v1beta3"


def roadbed(kind: str, spec: str) -> str:
    return f"---\napiVersion: roadbed.dev/v1\nkind: {kind}\nmetadata: {{name: every}}\nspec: {spec}\n"


def page(api: httpx.Client, path: str) -> str:
    answer = api.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_list_shows_rows_facets_and_views(place: Place) -> None:
    place.write(
        a=component("page-a", owner="page-team", system="page-system") + component("page-b", owner="page-ghost"),
        t=group("page-team", profile="{displayName: Page Team}"),
    )
    place.register()
    text = page(place.api, f"/catalog?location={place.id}")
    assert 'href="/catalog/component/default/page-a"' in text
    assert '<a href="/catalog/group/default/page-team">Page Team</a>' in text
    assert "page-ghost not found" in text
    assert 'name="kind" value="Component"' in text
    assert "3 of 3 entities" in text
    assert 'href="/catalog/unowned"' in text
    unowned = page(place.api, f"/catalog/unowned?location={place.id}")
    assert "page-b" in unowned
    assert "page-a" not in unowned
    assert "No entity matches" in page(place.api, "/catalog?q=nothing-has-this-name")


def test_entity_page_answers_who_how_and_what_hangs_on_it(place: Place, server: RunningServer) -> None:
    links = "[{url: 'javascript:alert(1)', title: Bad}, {url: 'https://x.example', title: Wiki}]"
    extra = f"metadata:\n  description: Takes <b>orders</b>\n  links: {links}\n"
    place.write(
        a=component("shown", owner="shown-team", dependsOn="[resource:shown-db, component:shown-b]").replace(
            "metadata:\n", extra
        )
        + component("shown-b"),
        t=group("shown-team"),
    )
    place.register()

    async def report() -> None:
        async with server.database.write() as session:
            status = StatusReport(
                key="health", state=Health.DEGRADED, summary="p95 latency 1.9 s, limit 1.5 s", source="tests"
            )
            await report_status(session, parse_ref("component:shown"), status)

    server.run(report())
    text = page(place.api, "/catalog/component/default/shown")
    assert "Takes &lt;b&gt;orders&lt;/b&gt;" in text
    assert "javascript:" not in text
    assert 'href="https://x.example"' in text
    assert "p95 latency 1.9 s, limit 1.5 s" in text
    assert "Degraded" in text
    assert '<span class="mono">resource:shown-db</span>' in text
    assert "Not found" in text
    assert 'href="/catalog/component/default/shown-b"' in text
    owner = page(place.api, "/catalog/group/default/shown-team")
    assert "Owns" in owner
    assert 'href="/catalog/component/default/shown"' in owner


def test_entity_page_shows_what_is_wrong_with_its_file(place: Place) -> None:
    place.write(a=component("page-faulty"))
    place.register()
    place.write(a=component("page-faulty", owner="''"))
    place.refresh()
    text = page(place.api, "/catalog/component/default/page-faulty")
    assert "spec.owner is empty." in text
    assert "a.yaml:9" in text


def test_history_shows_what_changed(place: Place) -> None:
    place.write(a=component("page-history"))
    place.register()
    place.write(a=component("page-history", lifecycle="deprecated"))
    place.refresh()
    text = page(place.api, "/catalog/component/default/page-history/history")
    assert "spec.lifecycle" in text
    assert "<del>production</del> → <ins>deprecated</ins>" in text
    assert f'href="/runs/{place.run_id}"' in text


def test_source_shows_the_entity_as_yaml(place: Place) -> None:
    place.write(a=component("page-source"))
    place.register()
    text = page(place.api, "/catalog/component/default/page-source/source")
    assert "a.yaml, line 2" in text
    assert "page-source" in text


def test_location_page_lists_problems_and_says_what_goes_with_it(place: Place) -> None:
    place.write(a=component("page-loc") + component("page-loc-bad", owner="''"))
    place.register()
    text = page(place.api, f"/catalog/locations/{place.id}")
    assert "spec.owner is empty." in text
    assert "a.yaml:18" in text
    assert "1 entity" in text
    assert "Has errors" in page(place.api, "/catalog/locations")


def test_location_is_registered_with_a_form_that_says_what_is_wrong(place: Place) -> None:
    place.write(a=component("page-form"))
    assert "Git repository" in page(place.api, "/catalog/register")
    wrong = place.api.post("/catalog/register", data={"type": "file", "target": "here"}, headers=HTML)
    assert wrong.status_code == 422
    assert "is not an absolute path" in wrong.text
    right = place.api.post("/catalog/register", data={"type": "file", "target": f"{place.folder}/*.yaml"}, headers=HTML)
    assert right.status_code == 303
    again = place.api.post("/catalog/register", data={"type": "file", "target": f"{place.folder}/*.yaml"}, headers=HTML)
    assert again.headers["location"] == right.headers["location"]
    place.id = right.headers["location"].rpartition("/")[2]
    place.wait(place.location()["run_id"])
    refreshed = place.api.post(f"/catalog/locations/{place.id}/refresh", headers=HTML)
    assert refreshed.headers["location"].startswith("/runs/")
    place.wait(refreshed.headers["location"].rpartition("/")[2])
    refused = place.api.post(f"/catalog/locations/{place.id}/remove", data={"confirm_name": "x"}, headers=HTML)
    assert refused.status_code == 422
    removed = place.api.post(f"/catalog/locations/{place.id}/remove", data={"confirm_name": "*.yaml"}, headers=HTML)
    assert removed.headers["location"] == "/catalog/locations"


def test_entity_is_deleted_when_its_name_was_typed(api: httpx.Client) -> None:
    api.post("/api/v1/entities", content=component("Page-Delete"), headers={"content-type": "application/yaml"})
    path = "/catalog/component/default/page-delete"
    assert "Delete Page-Delete" in page(api, path)
    assert api.post(f"{path}/delete", data={"confirm_name": "other"}, headers=HTML).status_code == 422
    assert api.post(f"{path}/delete", data={"confirm_name": "Page-Delete"}, headers=HTML).status_code == 303
    assert api.get(path, headers=HTML).status_code == 404


ENTITIES = [
    component("every"),
    component("every", definition="text").replace("Component", "API"),
    component("every-mcp", type="mcp-server", remotes="[{type: sse, url: 'https://x.example'}]").replace(
        "Component", "API"
    ),
    component("every").replace("Component", "Resource"),
    component("every").replace("Component", "System"),
    component("every").replace("Component", "Domain"),
    group("every", members="[every]"),
    component("every", memberOf="[every]").replace("Component", "User"),
    component("every", targets="[./x.yaml]").replace("Component", "Location"),
    component("every", steps="[]").replace("Component", "Template").replace("backstage.io/v1alpha1", BETA),
    component("every", type="skill").replace("Component", "AiResource"),
    roadbed("Pipeline", "{version: '1', stages: [{id: test, steps: [{make: test}]}]}"),
    roadbed("ResourceType", "{version: '1', parameters: {}, outputs: {}}"),
    roadbed("ResourceDefinition", "{version: '1', type: every, driver: local}"),
    roadbed("EnvironmentType", "{order: 1, runtime: process}"),
]


def test_every_kind_has_its_pages(api: httpx.Client) -> None:
    put = api.post("/api/v1/entities", content="".join(ENTITIES), headers={"content-type": "application/yaml"})
    assert put.status_code == 200, put.text
    for item in put.json()["items"]:
        path = f"/catalog/{item['ref'].replace(':', '/')}"
        assert "Overview" in page(api, path)
        assert "Created" in page(api, f"{path}/history")
        assert "put over the API" in page(api, f"{path}/source")


def test_page_says_what_came_with_roadbed_and_may_be_changed(api: httpx.Client) -> None:
    path = "/catalog/environmenttype/default/staging"
    assert "came with Roadbed, yours to change" in page(api, path)
    assert "came with Roadbed, yours to change" in page(api, f"{path}/source")
