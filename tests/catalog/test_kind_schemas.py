"""Schemas of declared kinds: what is taken, what is refused, and what they cost."""

import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadbed.catalog.rules.kinds.schemas import DIALECT, check_schema, compile_schema, inline, relocate

TREE = {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#"}}}}
EXPRESSION = {
    "type": "object",
    "properties": {"rule": {"$ref": "#/$defs/rule"}},
    "$defs": {
        "rule": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"$ref": "#/$defs/rule"}},
                {"type": "object", "additionalProperties": {"$ref": "#/$defs/rule"}},
            ]
        }
    },
}


def bomb(depth: int) -> dict[str, Any]:
    """Return a schema that doubles at each step, without a circle."""
    defs: dict[str, Any] = {
        f"a{number}": {"allOf": [{"$ref": f"#/$defs/a{number + 1}"}] * 2} for number in range(depth)
    }
    return {"type": "object", "allOf": [{"$ref": "#/$defs/a0"}], "$defs": defs | {f"a{depth}": {"minProperties": 1}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {"$schema": DIALECT, "type": "object", "properties": {"$ref": {"type": "string"}, "a": True}},
        {"type": "object", "properties": {"a": {"const": {"$ref": "http://elsewhere.example/"}}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/a~1b"}}, "$defs": {"a/b": {"type": "string"}}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}},
        TREE,
        EXPRESSION,
    ],
)
def test_schema_is_taken(schema: dict[str, Any]) -> None:
    assert check_schema(schema) == []
    compile_schema(schema)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ([], "It is not a JSON Schema"),
        ({"type": "nonsense"}, "It is not a JSON Schema"),
        ({"properties": 3}, "It is not a JSON Schema"),
        ({"$ref": "http://169.254.169.254/latest"}, "lies outside of this schema"),
        ({"properties": {"a": {"$ref": "file:///etc/passwd"}}}, "lies outside of this schema"),
        ({"properties": {"a": {"$ref": "other.json#/a"}}}, "lies outside of this schema"),
        ({"properties": {"a": {"$ref": "#/$defs/nothing"}}}, "names no part of this schema"),
        ({"$ref": "#/x/y", "x": {"y": {"$ref": "http://elsewhere.example/"}}}, "names no part of this schema"),
        ({"$id": "http://elsewhere.example/", "type": "object"}, "$id is not supported"),
        ({"$defs": {"a": {"$dynamicRef": "#a"}}}, "$dynamicRef is not supported"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "Another dialect"),
        ({"dependencies": {"a": {"$ref": "http://elsewhere.example/"}}}, "dependencies is not supported"),
        ({"$ref": "#"}, "leads back to itself"),
        ({"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"not": {"$ref": "#/$defs/a"}}}}, "leads back to itself"),
        ({"properties": {"a": {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}}}, "holds itself several times"),
        (
            {"anyOf": [{"properties": {"a": {"$ref": "#"}}}, {"properties": {"a": {"$ref": "#"}}}]},
            "holds itself several times",
        ),
        ({"items": {"$ref": "#"}, "contains": {"$ref": "#"}}, "holds itself several times"),
        ({**TREE, "unevaluatedProperties": False}, "do not go with a schema that holds itself"),
        (bomb(20), "at most 1,000 are allowed"),
        ({"properties": {f"f{number}": {} for number in range(600)}}, "601 parts"),
        ({"properties": {f"f{number}": {"pattern": "a"} for number in range(60)}}, "60 patterns"),
        ({"properties": {"a": {"pattern": "(?=look)ahead"}}}, 'is not a "regex"'),
        ({"properties": {"a": {"pattern": "(\\w{500}){500}"}}}, 'is not a "regex"'),
        ({"properties": {"a": {"enum": ["x" * 70_000]}}}, "at most 65,536 are taken"),
    ],
    ids=range(24),
)
def test_schema_is_refused(schema: Any, reason: str) -> None:
    began = time.perf_counter()
    faults = check_schema(schema)
    assert reason in " ".join(fault.reason for fault in faults)
    assert time.perf_counter() - began < 2


def test_deeply_nested_schema_is_refused() -> None:
    schema: dict[str, Any] = {}
    for _ in range(60):
        schema = {"properties": {"a": schema}}
    assert "nested more than 40 levels" in check_schema(schema)[0].reason


def test_pattern_that_would_backtrack_takes_linear_time() -> None:
    validator = compile_schema({"type": "string", "pattern": "^(a|a)*b$"})
    began = time.perf_counter()
    assert not validator.is_valid("a" * 100_000)
    assert time.perf_counter() - began < 1


def test_recursive_schema_takes_time_that_grows_with_the_document_only() -> None:
    document: Any = "leaf"
    for _ in range(90):
        document = {"a": [document]}
    validator = compile_schema(EXPRESSION)
    began = time.perf_counter()
    assert validator.is_valid({"rule": document})
    assert not validator.is_valid({"rule": [document, 3]})
    assert list(validator.iter_errors({"rule": [document, 3]}))
    assert time.perf_counter() - began < 1


def test_references_follow_a_schema_to_its_place_in_a_larger_one() -> None:
    moved = {"properties": {"spec": relocate(EXPRESSION, "#/properties/spec")}}
    assert compile_schema(moved).is_valid({"spec": {"rule": ["a", {"b": "c"}]}})
    assert not compile_schema(moved).is_valid({"spec": {"rule": 3}})
    assert EXPRESSION["properties"]["rule"] == {"$ref": "#/$defs/rule"}  # type: ignore[index]


def test_references_are_followed_for_those_who_know_none() -> None:
    whole = {
        "type": "object",
        "properties": {"size": {"$ref": "#/$defs/size", "title": "How large"}, "tree": {"$ref": "#/$defs/tree"}},
        "$defs": {"size": {"enum": ["s", "m"], "title": "Size"}, "tree": {"items": {"$ref": "#/$defs/tree"}}},
    }
    found = inline(whole, whole)
    assert found["properties"]["size"] == {"enum": ["s", "m"], "title": "How large"}
    assert found["properties"]["tree"] == {"items": {}}
    assert "$defs" not in found


_WORDS = (
    "$ref",
    "$defs",
    "properties",
    "items",
    "anyOf",
    "allOf",
    "not",
    "if",
    "pattern",
    "type",
    "enum",
    "a",
    "prefixItems",
)
_LEAVES = st.sampled_from(
    ["#", "#/$defs/a", "#/properties/a", "object", "(", "^a+$", "", 0, -1, 2.5, None, True, False]
)
_ANYTHING = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_WORDS), inner, max_size=4),
    max_leaves=30,
)


@given(schema=_ANYTHING, document=_ANYTHING)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_schema_is_taken_or_refused_and_what_is_taken_judges_anything(schema: Any, document: Any) -> None:
    if check_schema(schema):
        return
    inline(schema, schema)
    validator = compile_schema({"properties": {"spec": relocate(schema, "#/properties/spec")}})
    assert validator.is_valid({"spec": document}) == compile_schema(schema).is_valid(document)
    assert bool(list(validator.iter_errors({"spec": document}))) != validator.is_valid({"spec": document})
