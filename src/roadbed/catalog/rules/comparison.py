"""What differs between two versions of an entity: field by field, and line by line of the YAML of both."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import islice
from typing import Any

import orjson

from roadbed.catalog.rules.problems import Path, write_path
from roadbed.catalog.rules.writing import write_entity

MOST_FIELDS = 100
MOST_LINES = 3_000
"""Of a text that is compared line by line: the time it takes grows faster than the text does."""
_SHOWN = 200
_AROUND = 3


@dataclass(frozen=True)
class Difference:
    """A field that was added (`+`), removed (`-`) or changed (`~`); long values are cut."""

    sign: str
    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Line:
    """A line of two texts: `add`, `del` or `same`, with its number in each."""

    kind: str
    old: int | None
    new: int | None
    text: str


@dataclass(frozen=True)
class Hunk:
    """Lines that differ, with a few around them."""

    head: str
    lines: list[Line]


@dataclass(frozen=True)
class TextDifference:
    """How two texts differ; without hunks, `note` says why there are none."""

    hunks: list[Hunk]
    added: int
    removed: int
    note: str = ""


def compare(before: Any, after: Any, *, limit: int | None = None) -> list[Difference]:
    """Return the differences in the order of the fields' names, at most `limit`."""
    return list(islice(_compare((), before, after), limit))


def compare_documents(before: Mapping[str, Any], after: Mapping[str, Any]) -> TextDifference:
    """Return how the YAML of two documents differs."""
    return compare_texts(write_entity(before), write_entity(after))


def compare_texts(before: str, after: str, *, first_line: int = 0) -> TextDifference:
    """Return how two texts differ, which begin in a line that is counted from 0."""
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > MOST_LINES:
        return TextDifference([], 0, 0, f"One of the versions has more than {MOST_LINES:,} lines.")
    groups = SequenceMatcher(None, old, new).get_grouped_opcodes(_AROUND)
    hunks = [_hunk(group, old, new, first_line) for group in groups]
    lines = [line for hunk in hunks for line in hunk.lines]
    return TextDifference(
        hunks,
        added=sum(line.kind == "add" for line in lines),
        removed=sum(line.kind == "del" for line in lines),
        note="" if hunks else "The content is the same.",
    )


def _hunk(group: list[tuple[str, int, int, int, int]], old: list[str], new: list[str], first_line: int) -> Hunk:
    lines: list[Line] = []
    begin = first_line + 1
    for tag, old_start, old_end, new_start, new_end in group:
        if tag == "equal":
            pairs = zip(range(old_start, old_end), range(new_start, new_end), strict=True)
            lines += [Line("same", at + begin, then + begin, old[at]) for at, then in pairs]
            continue
        lines += [Line("del", at + begin, None, old[at]) for at in range(old_start, old_end)]
        lines += [Line("add", None, at + begin, new[at]) for at in range(new_start, new_end)]
    first, last = group[0], group[-1]
    head = f"@@ -{first[1] + begin},{last[2] - first[1]} +{first[3] + begin},{last[4] - first[3]} @@"
    return Hunk(head, lines)


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
