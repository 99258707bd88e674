"""Conditions: which entities are meant, whatever grammar it was said in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HasValue:
    """The key has one of these values, in lower case."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HasKey:
    """The key is there, with any value or none."""

    key: str


@dataclass(frozen=True, slots=True)
class HasPrefix:
    """The key has a value that begins so, in lower case."""

    key: str
    prefix: str


@dataclass(frozen=True, slots=True)
class HasText:
    """One of the keys has a value that holds `term`, in lower case; `%` and `_` in it are those of SQL's LIKE."""

    keys: tuple[str, ...]
    term: str


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition = HasValue | HasKey | HasPrefix | HasText | AllOf | AnyOf | Not

EVERYTHING = AllOf()
NOTHING = AnyOf()
