"""What is wrong with answers, in words for people, each at its field and with what was probably meant."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import takewhile
from typing import Any

import jsonschema_rs

from roadbed.core.forms.questions import Schema, is_group, join_name, list_questions, validator
from roadbed.kit.text import plural, slugify

NEEDED = "An answer is needed here."
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a list",
    "object": "a group of answers",
    "null": "empty",
}
_FORMATS = {
    "email": "an e-mail address, such as ada@example.com",
    "uri": "an address, such as https://example.com",
    "date": "a date, such as 2026-11-23",
    "date-time": "a time, such as 2026-11-23T14:30:00Z",
    "hostname": "the name of a host, such as db.example.com",
    "ipv4": "an IPv4 address, such as 192.0.2.7",
    "ipv6": "an IPv6 address, such as 2001:db8::7",
    "uuid": "a UUID",
    "regex": "a regular expression",
}


@dataclass(frozen=True)
class FieldProblem:
    """What is wrong with one answer. `name` is that of its field, empty for the form as a whole."""

    name: str
    message: str
    suggestion: str | None = None


def check_answers(schema: Schema, values: Mapping[str, Any]) -> list[FieldProblem]:
    """Return everything that is wrong with typed values, in the order of the form, one problem a field."""
    found: dict[str, FieldProblem] = {}
    for error in validator(schema).iter_errors(dict(values)):
        for problem in _explain(schema, values, error):
            found.setdefault(problem.name, problem)
    order = {name: position for position, name in enumerate(_names(schema, values))}
    return sorted(found.values(), key=lambda problem: order.get(problem.name, len(order)))


def _names(schema: Schema, values: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, declared in list_questions(schema, values).properties.items():
        field = f"{prefix}{join_name([name])}"
        yield field
        if is_group(declared):
            inner = values.get(name)
            yield from _names(declared, inner if isinstance(inner, Mapping) else {}, prefix=f"{field}.")


def _explain(schema: Schema, values: Mapping[str, Any], error: jsonschema_rs.ValidationError) -> Iterator[FieldProblem]:
    path = list(error.instance_path)
    detail = error.kind.as_dict()
    word = error.kind.name
    if word == "required":
        yield FieldProblem(_name([*path, detail["property"]]), NEEDED)
    elif word in ("oneOf", "anyOf"):
        yield from _explain_branches(schema, values, error, detail)
    elif word == "additionalProperties":
        for name in detail["unexpected"]:
            yield FieldProblem(_name([*path, name]), f"{name} is not asked for.{_near(name, schema, values)}")
    else:
        declared, name = _find_property(schema, values, path)
        message = str(declared.get("ui:errorMessage") or _say(word, detail, error))
        if path and isinstance(path[-1], int):
            message = f"Entry {path[-1] + 1}: {message}"
        yield FieldProblem(name, message, _suggest(declared, error))


def _explain_branches(
    schema: Schema, values: Mapping[str, Any], error: jsonschema_rs.ValidationError, detail: dict[str, Any]
) -> Iterator[FieldProblem]:
    """Explain with the branch that fits best: one whose constants are met, then the one with the fewest errors."""
    branches: list[list[jsonschema_rs.ValidationError]] = [part for part in detail.get("context", []) if part]
    closest = min(branches, key=_distance, default=[])
    if all(inner.kind.name == "const" for inner in closest):
        yield _explain_constants(branches, error)
        return
    for inner in closest:
        yield from _explain(schema, values, inner)


def _explain_constants(
    branches: Sequence[Sequence[jsonschema_rs.ValidationError]], error: jsonschema_rs.ValidationError
) -> FieldProblem:
    """Explain a choice among constants of which none, or more than one, is met."""
    wrong = [inner for branch in branches for inner in branch if inner.kind.name == "const"]
    if not wrong:
        return FieldProblem(_name(error.instance_path), "It fits several of the possibilities, and may fit only one.")
    allowed = {_show(inner.kind.as_dict()["expected_value"]): None for inner in wrong}
    near = get_close_matches(_show(wrong[0].instance), allowed, n=1)
    message = f"It must be one of: {', '.join(allowed)}."
    return FieldProblem(_name(wrong[0].instance_path), message, near[0] if near else None)


def _distance(branch: Sequence[jsonschema_rs.ValidationError]) -> tuple[bool, int, int]:
    """Constants decide for a branch more than choices do, as a wrong choice may be an answer to what it asks."""
    words = [error.kind.name for error in branch]
    return "const" in words, words.count("enum"), len(branch)


def _say(word: str, detail: dict[str, Any], error: jsonschema_rs.ValidationError) -> str:
    limit = detail.get("limit")
    plain = {
        "minimum": f"At least {limit}.",
        "maximum": f"At most {limit}.",
        "exclusiveMinimum": f"More than {limit}.",
        "exclusiveMaximum": f"Less than {limit}.",
        "multipleOf": f"A multiple of {detail.get('multiple_of')}.",
        "uniqueItems": "Each entry only once.",
        "const": f"It must be {_show(detail.get('expected_value'))}.",
        "enum": f"It must be one of: {', '.join(_show(option) for option in detail.get('options', ()))}.",
        "format": f"This is not {_FORMATS.get(str(detail.get('format')), detail.get('format'))}.",
    }
    if word in plain:
        return plain[word]
    if word in ("minLength", "maxLength", "minItems", "maxItems"):
        return _say_size(word, limit or 0, error.instance)
    if word == "type":
        types = detail["types"]
        wanted = [types] if isinstance(types, str) else list(types)
        return f"It must be {' or '.join(_TYPES.get(name, name) for name in wanted)}."
    if word == "pattern":
        return f"It does not have the form that is wanted: {detail['pattern']}"
    return f"{error.message}."


def _say_size(word: str, limit: int, instance: Any) -> str:
    if word == "minLength" and not instance:
        return NEEDED
    noun = plural(limit, "character") if word.endswith("Length") else plural(limit, "entry", "entries")
    if word.startswith("min"):
        return f"At least {noun}."
    return f"At most {noun}; these are {len(instance)}."


def _suggest(declared: Schema, error: jsonschema_rs.ValidationError) -> str | None:
    """Return what was probably meant: the nearest option, or the text in the wanted form."""
    text = error.instance
    if not isinstance(text, str) or not text.strip():
        return None
    if error.kind.name == "enum":
        options = {str(option).lower(): str(option) for option in error.kind.as_dict()["options"]}
        near = get_close_matches(text.lower(), options, n=1, cutoff=0.6)
        return options[near[0]] if near else None
    if error.kind.name not in ("pattern", "minLength", "maxLength"):
        return None
    slug = slugify(text)
    candidates = (text.strip(), text.strip().lower(), slug, slug.replace("-", "_"), slug.replace("-", ""))
    fitting = (candidate for candidate in candidates if candidate and candidate != text)
    check = validator(declared) if declared else None
    return next((candidate for candidate in fitting if check is not None and check.is_valid(candidate)), None)


def _near(name: str, schema: Schema, values: Mapping[str, Any]) -> str:
    known = list_questions(schema, values).properties
    near = get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def _find_property(schema: Schema, values: Mapping[str, Any], path: Sequence[str | int]) -> tuple[Schema, str]:
    """Return the innermost property on a path that has a field of its own, and its field's name."""
    declared: Schema = schema
    names: list[str] = []
    held: Any = values
    for part in path:
        if not isinstance(part, str) or not is_group(declared):
            items = declared.get("items")
            if isinstance(part, int) and isinstance(items, Mapping):
                declared = items
            break
        declared = list_questions(declared, held if isinstance(held, Mapping) else {}).properties.get(part, {})
        names.append(part)
        held = held.get(part) if isinstance(held, Mapping) else None
    return declared, _name(names)


def _name(path: Sequence[str | int]) -> str:
    """Return the name of the field at a path; entries of a list belong to the list's field."""
    return join_name([part for part in takewhile(lambda part: isinstance(part, str), path) if isinstance(part, str)])


def _show(value: Any) -> str:
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
