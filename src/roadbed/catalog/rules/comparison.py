"""What differs between two versions of an entity, field by field."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from roadbed.catalog.rules.problems import Path, write_path

_SHOWN = 200


@dataclass(frozen=True)
class Difference:
    """A field that was added (`+`), removed (`-`) or changed (`~`); long values are cut."""

    sign: str
    name: str
    before: str
    after: str


def compare(before: Any, after: Any) -> list[Difference]:
    """Return the differences in the order of the fields' names."""
    return list(_compare((), before, after))


def _compare(path: Path, before: Any, after: Any) -> Iterator[Difference]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            place = (*path, key)
            if key not in before:
                yield Difference("+", write_path(place), "", _show(after[key]))
            elif key not in after:
                yield Difference("-", write_path(place), _show(before[key]), "")
            else:
                yield from _compare(place, before[key], after[key])
        return
    yield Difference("~", write_path(path), _show(before), _show(after))


def _show(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
