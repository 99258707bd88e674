"""The definition of an API on its pages, over REST and on the command line."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
import yaml
from playwright.sync_api import Browser, expect
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.catalog.conftest import Place
from tests.support import RunningServer
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

FOLDER = Path(__file__).parent / "definitions"
HTML = {"accept": "text/html"}
YAML = {"content-type": "application/yaml"}


def put(api: httpx.Client, name: str, definition: str | None, type_: str = "openapi", **spec: Any) -> str:
    """Put an API and return the address of its page."""
    entity: dict[str, Any] = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "API",
        "metadata": {"name": name},
        "spec": {"type": type_, "lifecycle": "production", "owner": "team-none", **spec},
    }
    if definition is not None:
        entity["spec"]["definition"] = definition
    answer = api.post("/api/v1/entities", json=entity)
    assert answer.status_code == 200, answer.text
    return f"/catalog/api/default/{name}"


def read(name: str) -> str:
    return (FOLDER / name).read_text()


def page(api: httpx.Client, path: str) -> str:
    answer = api.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_definition_is_a_tab_of_an_api(api: httpx.Client) -> None:
    path = put(api, "defined", read("openapi.yaml"))
    api.post(
        "/api/v1/entities",
        json={
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {"name": "defined-by"},
            "spec": {"type": "service", "lifecycle": "production", "owner": "team-none", "providesApis": ["defined"]},
        },
    )
    assert f'<a href="{path}/definition">Definition</a>' in page(api, path)
    text = page(api, f"{path}/definition")
    assert "OpenAPI 3.1.0, version 3.2.0" in text
    assert "Places and reads <strong>orders</strong>" in text
    assert "alert(1)" not in text
    assert 'href="/catalog/component/default/defined-by"' in text
    assert "No component says that it consumes this API." in text
    assert 'id="part-get-%2Forders"' in text
    assert f'href="{path}/definition?part=type%3AOrder"' in text
    assert "1 place was not followed" in text
    assert "/definition" not in page(api, "/catalog/component/default/defined-by")
    assert api.get("/catalog/component/default/defined-by/definition", headers=HTML).status_code == 404


@pytest.mark.parametrize(
    ("type_", "file", "words"),
    [
        ("asyncapi", "asyncapi2.yaml", ["SUBSCRIBE", "orders/{region}", "Message Placed", "AsyncAPI 2.6.0"]),
        ("asyncapi", "asyncapi3.yaml", ["RECEIVE", "Reply with message placed", "shop.orders"]),
        ("graphql", "schema.graphql", ["Mutations", "list of Order", "Deprecated", "Money has come"]),
        ("grpc", "service.proto", ["RPC", "Watch", "Number 7", "Places and reads orders."]),
        ("openapi", "swagger.json", ["OpenAPI 2.0", "PUT", "multipart/form-data"]),
    ],
)
def test_every_format_is_readable(api: httpx.Client, type_: str, file: str, words: list[str]) -> None:
    path = put(api, "defined-" + file.replace(".", "-"), read(file), type_)
    text = page(api, f"{path}/definition")
    assert [word for word in words if word not in text] == []


def test_words_narrow_the_parts_and_one_part_stands_alone(api: httpx.Client) -> None:
    path = put(api, "defined-searched", read("openapi.yaml"))
    text = page(api, f"{path}/definition?q=place+post")
    assert "Place an order" in text
    assert "List orders" not in text
    assert "Nothing matches" in page(api, f"{path}/definition?q=nothing-of-this")
    one = page(api, f"{path}/definition?part=get-%2Forders")
    assert "at most 100" in one
    assert "Place an order" not in one
    fragment = api.get(f"{path}/definition?part=get-%2Forders", headers={**HTML, "hx-request": "true"}).text
    assert "at most 100" in fragment
    assert "<html" not in fragment
    assert api.get(f"{path}/definition?part=get-none", headers=HTML).status_code == 404


def test_text_is_shown_in_pages_and_given_as_a_file(api: httpx.Client) -> None:
    text = "openapi: 3.0.0\npaths:\n" + "".join(f"  /p{number}: {{}}\n" for number in range(2_500))
    path = put(api, "defined-long", text)
    shown = page(api, f"{path}/definition/text?line=1500")
    assert 'id="L1001"' in shown
    assert 'id="L1000"' not in shown
    assert 'line=2001">Next' in shown
    raw = api.get(f"{path}/definition/raw")
    assert raw.text == text
    assert raw.headers["content-disposition"] == "attachment; filename*=UTF-8''defined-long.yaml"
    assert "sandbox" in raw.headers["content-security-policy"]


def test_broken_definition_is_named_with_its_line_and_shown(api: httpx.Client) -> None:
    path = put(api, "defined-broken", "openapi: 3.0.0\npaths:\n  /a: {}\n   /b: {}\n")
    text = page(api, f"{path}/definition")
    assert "This definition cannot be read" in text
    assert f'href="{path}/definition/text?line=4#L4">Line 4, column' in text
    assert 'id="L4"' in text
    answer = api.get("/api/v1/entities/api/default/defined-broken/definition")
    assert answer.status_code == 422
    assert answer.json()["code"] == "catalog.definition_unreadable"
    assert answer.json()["problems"][0]["line"] == 4


def test_unknown_types_and_servers_for_agents_have_a_page(api: httpx.Client) -> None:
    path = put(api, "defined-trpc", "anything <b>at all</b>", "trpc")
    text = page(api, f"{path}/definition")
    assert "Roadbed does not read definitions of type trpc" in text
    assert "anything &lt;b&gt;at all" in text
    remotes = [{"type": "streamable-http", "url": "https://mcp.example.com/<x>"}]
    path = put(api, "defined-mcp", None, "mcp-server", remotes=remotes)
    text = page(api, f"{path}/definition")
    assert "https://mcp.example.com/&lt;x&gt;" in text
    assert "streamable-http" in text
    assert "Download" not in text
    assert api.get(f"{path}/definition/raw").status_code == 404


def test_changes_between_versions_are_told_with_what_breaks(api: httpx.Client, server: RunningServer) -> None:
    path = put(api, "defined-changed", read("openapi.yaml"))
    address = "/api/v1/entities/api/default/defined-changed/definition"
    assert "This is the first version" in page(api, f"{path}/definition/changes")
    assert api.get(f"{address}/changes").json()["before"] is None
    put(api, "defined-changed", read("openapi.yaml").replace("    delete:\n", "    patch:\n"))
    put(api, "defined-changed", read("openapi.yaml").replace("    delete:\n", "    patch:\n"), lifecycle="deprecated")
    text = page(api, f"{path}/definition/changes")
    assert "1 breaking" in text
    assert "Who calls it or listens to it gets nothing any more." in text
    assert '<span class="mono">DELETE /orders/{id}</span>' in text
    told = api.get(f"{address}/changes").json()
    assert told["breaking"] == 1
    assert [(item["code"], item["impact"]) for item in told["items"]] == [
        ("element-removed", "breaking"),
        ("element-added", "safe"),
    ]
    before = told["before"]["position"]
    older = api.get(address, params={"version": before}).json()
    assert "delete-/orders/{id}" in [entry["id"] for entry in older["elements"]]
    assert "An earlier version" in page(api, f"{path}/definition?version={before}")
    assert api.get(f"{address}/changes", params={"version": 1}).status_code == 404
    environment = {"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token()}
    diff = CliRunner().invoke(app, ["definition", "diff", "defined-changed"], env=environment)
    assert diff.exit_code == 0, diff.output
    assert "1 breaking" in diff.output
    assert "element-removed" in diff.output
    shown = CliRunner().invoke(
        app, ["definition", "show", "api:default/defined-changed", "-o", "name"], env=environment
    )
    assert "post-/orders" in shown.output.splitlines()


def large_definition(count: int, *, words: int = 400) -> str:
    """A definition of so many operations, each with a body and an answer of its own with so long a description."""
    operation = {
        "summary": "Does one of many things",
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
        "responses": {"200": {"description": "Done " + "x" * words}},
    }
    thing = {"type": "object", "properties": {f"field{number}": {"type": "string"} for number in range(30)}}
    return orjson.dumps(
        {
            "openapi": "3.0.0",
            "paths": {f"/things/{number}": {"post": operation, "get": operation} for number in range(count // 2)},
            "components": {"schemas": {"Thing": thing}},
        }
    ).decode()


def test_five_hundred_operations_stay_usable(api: httpx.Client) -> None:
    path = put(api, "defined-large", large_definition(500))
    answer = api.get(f"{path}/definition", headers=HTML)
    assert answer.text.count('<details class="part"') == 501
    assert len(answer.content) < 600_000
    assert "500 operations, 1 type" in answer.text
    assert 'hx-trigger="toggle once"' in answer.text


def test_ten_megabytes_do_not_hold_up_others(api: httpx.Client, server: RunningServer, place: Place) -> None:
    text = large_definition(1_000, words=9_000)
    assert len(text) > 9_000_000
    (place.folder / "large.json").write_text(text)
    spec = {"type": "openapi", "lifecycle": "production", "owner": "team-none", "definition": {"$text": "./large.json"}}
    entity = {"apiVersion": "backstage.io/v1alpha1", "kind": "API", "metadata": {"name": "defined-huge"}, "spec": spec}
    place.write(api=yaml.safe_dump(entity))
    place.register()
    longest = 0.0

    async def measure() -> None:
        nonlocal longest
        began = time.thread_time()  # work of the loop's thread, however busy the machine is with other things
        while True:
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)
            began = time.thread_time()

    page(api, put(api, "defined-small", read("openapi.yaml")) + "/definition")  # templates are compiled once
    path = "/catalog/api/default/defined-huge/definition"
    watching = asyncio.run_coroutine_threadsafe(measure(), server.loop)
    try:
        at_once = page(api, path)
        answer = page(api, f"{path}?wait=true")
    finally:
        watching.cancel()
    assert "This definition is large. It is being read." in at_once
    assert f'hx-get="{path}?wait=true"' in at_once
    assert "1,000 operations" in answer
    assert longest < 0.1, f"the event loop worked for {longest:.3f} s at once"


@pytest.fixture(scope="module")
def browser() -> Any:
    with launch_browser() as launched:
        yield launched


@pytest.fixture
def watched(browser: Browser, server: RunningServer) -> WatchedPage:
    seen = watch(browser)
    seen.page.context.set_extra_http_headers({"Authorization": f"Bearer {server.token()}"})
    return seen


def test_pages_can_be_looked_at(watched: WatchedPage, api: httpx.Client, server: RunningServer) -> None:
    folder = ROOT / "test-artifacts" / "definitions"
    path = put(api, "looked-at", read("openapi.yaml"))
    put(
        api,
        "looked-at",
        read("openapi.yaml").replace("    delete:\n", "    patch:\n").replace("minimum: 0}", "minimum: 1}"),
    )
    watched.page.goto(f"{server.base_url}{path}/definition")
    watched.page.locator("summary", has_text="List orders").click()
    assert watched.look_around(folder, "readable") == []
    watched.page.goto(f"{server.base_url}{path}/definition/changes")
    assert watched.look_around(folder, "changes") == []
    large = put(api, "looked-at-large", large_definition(500))
    watched.page.goto(f"{server.base_url}{large}/definition")
    last = watched.page.locator("details.part", has_text="/things/249").last
    last.locator("summary").click()
    last.get_by_text("field29").wait_for()
    watched.page.get_by_label("Search in this definition").fill("things/17 post")
    expect(watched.page.locator("details.part")).to_have_count(11)
    assert watched.problems == []
