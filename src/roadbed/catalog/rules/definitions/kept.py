"""A model as it is kept: its parts as the JSON that left the other process, each read when it is asked for."""

from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import TypeAdapter

from roadbed.catalog.rules.definitions.model import Broken, Element, Entry, Head, NamedType

_HEAD: TypeAdapter[Head] = TypeAdapter(Head)
_ELEMENT: TypeAdapter[Element] = TypeAdapter(Element)
_TYPE: TypeAdapter[NamedType] = TypeAdapter(NamedType)
_BROKEN: TypeAdapter[Broken] = TypeAdapter(Broken)


@dataclass(frozen=True)
class KeptDefinition:
    """A definition in parts. The lines of elements and types are in the order of the head's entries."""

    head: Head
    written_head: bytes = field(repr=False)
    lines: dict[str, bytes] = field(repr=False)
    size_bytes: int

    def find_element(self, id_: str) -> Element | None:
        line = self.lines.get(id_)
        return _ELEMENT.validate_json(line) if line is not None and not id_.startswith(_TYPE_PREFIX) else None

    def find_type(self, name: str) -> NamedType | None:
        line = self.lines.get(_TYPE_PREFIX + name)
        return _TYPE.validate_json(line) if line is not None else None

    def write(self) -> bytes:
        """Return all of it as one JSON object."""
        elements = b",".join(self.lines[entry.id] for entry in self.head.elements)
        types = b",".join(self.lines[entry.id] for entry in self.head.types)
        return b'{"head":%b,"elements":[%b],"types":[%b]}' % (self.written_head, elements, types)


_TYPE_PREFIX = "type:"


def unpack(written: bytes) -> KeptDefinition | Broken:
    """Read what `work.read` wrote."""
    first, *lines = written.split(b"\n")
    told: dict[str, Any] = orjson.loads(first)
    if "broken" in told:
        return _BROKEN.validate_python(told["broken"])
    head = _HEAD.validate_python(told["head"])
    entries: list[Entry] = [*head.elements, *head.types]
    parts = {entry.id: line for entry, line in zip(entries, lines, strict=True)}
    return KeptDefinition(head, orjson.dumps(told["head"]), parts, len(written))
