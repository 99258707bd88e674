"""The types that inputs and results of expressions may have."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Type:
    """A type. `ANY` is what is not known before the values are there.

    Args:
        name: as CEL names it.
        element: of a list's items or a map's values.
        fields: of a record, by name.
        is_open: whether a record may have fields that are not listed.
    """

    name: str
    element: "Type | None" = None
    fields: tuple[tuple[str, "Type"], ...] = ()
    is_open: bool = False

    def field(self, name: str) -> "Type | None":
        """Return the type of a record's field, None when it has none of this name."""
        return dict(self.fields).get(name, ANY if self.is_open else None)

    def accepts(self, value: Any) -> bool:
        """Tell whether a value is of this type, not looking at what is inside it. null is of each type."""
        kinds = _KINDS.get(self.name)
        if kinds is None or value is None:
            return True
        return isinstance(value, kinds) and (self.name == "bool" or not isinstance(value, bool))

    def __str__(self) -> str:
        return f"{self.name}({self.element})" if self.element else self.name


ANY = Type("any")
BOOL = Type("bool")
BYTES = Type("bytes")
DOUBLE = Type("double")
DURATION = Type("duration")
INT = Type("int")
NULL = Type("null")
STRING = Type("string")
TIMESTAMP = Type("timestamp")
TYPE = Type("type")
UINT = Type("uint")

NUMBERS = frozenset({"int", "uint", "double"})

_KINDS: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "bytes": (bytes,),
    "double": (float, int),
    "duration": (timedelta,),
    "int": (int,),
    "list": (list, tuple),
    "map": (Mapping,),
    "record": (Mapping,),
    "string": (str,),
    "timestamp": (datetime,),
    "uint": (int,),
}


def list_of(element: Type) -> Type:
    """Return the type of lists with such items."""
    return Type("list", element)


def map_of(element: Type) -> Type:
    """Return the type of maps from text to such values."""
    return Type("map", element)


def record(fields: Mapping[str, Type], *, is_open: bool = False) -> Type:
    """Return the type of objects with these fields; any of them may be absent, so use `has(x.field)`."""
    return Type("record", fields=tuple(sorted(fields.items())), is_open=is_open)


def is_compatible(one: Type, other: Type) -> bool:
    """Tell whether values of both types can be equal."""
    if "any" in {one.name, other.name} or "null" in {one.name, other.name}:
        return True
    names = {one.name, other.name}
    return len(names) == 1 or names <= NUMBERS or names == {"map", "record"}
