"""The text of a definition as JSON data, and what its references point at. Nothing outside the text is ever read."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from roadbed.catalog.rules.definitions.model import BrokenDefinition
from roadbed.catalog.rules.definitions.text import shorten
from roadbed.catalog.rules.documents import Limits, read_documents
from roadbed.catalog.rules.problems import Problem

MAX_BYTES = 16 * 1024 * 1024
_LIMITS = Limits(size_bytes=MAX_BYTES, documents=1, nodes_of_document=1_000_000, depth=100)
_HOPS = 20


def load(text: str) -> dict[str, Any]:
    """Return a definition in YAML or JSON as data.

    Raises:
        BrokenDefinition: it is neither, or over a limit; with the line.
    """
    if text.lstrip()[:1] == "{":
        try:
            data = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            return _load_flow(text, error)
        _check_size(data)
        return _require_mapping(data)
    return _load_yaml(text)


def _load_flow(text: str, error: orjson.JSONDecodeError) -> dict[str, Any]:
    """Read what begins as JSON and is none: it may be YAML in braces."""
    try:
        return _load_yaml(text)
    except BrokenDefinition:
        raise BrokenDefinition(
            f"The JSON cannot be read: {error.msg}.", "Correct this place.", line=error.lineno, column=error.colno
        ) from error


def _load_yaml(text: str) -> dict[str, Any]:
    reading = read_documents(text, limits=_LIMITS, is_any_root=True)
    fault = next((problem for problem in reading.problems if problem.is_error), None)
    if fault is not None:
        raise _broken(fault)
    if not reading.documents:
        raise BrokenDefinition("The definition is empty.")
    return _require_mapping(reading.documents[0].data)


def _broken(fault: Problem) -> BrokenDefinition:
    return BrokenDefinition(fault.reason, fault.hint, line=fault.line, column=fault.column)


def _require_mapping(data: Any) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise BrokenDefinition("The definition is not a mapping.", "It begins with the name of its format.", line=1)
    return data


def _check_size(data: Any) -> None:
    level, nodes, depth = [data], 0, 0
    while level:
        depth += 1
        nodes += len(level)
        if depth > _LIMITS.depth:
            raise BrokenDefinition(f"The definition is nested more than {_LIMITS.depth} levels deep.")
        if nodes > _LIMITS.nodes_of_document:
            raise BrokenDefinition(f"The definition has more than {_LIMITS.nodes_of_document:,} nodes.")
        level = [
            child
            for node in level
            if isinstance(node, dict | list)
            for child in (node.values() if isinstance(node, dict) else node)
        ]


class Pointers:
    """Follows references inside one document. What they lead to, and what they do not, is said in `problems`."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self.problems: dict[str, str] = {}

    def find(self, ref: str) -> Any:
        """Return what a reference points at, through further ones; None, with a problem, when it cannot be had."""
        seen = [ref]
        while True:
            found = self._step(seen[-1])
            if not isinstance(found, dict) or not isinstance(found.get("$ref"), str):
                return found
            if found["$ref"] in seen or len(seen) > _HOPS:
                self.problems[ref] = f"{ref} leads in a circle."
                return None
            seen.append(found["$ref"])

    def follow(self, node: Any) -> dict[str, Any]:
        """Return a mapping, or the one that it refers to; an empty one when there is none."""
        if isinstance(node, dict) and isinstance(node.get("$ref"), str):
            node = self.find(node["$ref"])
        return node if isinstance(node, dict) else {}

    def _step(self, ref: str) -> Any:
        if not ref.startswith("#"):
            self.problems[ref] = f"{shorten(ref)} is outside this definition and was not followed."
            return None
        node: Any = self._root
        for part in ref.removeprefix("#").removeprefix("/").split("/") if len(ref) > 1 else ():
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            if isinstance(node, list) and key.isdecimal() and len(key) < 10 and int(key) < len(node):
                node = node[int(key)]
            elif isinstance(node, dict) and key in node:
                node = node[key]
            else:
                self.problems[ref] = f"{shorten(ref)} points at nothing."
                return None
        return node


def mapping(node: Any, key: str) -> dict[str, Any]:
    """Return a mapping below a mapping; an empty one when there is something else."""
    found = node.get(key) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def sequence(node: Any, key: str) -> list[Any]:
    found = node.get(key) if isinstance(node, dict) else None
    return found if isinstance(found, list) else []


def text_of(node: Any, key: str) -> str:
    """Return a text below a mapping; numbers as they are written, nothing for all else."""
    found = node.get(key) if isinstance(node, dict) else None
    if isinstance(found, str):
        return found.strip()
    return str(found) if isinstance(found, int | float) and not isinstance(found, bool) else ""
