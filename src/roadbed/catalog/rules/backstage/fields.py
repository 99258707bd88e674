"""Field selections: `fields=kind,metadata.name` gives documents with nothing else in them."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from roadbed.catalog.rules.backstage.errors import BadQuestion

_MISSING = object()


def parse_fields(texts: Iterable[str]) -> list[str]:
    """Return the fields that are named; none means all of the document.

    Raises:
        BadQuestion: one of them has an index in brackets.
    """
    fields = [field.strip() for text in texts for field in text.split(",")]
    for field in fields:
        if "[" in field:
            raise BadQuestion(f'Invalid field "{field}", array type fields are not supported')
    return [field for field in fields if field]


def select_fields(document: Any, fields: Sequence[str]) -> dict[str, Any]:
    """Return what a document has of these fields."""
    selected: dict[str, Any] = {}
    for field in fields:
        path, value = _follow(document, field.split("."))
        if value is not _MISSING:
            _put(selected, path, value)
    return selected


def _follow(node: Any, parts: Sequence[str]) -> tuple[list[str | int], Any]:
    """Walk along dotted parts; a part that is no key is joined with the next one, since keys may hold dots."""
    path: list[str | int] = []
    part: str | None = None
    for piece in parts:
        part = piece if part is None else f"{part}.{piece}"
        inner = _step(node, part)
        if inner is not _MISSING:
            path.append(int(part) if isinstance(node, list) else part)
            node, part = inner, None
    return path, node if part is None else _MISSING


def _step(node: Any, part: str) -> Any:
    if isinstance(node, dict):
        return node.get(part, _MISSING)
    if isinstance(node, list) and part.isascii() and part.isdigit() and str(int(part)) == part:
        return node[int(part)] if int(part) < len(node) else _MISSING
    return _MISSING


def _put(target: dict[str, Any], path: Sequence[str | int], value: Any) -> None:
    """Put a value where it was; of a list the items before it are null."""
    node: Any = target
    for place, following in pairwise(path):
        _make_room(node, place)
        held = node[place] if isinstance(place, int) else node.get(place)
        if held is None:
            held = node[place] = [] if isinstance(following, int) else {}
        node = held
    _make_room(node, path[-1])
    node[path[-1]] = value


def _make_room(node: Any, place: str | int) -> None:
    if isinstance(place, int):
        node.extend([None] * (place + 1 - len(node)))
