"""Reading XML that untrusted code wrote: no entities, no outside files, and not more of anything than a report has."""

from collections.abc import Mapping
from typing import Any, Protocol
from xml.parsers import expat  # the parser itself; entities are refused below

from roadbed.delivery.errors import ReportUnreadable

_MAX_DEPTH = 100
_MAX_ELEMENTS = 500_000
_MAX_TAG_BYTES = 1_000_000
_CHUNK_BYTES = 65_536


class Handler(Protocol):
    """Is told what the parser meets; `depth` is 0 at the root."""

    def start(self, name: str, attributes: Mapping[str, str], depth: int) -> None: ...

    def end(self, name: str, text: str) -> None: ...


def parse_xml(data: bytes, handler: Handler, *, keep_text_of: frozenset[str] = frozenset()) -> None:
    """Read a document.

    Args:
        data: the document.
        handler: is told of each element.
        keep_text_of: names of elements whose text `end` is given.

    Raises:
        ReportUnreadable: it is no XML, declares entities, or has too much of something.
    """
    parser = expat.ParserCreate()
    state = _State(handler, keep_text_of)
    parser.buffer_text, parser.buffer_size = True, _CHUNK_BYTES
    parser.StartElementHandler = state.start
    parser.EndElementHandler = state.end
    parser.CharacterDataHandler = state.text
    parser.EntityDeclHandler = _refuse
    try:
        _feed(parser, data)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: an encoding that expat cannot read
        raise ReportUnreadable(f"It is not XML: {error}.") from error


def _feed(parser: expat.XMLParserType, data: bytes) -> None:
    """Parse in pieces, so that one endless tag is seen before expat has built all of it, with the GIL held."""
    for start in range(0, len(data), _CHUNK_BYTES):
        parser.Parse(data[start : start + _CHUNK_BYTES], False)  # noqa: FBT003 - expat's signature
        if start - parser.CurrentByteIndex > _MAX_TAG_BYTES:
            raise ReportUnreadable(f"It has a tag of more than {_MAX_TAG_BYTES:,} bytes.")
    parser.Parse(b"", True)  # noqa: FBT003 - likewise


class _State:
    def __init__(self, handler: Handler, keep_text_of: frozenset[str]) -> None:
        self._handler = handler
        self._keep_text_of = keep_text_of
        self._depth = self._count = 0
        self._text: list[str] | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if self._depth > _MAX_DEPTH:
            raise ReportUnreadable(f"Its elements are nested more than {_MAX_DEPTH} deep.")
        self._count += 1
        if self._count > _MAX_ELEMENTS:
            raise ReportUnreadable(f"It has more than {_MAX_ELEMENTS:,} elements.")
        plain = name.rpartition(":")[2]
        self._text = [] if plain in self._keep_text_of else None
        self._handler.start(plain, attributes, self._depth)
        self._depth += 1

    def end(self, name: str) -> None:
        self._depth -= 1
        self._handler.end(name.rpartition(":")[2], "".join(self._text or ()))
        self._text = None

    def text(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def _refuse(*_: Any) -> None:
    raise ReportUnreadable("It declares entities, which are not read.")
