"""Exports: the same entities as the list, as lines."""

import csv
import io
import json
from collections.abc import Callable

import httpx
import pytest

from roadbed.kit.csvs import write_csv
from tests import plain_http
from tests.catalog.conftest import component
from tests.catalog.test_pages import page

YAML = {"content-type": "application/yaml"}


@pytest.fixture(scope="module")
def exported(api: httpx.Client) -> httpx.Client:
    evil = component("export-b", owner="export-team").replace(
        "metadata:\n",
        "metadata:\n  title: '=HYPERLINK(\"http://x\")'\n  labels: {tier: '1'}\n"
        "  annotations: {x.example/a: '@b,\"c\"'}\n",
    )
    text = component("export-a", owner="export-team", type="website") + evil + component("export-c", owner="export-no")
    assert api.post("/api/v1/entities", content=text, headers=YAML).status_code == 200
    return api


def read_csv(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_csv_has_what_the_list_has_and_no_formulas(exported: httpx.Client) -> None:
    answer = exported.get("/api/v1/entities/export", params={"owner": "export-team", "q": "export-"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = read_csv(answer)
    assert [row["ref"] for row in rows] == ["component:default/export-b", "component:default/export-a"]
    assert rows[0]["title"] == '\'=HYPERLINK("http://x")'
    assert (rows[1]["owner"], rows[1]["type"]) == ("group:default/export-team", "website")


def test_columns_are_chosen(exported: httpx.Client) -> None:
    params = {"q": "export-b", "columns": ["name,spec:type", "label:tier", "annotation:x.example/a", "spec:none"]}
    (row,) = read_csv(exported.get("/api/v1/entities/export", params=params))
    assert list(row.values()) == ["export-b", "service", "1", '\'@b,"c"', ""]
    wrong = exported.get("/api/v1/entities/export", params={"columns": "onwer"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "catalog.column_unknown")
    assert wrong.json()["hint"] == "Did you mean owner?"


def test_ndjson_is_what_the_list_gives(exported: httpx.Client, client_of: Callable[[str], httpx.Client]) -> None:
    params = {"q": "export-", "kind": "component", "owner": "export-team"}
    answer = client_of("viewer").get("/api/v1/entities/export", params=params | {"format": "ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line) for line in answer.text.splitlines()] == exported.get(
        "/api/v1/entities", params=params
    ).json()["items"]
    assert plain_http.get(f"{exported.base_url}/api/v1/entities/export").status_code == 401


def test_export_of_many_is_complete_and_in_order(exported: httpx.Client) -> None:
    text = "".join(component(f"export-many-{number:04}") for number in range(501))
    assert exported.post("/api/v1/entities", content=text, headers=YAML).status_code == 200
    rows = read_csv(exported.get("/api/v1/entities/export", params={"q": "export-many-", "columns": "name"}))
    assert [row["name"] for row in rows] == [f"export-many-{number:04}" for number in range(501)]


def test_list_page_offers_its_entities_as_a_file(exported: httpx.Client) -> None:
    text = page(exported, "/catalog?owner=export-team&limit=1")
    assert 'href="/api/v1/entities/export?owner=export-team&amp;format=csv"' in text
    assert "unowned=true&amp;format=csv" in page(exported, "/catalog/unowned").replace(
        "format=csv&amp;unowned=true", "unowned=true&amp;format=csv"
    )


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx", "\r=1", "\n=1", "＝1"])
def test_cell_that_looks_like_a_formula_is_text(cell: str) -> None:
    assert next(csv.reader(io.StringIO(write_csv([[cell]]), newline=""))) == [f"'{cell}"]
