"""Rows: the searchable keys and values of an entity, as Backstage derives them (its `buildEntitySearch`).

Keys are paths in lower case. A text in a list also gives a key of its own with the value `true`, so that one can ask
for two items at once. Null and long values are there, but have no value; long keys are not.

Keys of items are many, each for few entities: `fold_items` leaves out those that can be said of the list instead.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from roadbed.catalog.rules.index.pieces import Pair

MAX_LENGTH = 200
DEFAULT_NAMESPACE = "default"
TRUE = "true"
LISTED = "\0"
"""Behind a path, the key of a row without a value: the entity has texts in a list there."""
# What is searched in other ways, or not at all.
_LEFT_OUT = frozenset(("attachments", "relations", "status", "metadata.uid", "metadata.etag"))

Rows = dict[tuple[str, str | None], str | None]
"""(key, value in lower case) → the value as it is written. The first of two spellings stays."""


def rows_of(document: dict[str, Any], *, uid: str, relations: Iterable[tuple[str, str]]) -> Rows:
    """Return the rows of an entity, and for each path with texts in a list the row that says so.

    Args:
        document: apiVersion, kind, metadata and spec.
        uid: its uid.
        relations: (type, target) of each relation.
    """
    rows: Rows = {}
    for name, value in document.items():
        _visit(rows, name, value)
    _put_text(rows, "metadata.uid", uid)
    _put_text(rows, "metadata.namespace", document["metadata"].get("namespace") or DEFAULT_NAMESPACE)
    for type_, target in relations:
        _put_text(rows, f"relations.{type_}".lower(), target)
    return rows


def fold_items(rows: Rows) -> list[Pair]:
    """Return key and value of each row, without those of items that the rows of their list imply.

    Where the row is left that a path is `LISTED`, each value that the entity has there is an item, whose key is true.
    """
    items: defaultdict[str, list[str]] = defaultdict(list)
    listed = {key.removesuffix(LISTED) for key, _ in rows if key.endswith(LISTED)}
    for key, lowered in rows:
        if key in listed and lowered is not None:
            items[key].append(lowered)
    left_out: set[tuple[str, str | None]] = set()
    for path, values in items.items():
        implied = [(f"{path}.{value}", TRUE) for value in values]
        is_whole = all(rows.get(row) == TRUE for row in implied)
        left_out.update(implied if is_whole else [(path + LISTED, None)])
    return [(row[0], value) for row, value in rows.items() if row not in left_out]


def write_value(value: Any) -> str:
    """Return a single value as JavaScript would print it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return write_float(value)
    return str(value)


def write_float(value: float) -> str:
    """Return a number as JavaScript prints it: `1e21`, `0.000001`, `1e-7`."""
    if value.is_integer() and abs(value) < 1e21:
        return str(int(Decimal(repr(value))))
    text = repr(value)
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text
    power = int(exponent)
    if -7 < power < 0:
        return f"{value:.20f}".rstrip("0")
    return f"{mantissa.removesuffix('.0')}e{'+' if power > 0 else '-'}{abs(power)}"


def _visit(rows: Rows, path: str, value: Any) -> None:
    if isinstance(value, str):  # by far the most
        if path not in _LEFT_OUT:
            _put_text(rows, path.lower(), value)
    elif isinstance(value, dict):
        if path not in _LEFT_OUT:
            for key, inner in value.items():
                _visit(rows, f"{path}.{key}", inner)
    elif isinstance(value, list):
        if path not in _LEFT_OUT:
            _visit_items(rows, path, value)
    else:
        _put(rows, path, value)


def _visit_items(rows: Rows, path: str, items: list[Any]) -> None:
    for item in items:
        _visit(rows, path, item)
        if isinstance(item, str):
            key = f"{path}.{item}".lower()
            if len(key) <= MAX_LENGTH:
                rows.setdefault((key, TRUE), TRUE)
                rows[path.lower() + LISTED, None] = None


def _put(rows: Rows, path: str, value: Any) -> None:
    if value is not None:
        _put_text(rows, path.lower(), write_value(value))
    elif len(path) <= MAX_LENGTH:
        rows.setdefault((path.lower(), None), None)


def _put_text(rows: Rows, key: str, text: str) -> None:
    lowered = text.lower()
    if len(key) > MAX_LENGTH:
        return
    if len(lowered) > MAX_LENGTH:
        rows.setdefault((key, None), None)
    else:
        rows.setdefault((key, lowered), text)
