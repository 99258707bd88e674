"""Turns the errors of the JSON Schema validator into sentences with a hint."""

from collections.abc import Iterable, Iterator
from typing import Any

import jsonschema_rs

from roadbed.catalog.rules.kinds.schemas import look_up
from roadbed.catalog.rules.placeholders import PLACEHOLDERS, find_placeholder
from roadbed.catalog.rules.problems import Path, write_path
from roadbed.catalog.rules.suggestions import find_closest

Fault = tuple[Path, str, str, bool]
"""Path, reason, hint, and whether the place is that of the key."""

_PLACEHOLDER_HINT = (
    f"Write the text itself. In files of a location, Roadbed fills {', '.join(PLACEHOLDERS[:-1])} and "
    f"{PLACEHOLDERS[-1]} with the file that stands beside: `$text: ./openapi.yaml`."
)
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
    "null": "empty",
}


def explain(error: jsonschema_rs.ValidationError, data: Any, schema: dict[str, Any]) -> Iterator[Fault]:
    """Yield the faults that one validation error stands for.

    Args:
        error: from validating.
        data: what was validated.
        schema: what it was validated against.
    """
    path = tuple(error.instance_path)
    name = write_path(path) or "The document"
    detail = error.kind.as_dict()
    match error.kind.name:
        case "required":
            yield _missing(path, detail["property"], _node(data, path))
        case "additionalProperties" | "unevaluatedProperties":
            known = _known_fields(schema, error.schema_path[:-1])
            for field in detail["unexpected"]:
                yield _unknown(path, field, known - set(_node(data, path)))
        case "type":
            yield _wrong_type(path, name, _say_types(detail["types"]), error.instance)
        case "minLength":
            yield path, f"{name} is empty.", "Give it a value, or remove the field.", False
        case "enum" | "const":
            yield _not_one_of(path, name, error)
        case "pattern":
            yield path, f"{name} is {_say(error.instance)}, which does not match {detail['pattern']}.", "", False
        case "minItems":
            yield path, f"{name} needs at least {detail['limit']} in its list.", "", False
        case "oneOf" | "anyOf":
            yield from _alternatives(path, name, detail["context"], error.instance)
        case _:
            yield path, f"{name}: {error.message}.", "", False


def _wrong_type(path: Path, name: str, wanted: str, value: Any) -> Fault:
    placeholder = find_placeholder(value)
    if placeholder is None:
        return path, f"{name} must be {wanted}, not {_say(value)}.", _quote(value, wanted), False
    is_known = placeholder in PLACEHOLDERS
    why = "is filled only while a location is read" if is_known else "Roadbed does not know"
    reason = f"{name} holds the placeholder {placeholder}, which {why}; it must be {wanted}."
    return path, reason, _PLACEHOLDER_HINT, False


def _missing(path: Path, field: str, node: Any) -> Fault:
    reason = f"{write_path((*path, field))} is missing."
    near = find_closest(field, node) if isinstance(node, dict) else []
    if near:
        return (*path, near[0]), reason, f"There is {near[0]}: did you mean {field}?", True
    return (*path, field), reason, f"Add {field} to {write_path(path) or 'it'}.", True


def _unknown(path: Path, field: str, known: set[str]) -> Fault:
    near = find_closest(field, known)
    hint = f"Did you mean {near[0]}?" if near else ""
    if known and not near:
        hint = "There could be: " + ", ".join(sorted(known)) + "."
    return (*path, field), f"{field} is not a field of {write_path(path) or 'an entity'}.", hint, True


def _not_one_of(path: Path, name: str, error: jsonschema_rs.ValidationError) -> Fault:
    detail = error.kind.as_dict()
    options = [str(option) for option in detail.get("options", [detail.get("expected_value")])]
    near = find_closest(str(error.instance), options)
    hint = f"Did you mean {near[0]}?" if near else ""
    return path, f"{name} is {_say(error.instance)}; it must be one of: {', '.join(options)}.", hint, False


def _alternatives(
    path: Path, name: str, branches: list[list[jsonschema_rs.ValidationError]], instance: Any
) -> Iterator[Fault]:
    """Explain why none, or more than one, of several forms fits: by the form that comes closest."""
    fields = [
        error.kind.as_dict()["property"]
        for branch in branches
        for error in branch
        if error.kind.name == "required" and list(error.instance_path) == list(path)
    ]
    if all(not branch for branch in branches):
        yield path, f"{name} fits several forms at once, and may have only one of them.", "", False
    elif len(fields) == sum(map(len, branches)):
        yield path, f"{name} needs one of: {', '.join(fields)}.", "", True
    else:
        types = [error.kind.as_dict()["types"] for branch in branches for error in branch if error.kind.name == "type"]
        names = [name for group in types for name in ([group] if isinstance(group, str) else group)]
        wanted = f" It may be {_say_types(names)}." if names else ""
        yield path, f"{name} is {_say(instance)}, which fits none of the forms it may have.", wanted.strip(), False


def _say_types(types: Any) -> str:
    names = [types] if isinstance(types, str) else list(types)
    return " or ".join(_TYPES.get(name, name) for name in names)


def _say(value: Any) -> str:
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case str():
            return repr(value if len(value) <= 60 else value[:57] + "…")
        case list():
            return "a list"
        case _:
            return "a mapping"


def _quote(value: Any, wanted: str) -> str:
    is_plain = isinstance(value, bool | int | float) and "text" in wanted
    return f'Put it in quotes: "{_plain(value)}".' if is_plain else ""


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _known_fields(schema: dict[str, Any], path: Iterable[str | int]) -> set[str]:
    """Return the fields that the part of a schema lists to which a validator came, over references maybe."""
    node: Any = schema
    for part in path:
        is_reference = part == "$ref" and isinstance(node.get("$ref"), str)
        node = look_up(schema, node["$ref"]) if is_reference else node[part]
    return set(node.get("properties", ()))


def _node(data: Any, path: Iterable[str | int]) -> Any:
    for part in path:
        data = data[part]
    return data
