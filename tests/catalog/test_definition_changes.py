"""What changes between two definitions, and which rule says that it breaks clients: a table of cases."""

from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml

from roadbed.catalog.rules.definitions import asyncapi, graphql, grpc, openapi, work
from roadbed.catalog.rules.definitions.breaking import RULES, Impact
from roadbed.catalog.rules.definitions.comparison import MOST_CHANGES, Comparison, compare

FOLDER = Path(__file__).parent / "definitions"
ROOT = Path(__file__).resolve().parents[2]
READERS: dict[str, Any] = {
    "openapi.yaml": openapi.read,
    "swagger.json": openapi.read,
    "asyncapi2.yaml": asyncapi.read,
    "asyncapi3.yaml": asyncapi.read,
    "schema.graphql": graphql.read,
    "service.proto": grpc.read,
}


def edit(name: str, old: str, new: str) -> Comparison:
    text = (FOLDER / name).read_text()
    assert old in text
    return compare(READERS[name](text), READERS[name](text.replace(old, new, 1)))


CASES = [
    (name, case["old"], case["new"], case["place"], case["rule"])
    for name, cases in yaml.safe_load((FOLDER / "changes.yaml").read_text()).items()
    for case in cases
]


@pytest.mark.parametrize(("name", "old", "new", "place", "rule"), CASES)
def test_change_is_found_with_its_rule(name: str, old: str, new: str, place: str, rule: str) -> None:
    found = edit(name, old, new)
    here = [change.rule for change in found.changes if " > ".join(change.place) == place]
    assert [f"{one.code} {one.impact}" for one in here] == ([rule] if rule else [])


@pytest.mark.parametrize("name", READERS)
def test_nothing_changes_between_a_definition_and_itself(name: str) -> None:
    definition = READERS[name]((FOLDER / name).read_text())
    assert compare(definition, definition) == Comparison(())


def test_texts_and_examples_are_no_changes() -> None:
    assert edit("openapi.yaml", "What somebody ordered", "Something else").changes == ()
    assert edit("openapi.yaml", "total: 10.5", "total: 11").changes == ()


def test_every_rule_that_matters_says_why_and_is_in_the_reference() -> None:
    reference = (ROOT / "docs" / "reference" / "definitions.md").read_text()
    rules = [rule for rule in RULES.values() if rule.impact is not Impact.SAFE]
    assert [rule.code for rule in rules if f"| `{rule.code}` | {rule.reason} |" not in reference] == []
    assert all(rule.reason for rule in rules)


def test_schemas_under_other_names_are_compared_by_what_they_say() -> None:
    text = (FOLDER / "openapi.yaml").read_text()
    renamed = text.replace("schemas/Order'", "schemas/Purchase'").replace("    Order:\n", "    Purchase:\n")
    found = compare(openapi.read(text), openapi.read(renamed))
    assert {change.rule.code for change in found.changes} == {"schema-removed", "type-added"}
    broken = compare(
        openapi.read(text), openapi.read(renamed.replace("total: {type: number, minimum: 0}", "total: {type: boolean}"))
    )
    assert {change.rule.code for change in broken.changes if change.rule.impact is Impact.BREAKING} == {"type-changed"}


def test_breaking_changes_come_first_and_there_is_an_end() -> None:
    paths = "".join(f"  /p{number}: {{get: {{responses: {{}}}}}}\n" for number in range(MOST_CHANGES + 10))
    old = openapi.read(f"openapi: 3.0.0\npaths:\n{paths}")
    new = openapi.read("openapi: 3.0.0\npaths:\n  /new: {get: {responses: {}}}\n")
    found = compare(old, new)
    assert found.is_cut
    assert len(found.changes) == MOST_CHANGES
    assert compare(new, old).changes[0].rule.impact is Impact.BREAKING


def test_changes_leave_as_json_and_name_the_text_that_is_broken() -> None:
    text = (FOLDER / "openapi.yaml").read_bytes()
    told = orjson.loads(
        work.tell_changes(b"openapi %d\n" % len(text) + text + text.replace(b"    delete:", b"    put:"))
    )
    assert told["changes"][0]["code"] == "element-removed"
    assert told["changes"][0]["place"] == ["DELETE /orders/{id}"]
    broken = orjson.loads(work.tell_changes(b"openapi %d\n" % len(text) + text + b"a: ["))
    assert broken["which"] == "after"
