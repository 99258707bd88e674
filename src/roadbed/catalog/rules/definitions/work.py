"""What is done with definitions in a process of its own, from bytes to bytes; `core.apart` runs it.

A model leaves as lines of JSON: the head, then each element and each type, so that whoever keeps it need not read all
of it to show a part.
"""

import importlib
from dataclasses import asdict

import orjson

from roadbed.catalog.rules.definitions.comparison import Comparison, compare
from roadbed.catalog.rules.definitions.model import BrokenDefinition, Definition, pack

_READERS = {name: f"roadbed.catalog.rules.definitions.{name}" for name in ("openapi", "asyncapi", "graphql", "grpc")}
"""Where the reader of a format is; it is loaded when it is needed: that of GraphQL takes a quarter of a second."""


def read(given: bytes) -> bytes:
    """Read a definition: the name of its format on the first line, then the text."""
    name, _, text = given.partition(b"\n")
    try:
        definition = _read(name.decode(), text)
    except BrokenDefinition as error:
        return orjson.dumps({"broken": pack(error.broken)})
    lines = [{"head": pack(definition.head)}, *map(pack, definition.elements), *map(pack, definition.types)]
    return b"\n".join(map(orjson.dumps, lines))


def tell_changes(given: bytes) -> bytes:
    """Compare two definitions: on the first line their format and the size of the older text, then both texts."""
    line, _, texts = given.partition(b"\n")
    name, _, size = line.decode().partition(" ")
    which = "before"
    try:
        before = _read(name, texts[: int(size)])
        which = "after"
        after = _read(name, texts[int(size) :])
    except BrokenDefinition as error:
        return orjson.dumps({"broken": pack(error.broken), "which": which})
    return orjson.dumps(_pack_comparison(compare(before, after)))


def _read(name: str, text: bytes) -> Definition:
    try:
        definition: Definition = importlib.import_module(_READERS[name]).read(text.decode())
    except RecursionError as error:
        raise BrokenDefinition("The definition is nested too deeply.") from error
    return definition


def _pack_comparison(comparison: Comparison) -> dict[str, object]:
    changes = [
        {
            "sign": change.sign,
            "place": change.place,
            "what": change.what,
            "element": change.element,
            "before": change.before,
            "after": change.after,
            **asdict(change.rule),
        }
        for change in comparison.changes
    ]
    return {"changes": changes, "is_cut": comparison.is_cut}
