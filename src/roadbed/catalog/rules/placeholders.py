"""Placeholders in entities: `$text`, `$json` and `$yaml` stand for the content of a file beside the entity's own."""

from collections.abc import Callable
from typing import Any

import orjson

from roadbed.catalog.rules.documents import Document, is_storable, read_documents
from roadbed.catalog.rules.problems import Path, Problem

Include = Callable[[str], bytes]
"""Reads a file by its path relative to the entity's; raises IncludeError."""

PLACEHOLDERS = ("$text", "$json", "$yaml")


class IncludeError(Exception):
    """A file could not be included; the message says why."""


def fill(document: Document, include: Include) -> tuple[Document, list[Problem]]:
    """Return the document with the content of its placeholders, and what went wrong."""
    problems: list[Problem] = []
    if document.is_ordinary or not has_placeholder(document.data):
        return document, problems
    data = _fill(document, (), document.data, include, problems)
    if data is document.data:
        return document, problems
    filled = Document(document.file, data, document.line, document.end_line, document.marks, document.first_line)
    _follow_marks(document.data, data, document.marks)
    return filled, problems


def _fill(document: Document, path: Path, node: Any, include: Include, problems: list[Problem]) -> Any:
    if isinstance(node, dict):
        name = _placeholder(node)
        if name is not None:
            return _content(document, path, name, node, include, problems)
        changed = {key: _fill(document, (*path, key), value, include, problems) for key, value in node.items()}
        return changed if any(changed[key] is not node[key] for key in node) else node
    if isinstance(node, list):
        items = [_fill(document, (*path, index), value, include, problems) for index, value in enumerate(node)]
        return items if any(item is not value for item, value in zip(items, node, strict=True)) else node
    return node


def has_placeholder(node: dict[str, Any] | list[Any]) -> bool:
    """Tell whether a value is a placeholder, or holds one."""
    if _placeholder(node) is not None:
        return True
    inner = node.values() if isinstance(node, dict) else node
    return any(has_placeholder(value) for value in inner if isinstance(value, dict | list))


def find_placeholder(node: Any) -> str | None:
    """Return the name of the placeholder that a value is, known or not, as `$openapi`; None when it is none."""
    name = next(iter(node)) if isinstance(node, dict) and len(node) == 1 else None
    return name if isinstance(name, str) and name.startswith("$") else None


def _placeholder(node: Any) -> str | None:
    is_one = isinstance(node, dict) and len(node) == 1
    return next((name for name in PLACEHOLDERS if name in node), None) if is_one else None


def _content(
    document: Document, path: Path, name: str, node: dict[str, Any], include: Include, problems: list[Problem]
) -> Any:
    target = node[name]
    try:
        if not isinstance(target, str):
            raise IncludeError("its value must be a path")  # noqa: TRY301 - one way out for all that can be wrong
        content = _parse(name, include(target))
        if not is_storable(content):
            raise IncludeError("it holds a NUL character")  # noqa: TRY301 - as above
    except IncludeError as error:
        reason = f"{name}: {target!r} cannot be put in: {error}."
        hint = "Put the file beside this one, and name its path relative to this file."
        problems.append(document.problem((*path, name), reason, hint))
        return node
    return content


def _parse(name: str, content: bytes) -> Any:
    if name == "$yaml":
        reading = read_documents(content, is_any_root=True)
        if reading.problems or len(reading.documents) != 1:
            reason = str(reading.problems[0]) if reading.problems else f"it has {len(reading.documents)} documents"
            raise IncludeError(reason.rstrip("."))
        return reading.documents[0].data
    try:
        return orjson.loads(content) if name == "$json" else content.decode()
    except (UnicodeDecodeError, orjson.JSONDecodeError) as error:
        raise IncludeError(f"it is not {'JSON' if name == '$json' else 'UTF-8'}: {error}") from error


def _follow_marks(old: Any, new: Any, marks: dict[int, Any]) -> None:
    """Let the copies of containers along a change know the places of the originals."""
    if old is new or type(old) is not type(new) or _placeholder(old) is not None:
        return
    if id(old) in marks:
        marks[id(new)] = marks[id(old)]
    if isinstance(old, dict):
        for key in new:
            _follow_marks(old[key], new[key], marks)
    elif isinstance(old, list):
        for before, after in zip(old, new, strict=True):
            _follow_marks(before, after, marks)
