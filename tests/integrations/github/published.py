"""GitHub's published descriptions: what it answers and tells, as schemas, and the least that fits one of them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

DATA = Path(__file__).parents[2] / "data" / "github"
_BY_FORMAT = {"date-time": "2026-11-02T10:00:00Z", "uri": "https://example.com/x", "email": "x@example.com"}
_BY_TYPE: dict[str, Any] = {"string": "x", "integer": 1, "number": 1, "boolean": False, "array": [], "null": None}


@cache
def load(name: str) -> dict[str, Any]:
    """Return a description with the `nullable` of OpenAPI 3.0 as JSON Schema has it."""
    described: dict[str, Any] = _convert(json.loads((DATA / f"{name}.json").read_text()))
    return described


def answer_schema(method: str, path: str, status: int) -> dict[str, Any]:
    """Return the schema of an answer."""
    answer = load("api")["paths"][path][method]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


def webhook_schema(name: str) -> dict[str, Any]:
    """Return the schema of what a webhook tells."""
    schema: dict[str, Any] = load("webhooks")["webhooks"][name]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    return schema


def make(schema: dict[str, Any], described: str, **values: Any) -> Any:
    """Return the least that fits a schema, with these values in it.

    Raises:
        AssertionError: with the values it does not fit any more.
    """
    made = _make(schema, load(described)["components"])
    if values:
        made |= values
    check(schema, described, made)
    return made


def check(schema: dict[str, Any], described: str, value: Any) -> None:
    """Raise unless a value fits a schema."""
    errors = [
        f"{list(error.instance_path)}: {error.message}"
        for error in _validator(json.dumps(schema), described).iter_errors(value)
    ]
    assert not errors, errors


@cache
def _validator(schema: str, described: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**json.loads(schema), "components": load(described)["components"]})


def _make(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    schema = _follow(schema, components)
    for part in schema.get("allOf", ()):
        schema = {**_follow(part, components), **schema}
    types = schema.get("type")
    if "properties" in schema:
        return {
            name: _make(schema["properties"][name], components)
            for name in schema.get("required", ())
            if name in schema["properties"]
        }
    if isinstance(types, list) and "null" in types and "oneOf" not in schema:
        return None
    for word in ("const", "default", "example"):
        if word in schema:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]
    for word in ("oneOf", "anyOf"):
        if word in schema:
            return _make(schema[word][0], components)
    if schema.get("format") in _BY_FORMAT:
        return _BY_FORMAT[schema["format"]]
    return {} if types == "object" else _BY_TYPE[str(types)]


def _follow(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = components["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _convert(value: Any) -> Any:
    if isinstance(value, list):
        return [_convert(item) for item in value]
    if not isinstance(value, dict):
        return value
    made = {key: _convert(item) for key, item in value.items() if key not in ("nullable", "discriminator")}
    if value.get("nullable") is True:
        if isinstance(made.get("type"), str):
            made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        if "$ref" in made or any(word in made for word in ("allOf", "anyOf", "oneOf")):
            return {"anyOf": [{"type": "null"}, made]}
    return made
