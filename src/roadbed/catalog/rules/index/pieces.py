"""Pieces of an index: many entities on their way into one, prepared in another process or kept in a file.

A kept piece is text: what makes it up as JSON, then a line each for the documents and the records.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from zlib import crc32

import orjson

from roadbed.catalog.rules.index.columns import ColumnRows

PIECE = 1000
"""Entities of a kept piece."""
_SUM_BYTES = 4

Pair = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """An entity on its way into the index.

    Args:
        ref: in lower case.
        document: the whole document as JSON, as it is handed out.
        record: what else is known of it, as JSON.
        rows: key and value of each row, as `ReadRows` finds them in both.
        text: what free words are looked for in, in lower case.
    """

    ref: str
    document: bytes
    record: bytes
    rows: Sequence[Pair]
    text: str


ReadRows = Callable[[bytes, bytes], Sequence[Pair]]
"""Gives the rows of a document and a record: they are not kept, which would cost more than the documents do."""


@dataclass
class IndexPiece:
    """Many entities on their way into an index that is being loaded: prepared anywhere, in another process as well.

    Args:
        start: the number of the first of them.
    """

    start: int
    refs: list[str] = field(default_factory=list)
    documents: list[bytes] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    columns: defaultdict[str, ColumnRows] = field(default_factory=partial(defaultdict, ColumnRows))

    def add(self, entry: IndexEntry) -> None:
        number = self.start + len(self.refs)
        self.refs.append(entry.ref)
        self.documents.append(entry.document)
        self.records.append(entry.record)
        self.texts.append(entry.text)
        for key, value in entry.rows:
            rows = self.columns[key]
            rows.exists.append(number)
            if value is not None:
                rows.add(number, value)


@dataclass(frozen=True, slots=True)
class Cut:
    """Entities of an index with consecutive numbers, without their rows. Where one is gone, its document is empty.

    Args:
        start: the number of the first.
    """

    start: int
    refs: list[str]
    documents: list[bytes]
    records: list[bytes]
    texts: list[str]


class PieceDamaged(ValueError):
    """A kept piece is not what was written."""


def pack(piece: IndexPiece) -> bytes:
    """Return a piece as it is kept."""
    head = {
        "start": piece.start,
        "refs": piece.refs,
        "texts": piece.texts,
        "columns": {key: (rows.exists.tolist(), rows.ones, _plain(rows.many)) for key, rows in piece.columns.items()},
    }
    body = b"\n".join((orjson.dumps(head), *piece.documents, *piece.records))
    return _sum(body) + body


def unpack(kept: bytes) -> IndexPiece:
    """Read a kept piece.

    Raises:
        PieceDamaged: it is not what was written.
    """
    body = kept[_SUM_BYTES:]
    if kept[:_SUM_BYTES] != _sum(body):
        raise PieceDamaged("A piece of the index is damaged.")
    written, *lines = body.split(b"\n")
    head = orjson.loads(written)
    count = len(head["refs"])
    piece = IndexPiece(head["start"], head["refs"], lines[:count], lines[count:], head["texts"])
    for key, (exists, ones, many) in head["columns"].items():
        rows = piece.columns[key]
        rows.exists, rows.ones = array("I", exists), ones
        rows.many = {value: array("I", numbers) for value, numbers in many.items()}
    return piece


def _plain(many: "dict[str, array[int]]") -> dict[str, list[int]]:
    return {value: numbers.tolist() for value, numbers in many.items()}


def _sum(body: bytes) -> bytes:
    """Return what tells of damage; nobody who can write the file is to be kept from anything."""
    return crc32(body).to_bytes(_SUM_BYTES, "big")
