"""Conditions on entities in roles: the part of CEL that the index can answer.

Lists are narrowed by them before they are counted and cut into pages.

    owner in subject.groups || metadata.namespace == "public"

Values are compared without regard to case. What an entity does not have is equal to nothing: `spec.tier != "1"` holds
for one without a tier, where CEL itself would have no value.
"""

from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules.index.conditions import (
    EVERYTHING,
    NOTHING,
    AllOf,
    AnyOf,
    Condition,
    HasKey,
    HasPrefix,
    HasValue,
    Not,
)
from roadbed.catalog.rules.index.entries import OWNER, SYSTEM
from roadbed.catalog.rules.index.rows import write_value
from roadbed.core.expressions import ANY, BOOL, STRING, Expression, ExpressionInvalid, list_of, record
from roadbed.core.expressions.errors import invalid
from roadbed.core.expressions.syntax import Kind, Node, parse

KEYS = {"kind": "kind", "owner": OWNER, "system": SYSTEM}
ROOTS = ("metadata", "spec")
INPUTS = {
    "kind": STRING,
    "owner": STRING,
    "system": STRING,
    "metadata": ANY,
    "spec": ANY,
    "subject": record({"ref": STRING, "groups": list_of(STRING)}),
}
_HINT = (
    "The index answers ==, !=, in, has(), startsWith(), &&, || and ! over kind, owner, system, metadata.…, spec.…, "
    "with texts, subject.ref and subject.groups."
)


@dataclass(frozen=True)
class Subject:
    """Who asks: their User entity and the groups they are in, as refs."""

    ref: str | None = None
    groups: tuple[str, ...] = ()


def check(source: str) -> None:
    """Read a condition.

    Raises:
        ExpressionInvalid: it is no CEL, not true or false, or more than the index can answer; with the place.
    """
    translate(source, Subject())


def translate(source: str, subject: Subject) -> Condition:
    """Return what a condition means for somebody.

    Raises:
        ExpressionInvalid: as `check`.
    """
    Expression.compile(source, inputs=INPUTS, result=BOOL)
    return _Translator(source, subject).truth(parse(source))


class _Translator:
    def __init__(self, source: str, subject: Subject) -> None:
        self._source = source
        self._subject = subject

    def truth(self, node: Node) -> Condition:
        """Return a part that is true or false."""
        match node.kind:
            case Kind.LITERAL if node.name in ("true", "false"):
                return EVERYTHING if node.name == "true" else NOTHING
            case Kind.BINARY:
                return self._binary(node)
            case Kind.UNARY if node.name == "!":
                return Not(self.truth(node.parts[0]))
            case Kind.HAS:
                return HasKey(self._key(node.parts[0]))
            case Kind.METHOD if node.name == "startsWith" and len(node.parts) == 2:
                return self._starts_with(node)
        raise self._fault(node)

    def _binary(self, node: Node) -> Condition:
        match node.name:
            case "&&":
                return AllOf(tuple(map(self.truth, node.parts)))
            case "||":
                return AnyOf(tuple(map(self.truth, node.parts)))
            case "==":
                return self._equal(node)
            case "!=":
                return Not(self._equal(node))
            case "in":
                return self._in(node)
        raise self._fault(node)

    def _equal(self, node: Node) -> Condition:
        left, right = node.parts
        if self._find_key(left) is None:
            left, right = right, left
        return _one_of(self._key(left), self._values(right))

    def _in(self, node: Node) -> Condition:
        """`field in list`, or `text in field` of a field that is a list."""
        left, right = node.parts
        key = self._find_key(left)
        if key is None:
            return _one_of(self._key(right), self._values(left))
        if right.kind is Kind.LIST:
            return _one_of(key, tuple(value for part in right.parts for value in self._values(part)))
        if _path(right) == ("subject", "groups"):
            return _one_of(key, self._subject.groups)
        raise self._fault(right)

    def _starts_with(self, node: Node) -> Condition:
        prefixes = self._values(node.parts[1])
        return HasPrefix(self._key(node.parts[0]), prefixes[0].lower()) if prefixes else NOTHING

    def _values(self, node: Node) -> tuple[str, ...]:
        """Return a single value, as text; none for the ref of somebody who has no User entity."""
        if _path(node) == ("subject", "ref"):
            return () if self._subject.ref is None else (self._subject.ref,)
        if node.kind is Kind.LITERAL and node.name != "null":
            return (write_value(_literal(node)),)
        raise self._fault(node)

    def _key(self, node: Node) -> str:
        key = self._find_key(node)
        if key is None:
            raise self._fault(node)
        return key

    def _find_key(self, node: Node) -> str | None:
        path = _path(node)
        if path is None:
            return None
        if len(path) == 1:
            return KEYS.get(path[0])
        return ".".join(path).lower() if path[0] in ROOTS else None

    def _fault(self, node: Node) -> ExpressionInvalid:
        text = self._source[node.start : node.end]
        message = f"{text} is more than the catalog can answer for a list."
        return invalid(message, source=self._source, offset=node.start, hint=_HINT)


def _path(node: Node) -> tuple[str, ...] | None:
    """Return the names of `a.b["c"]`; None when it is something else."""
    match node.kind:
        case Kind.NAME:
            return (node.name,)
        case Kind.SELECT:
            rest = _path(node.parts[0])
            return None if rest is None else (*rest, node.name)
        case Kind.INDEX if node.parts[1].kind is Kind.LITERAL:
            rest, key = _path(node.parts[0]), _literal(node.parts[1])
            return (*rest, key) if rest is not None and isinstance(key, str) else None
    return None


def _literal(node: Node) -> Any:
    return Expression.compile(node.name, inputs={}).evaluate({})


def _one_of(key: str, values: tuple[str, ...]) -> Condition:
    return HasValue(key, tuple(value.lower() for value in values)) if values else NOTHING
