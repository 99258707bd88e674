"""Columns of the list page: chosen in the address, the same in the file, and nothing else of the list is lost."""

import csv
import html
import io
import re

import httpx
import pytest

from roadbed.catalog.errors import ColumnUnknown
from roadbed.catalog.rules.tables import LISTED_COLUMNS, find_columns
from tests.catalog.conftest import component
from tests.catalog.kinds import entity, kind
from tests.catalog.test_pages import HTML, page

YAML = {"content-type": "application/yaml"}
SCHEMA = {
    "type": "object",
    "properties": {"nodes": {"type": "integer", "title": "Nodes"}, "runs": {"type": "string", "title": "Runs on"}},
}
COMPUTED = [
    {"name": "large", "title": "Is large", "type": "boolean", "expression": "spec.nodes > 3"},
    {"name": "broken", "title": "Broken one", "type": "integer", "expression": "spec.nodes / 0"},
]


@pytest.fixture(scope="module")
def listed(api: httpx.Client) -> httpx.Client:
    marked = component("column-a", owner="column-team").replace(
        "metadata:\n", "metadata:\n  annotations: {x.example/a: '<b>1</b>'}\n  tags: [column-tag]\n"
    )
    text = (
        kind("ColumnRack", SCHEMA, computed=COMPUTED)
        + marked
        + component("column-b", owner="column-team", type="website")
        + entity("ColumnRack", "column-rack", nodes=5, runs="https://rack.example")
    )
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    return api


def heads(text: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*>(?:<a[^>]*>)?([^<]+)<', text)


def find_export(text: str) -> str:
    found = re.search(r'href="(/api/v1/entities/export[^"]*format=csv[^"]*)"', text)
    assert found is not None
    return html.unescape(found[1])


def test_chosen_columns_are_those_of_the_page_and_of_the_file(listed: httpx.Client) -> None:
    text = page(listed, "/catalog?owner=column-team&columns=type,annotation:x.example/a&columns=ref, type,")
    assert heads(text) == ["Name", "Type", "x.example/a", "Ref"]
    assert '<span class="mono">component:default/column-a</span>' in text
    assert "&lt;b&gt;1&lt;/b&gt;" in text
    assert re.search(r'value="type" checked>Type', text)
    assert 'value="annotation:x.example/a"' in text, "what has no box stands in the line for others"
    rows = list(csv.reader(io.StringIO(listed.get(find_export(text)).text)))
    assert rows == [
        ["ref", "title", "type", "annotation:x.example/a"],
        ["component:default/column-a", "column-a", "service", "<b>1</b>"],
        ["component:default/column-b", "column-b", "website", ""],
    ]


def test_usual_columns_give_the_whole_file(listed: httpx.Client) -> None:
    text = page(listed, "/catalog?owner=column-team")
    assert heads(text) == ["Name", "Owner", "System", "Lifecycle", "Health", "Changed"]
    assert "columns" not in find_export(text)
    assert heads(page(listed, "/catalog/unowned")) == ["Name", "Owner", "System", "Lifecycle", "Health", "Mend"]


def test_list_of_one_kind_offers_its_fields_and_what_is_computed(listed: httpx.Client) -> None:
    text = page(listed, "/catalog?kind=columnrack")
    assert 'value="spec:nodes">Nodes' in text
    assert 'value="computed:large">Is large' in text
    text = page(listed, "/catalog?kind=columnrack&columns=spec:nodes,spec:runs,computed:large,computed:broken")
    assert heads(text) == ["Name", "Nodes", "Runs on", "Is large", "Broken one"]
    assert '<a class="prose-link" href="https://rack.example"' in text
    assert "No value" in text
    rows = list(csv.reader(io.StringIO(listed.get(find_export(text)).text)))
    assert rows[1][2:] == ["5", "https://rack.example", "true", ""]


def test_forms_over_the_list_keep_what_they_do_not_say(listed: httpx.Client) -> None:
    text = page(listed, "/catalog?type=website&owner=column-team&q=column&columns=type")
    columns, filters = (re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', part) for part in (
        text[text.index('aria-label="Columns"') : text.index("menu-boxes")],
        text[text.index("data-auto-submit") : text.index('id="facets"')],
    ))  # fmt: skip
    assert columns == [("type", "website"), ("owner", "column-team"), ("q", "column")]
    assert filters == [("type", "website"), ("columns", "type")]


def test_column_that_there_is_not_is_refused_with_the_nearest(listed: httpx.Client) -> None:
    answer = listed.get("/catalog?columns=onwer", headers=HTML)
    assert answer.status_code == 422
    assert "Did you mean owner?" in answer.text


def test_names_of_columns_are_read_as_they_are_typed() -> None:
    assert [column.name for column in find_columns(["owner, type", " ", "type,spec:a b"])] == [
        "owner", "type", "spec:a b",
    ]  # fmt: skip
    assert [column.name for column in find_columns([" , "], usual=LISTED_COLUMNS)] == list(LISTED_COLUMNS)
    for wrong in ("spec:", ":a", "relation:x", ",".join(f"spec:{number}" for number in range(51))):
        with pytest.raises(ColumnUnknown):
            find_columns([wrong])
