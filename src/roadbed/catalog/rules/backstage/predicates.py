"""Predicates: conditions as JSON, `{"kind": "component", "spec.type": {"$in": ["service", "website"]}}`."""

from collections.abc import Callable
from typing import Any

import orjson

from roadbed.catalog.rules.backstage.errors import BadQuestion
from roadbed.catalog.rules.index.conditions import (
    NOTHING,
    AllOf,
    AnyOf,
    Condition,
    HasKey,
    HasPrefix,
    HasValue,
    Not,
)
from roadbed.catalog.rules.index.rows import write_value

_DEEPEST = 50
_COMBINED = ("$all", "$any", "$not")


def parse_predicate(data: Any) -> Condition:
    """Return the condition of a predicate.

    Raises:
        BadQuestion: it is none.
    """
    return _predicate(data, 0)


def _predicate(data: Any, depth: int) -> Condition:
    if depth > _DEEPEST:
        raise BadQuestion(f"Invalid query: it is nested more than {_DEEPEST} levels deep")
    if not isinstance(data, dict):
        raise BadQuestion(
            "Invalid filter predicate: top-level primitive values are not supported. "
            'Wrap the value in a field expression, e.g. { "kind": "domain" }'
        )
    operators = [key for key in data if key.startswith("$")]
    if not operators:
        parts = tuple(_field(key.lower(), value) for key, value in data.items())
        return parts[0] if len(parts) == 1 else AllOf(parts)
    name = operators[0]
    if len(data) > 1 or name not in _COMBINED:
        raise BadQuestion(f'Invalid query: Validation error: Invalid at "{name}"')
    if name == "$not":
        return Not(_predicate(data[name], depth + 1))
    if not isinstance(data[name], list):
        raise BadQuestion(f'Invalid query: Validation error: Expected array at "{name}"')
    parts = tuple(_predicate(item, depth + 1) for item in data[name])
    return AllOf(parts) if name == "$all" else AnyOf(parts)


def _field(key: str, value: Any) -> Condition:
    if isinstance(value, str | int | float):
        return HasValue(key, (_text(value),))
    if isinstance(value, dict):
        for name, read in _OPERATORS.items():  # the first one that fits is taken, others beside it are not looked at
            if name in value:
                return read(key, value[name])
    raise _invalid(key)


def _exists(key: str, wanted: Any) -> Condition:
    if not isinstance(wanted, bool):
        raise _invalid(key)
    return HasKey(key) if wanted else Not(HasKey(key))


def _is_in(key: str, wanted: Any) -> Condition:
    if not isinstance(wanted, list) or not all(isinstance(item, str | int | float) for item in wanted):
        raise _invalid(key)
    return HasValue(key, tuple(map(_text, wanted))) if wanted else NOTHING


def _contains(key: str, wanted: Any) -> Condition:
    if isinstance(wanted, str | int | float):
        return HasValue(key, (_text(wanted),))
    if not isinstance(wanted, dict):
        raise _invalid(key)
    if key != "relations":
        raise BadQuestion(f'Object form of $contains is not supported for field "{key}"')
    return _contains_relation(wanted)


def _contains_relation(wanted: dict[str, Any]) -> Condition:
    type_ = wanted.get("type")
    if not isinstance(type_, str):
        raise BadQuestion('The $contains operator for "relations" requires a "type" string property')
    unknown = wanted.keys() - {"type", "targetRef"}
    if unknown:
        raise BadQuestion(f'Unsupported property "{min(unknown)}" in $contains for "relations"')
    key = f"relations.{type_.lower()}"
    target = wanted.get("targetRef")
    match target:
        case None:
            return HasKey(key)
        case str():
            return HasValue(key, (target.lower(),))
        case {"$in": list(targets)} if all(isinstance(item, str) for item in targets):
            if not targets:
                raise BadQuestion('Empty "$in" array for $contains on "relations" is not allowed')
            return HasValue(key, tuple(item.lower() for item in targets))
    raise BadQuestion(
        'Unsupported value in $contains for "relations": expected a string or { "$in": [strings] }, '
        f"but got {orjson.dumps(target).decode()}"
    )


def _has_prefix(key: str, wanted: Any) -> Condition:
    if not isinstance(wanted, str):
        raise _invalid(key)
    return HasPrefix(key, wanted.lower()) if wanted else HasKey(key)


_OPERATORS: dict[str, Callable[[str, Any], Condition]] = {
    "$exists": _exists,
    "$in": _is_in,
    "$contains": _contains,
    "$hasPrefix": _has_prefix,
}


def _text(value: Any) -> str:
    return write_value(value).lower()


def _invalid(key: str) -> BadQuestion:
    return BadQuestion(f'Invalid query: Validation error: Invalid at "{key}"')
