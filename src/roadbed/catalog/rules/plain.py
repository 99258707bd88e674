"""The quick way to read a file of ordinary YAML, without the places of its nodes.

Almost every file is ordinary: no anchors, no tags, no keys twice, nothing too deep. For all others, and for those with
a fault, there is the careful way in `documents`, which gives the same data and can say where things stand.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from yaml import SafeLoader, YAMLError
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from roadbed.kit.yamls import TELLING, Fault, resolve

_NO_KEY = object()


class PlainDocument(NamedTuple):
    """The data of a document, and the lines, from 0, where its root begins and where it ends."""

    data: dict[str, Any]
    line: int
    end_line: int


class _Unusual(Exception):
    """The file is for the careful reader."""


def read_plain(parser: SafeLoader, *, documents: int, nodes: int, depth: int) -> list[PlainDocument] | None:
    """Return the documents of a file, or None when it holds something out of the ordinary.

    Args:
        parser: at the beginning of the file.
        documents: how many documents are ordinary.
        nodes: how many nodes, keys included, are ordinary in one document.
        depth: how deep nesting is ordinary.
    """
    try:
        return _read(parser, documents, nodes, depth)
    except (_Unusual, Fault, YAMLError):
        return None
    finally:
        parser.dispose()


def _read(parser: SafeLoader, limit: int, nodes: int, depth: int) -> list[PlainDocument]:  # noqa: C901, PLR0912 - one loop without a call: a large catalog has millions of events
    documents: list[PlainDocument] = []
    around: list[Any] = []
    roots: list[Any] = []
    container: Any = roots
    key: Any = _NO_KEY
    line = count = 0
    get_event: Callable[[], Any] = parser.get_event
    while (event := get_event()) is not None:
        sort = event.__class__
        count += 1
        if sort is ScalarEvent:
            value = event.value
            if not event.implicit[0] or event.anchor:
                _refuse_unusual(event)
            elif not value or value[0] in TELLING:
                value = resolve(value)
            if container.__class__ is list:
                container.append(value)
            elif key is not _NO_KEY:
                container[key] = value
                key = _NO_KEY
            elif value.__class__ is not str or value in container or value == "<<":
                raise _Unusual
            else:
                key = value
        elif sort is MappingStartEvent or sort is SequenceStartEvent:
            opened: Any = {} if sort is MappingStartEvent else []
            if event.anchor or event.tag is not None or len(around) >= depth:
                raise _Unusual
            if container.__class__ is list:
                container.append(opened)
                line = event.start_mark.line if container is roots else line
            elif key is _NO_KEY:
                raise _Unusual
            else:
                container[key] = opened
                key = _NO_KEY
            around.append(container)
            container = opened
        elif sort is MappingEndEvent or sort is SequenceEndEvent:
            container = _leave(container, around)
        elif sort is DocumentEndEvent:
            if roots[-1].__class__ is not dict or len(documents) >= limit or count > nodes:
                raise _Unusual
            documents.append(PlainDocument(roots.pop(), line, event.start_mark.line))
            count = 0
        elif sort is AliasEvent:
            raise _Unusual
    return documents


def _refuse_unusual(event: Any) -> None:
    """Let pass what stands in quotes or a block, without more."""
    if event.anchor or event.tag is not None or "\x00" in event.value:
        raise _Unusual


def _leave(container: Any, around: list[Any]) -> Any:
    """Return the container around one that ends, and that is no placeholder."""
    if len(container) == 1 and container.__class__ is dict and next(iter(container)).startswith("$"):
        raise _Unusual
    return around.pop()
