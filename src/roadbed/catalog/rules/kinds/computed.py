"""Computed properties of a kind: CEL over an entity's own values and those of entities it is related to.

An expression knows `metadata` and `spec` of the entity, `now`, and in `related.<relation>` a list of the entities at
the other end that are in the catalog. Its value has the type that the kind declares; without one there is an error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from roadbed.catalog.rules.kinds.parts import Schema
from roadbed.core.expressions import (
    ANY,
    BOOL,
    DOUBLE,
    INT,
    STRING,
    TIMESTAMP,
    Expression,
    ExpressionFailed,
    ExpressionInvalid,
    Type,
    list_of,
    map_of,
    record,
    to_json_value,
)

MAX_RELATED = 500
"""So many entities at the other end of one relation an expression is given; with more it has no value."""


class ComputedType(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    STRINGS = "strings"


@dataclass(frozen=True)
class ComputedProperty:
    """A property that is worked out when it is looked at."""

    name: str
    type: ComputedType
    expression: str
    title: str = ""
    description: str = ""


@dataclass(frozen=True)
class ComputedValue:
    """What came of it for one entity: a value, nothing (None), or an error that says why there is none."""

    property: ComputedProperty
    value: Any = None
    error: str = ""


@dataclass(frozen=True)
class ComputedInputs:
    """What expressions of one entity are given; `list_related` gives the entities at the other end of a relation."""

    metadata: Mapping[str, Any]
    spec: Mapping[str, Any]
    now: datetime
    list_related: Callable[[str], Sequence[Mapping[str, Any]]]


_RESULTS = {
    ComputedType.STRING: STRING,
    ComputedType.INTEGER: INT,
    ComputedType.NUMBER: DOUBLE,
    ComputedType.BOOLEAN: BOOL,
    ComputedType.TIMESTAMP: TIMESTAMP,
    ComputedType.STRINGS: list_of(STRING),
}
_WORDS = {
    ComputedType.STRING: "a text",
    ComputedType.INTEGER: "a whole number",
    ComputedType.NUMBER: "a number",
    ComputedType.BOOLEAN: "true or false",
    ComputedType.TIMESTAMP: "a time",
    ComputedType.STRINGS: "a list of texts",
}
_METADATA = record(
    {
        "name": STRING,
        "namespace": STRING,
        "title": STRING,
        "description": STRING,
        "labels": map_of(STRING),
        "annotations": map_of(STRING),
        "tags": list_of(STRING),
    },
    is_open=True,
)
_RELATED = record(
    {
        **dict.fromkeys(("ref", "kind", "namespace", "name", "title", "type", "lifecycle", "owner", "health"), STRING),
        "metadata": _METADATA,
        "spec": ANY,
    }
)
_TYPES = {"string": STRING, "integer": INT, "boolean": BOOL}


def compile_property(computed: ComputedProperty, *, spec: Schema, relations: Sequence[str]) -> Expression:
    """Return the expression of a property.

    Args:
        computed: the property.
        spec: the schema of the kind's spec, without references.
        relations: the names of all relations that there are, in both directions.

    Raises:
        ExpressionInvalid: it knows a name, field or relation that is not there, or its value is of another type.
    """
    inputs = {
        "metadata": _METADATA,
        "spec": _type_of(spec),
        "related": record({name: list_of(_RELATED) for name in relations}),
        "now": TIMESTAMP,
    }
    return Expression.compile(computed.expression, inputs=inputs, result=_RESULTS[computed.type])


def evaluate(
    computed: ComputedProperty, inputs: ComputedInputs, *, spec: Schema, relations: Sequence[str]
) -> ComputedValue:
    """Return the value of a property for one entity, or why it has none. See `compile_property` for the arguments."""
    try:
        expression = compile_property(computed, spec=spec, relations=relations)
        related = {name: list(inputs.list_related(name)) for name in expression.selected_from("related")}
        value = expression.evaluate(
            {"metadata": inputs.metadata, "spec": inputs.spec, "related": related, "now": inputs.now}
        )
    except (ExpressionInvalid, ExpressionFailed) as error:
        return ComputedValue(computed, error=error.message)
    if value is not None and not _fits(value, computed.type):
        return ComputedValue(computed, error=f"The value must be {_WORDS[computed.type]}, and this is {value!r:.80}.")
    return ComputedValue(computed, to_json_value(value))


def _fits(value: Any, wanted: ComputedType) -> bool:
    if wanted is ComputedType.STRINGS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return _RESULTS[wanted].accepts(value)


def _type_of(schema: Any) -> Type:
    """Return the type that values of a schema have; what it does not tell is found out with the values."""
    found = schema.get("type") if isinstance(schema, Mapping) else None
    if found == "object" and isinstance(schema.get("properties"), Mapping):
        return record({name: _type_of(part) for name, part in schema["properties"].items()}, is_open=_is_open(schema))
    if found == "array":
        return list_of(_type_of(schema.get("items")))
    return _TYPES.get(found, ANY) if isinstance(found, str) else ANY


def _is_open(schema: Mapping[str, Any]) -> bool:
    """Tell whether an object may have fields beside those that its `properties` list."""
    more = ("patternProperties", "allOf", "anyOf", "oneOf", "if", "dependentSchemas")
    others = schema.get("additionalProperties")
    return others is True or isinstance(others, Mapping) or any(word in schema for word in more)
