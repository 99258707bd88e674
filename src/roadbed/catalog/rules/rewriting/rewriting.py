"""Writing a document anew so that it says something else, and being sure that it does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules.documents import read_documents
from roadbed.catalog.rules.rewriting.edits import Editor, Unchangeable, is_same
from roadbed.catalog.rules.rewriting.nodes import read_tree
from roadbed.catalog.rules.rewriting.rendering import render


@dataclass(frozen=True)
class Rewritten:
    """A text with other content. `has_lost_comments`: it could only be written anew as a whole."""

    text: str
    has_lost_comments: bool = False


def rewrite(text: str, wanted: Mapping[str, Any]) -> Rewritten | None:
    """Return the text of one document so that it says `wanted`; None where no text does.

    What came of it is read again: only what gives exactly the wanted content is returned.

    Args:
        text: one document, which can be read.
        wanted: JSON data.
    """
    before = _read(text)
    if before is None:
        return None
    root = read_tree(text)
    try:
        changed = Editor(text, root).change(before, wanted)
    except Unchangeable:
        changed = text
    if is_same(_read(changed), wanted):
        return Rewritten(changed)
    head = text[: root.start].rstrip(" \t")
    start = head if not head or head.endswith("\n") else head + "\n"
    whole = start + render(dict(wanted)).removesuffix("\n") + text[root.end :]
    return Rewritten(whole, has_lost_comments=True) if is_same(_read(whole), wanted) else None


def _read(text: str) -> Any:
    """Return what a text says, or None where it is not one document that can be read."""
    reading = read_documents(text)
    is_sound = len(reading.documents) == 1 and not any(problem.is_error for problem in reading.problems)
    return reading.documents[0].data if is_sound else None
