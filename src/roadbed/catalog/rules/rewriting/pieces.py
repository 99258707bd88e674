"""Finding the document of an entity in a file, and putting another in its place."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from roadbed.catalog.rules.documents import Document, cut_documents, read_documents
from roadbed.catalog.rules.validation import find_ref
from roadbed.kit.refs import EntityRef

_MARK = "\ufeff"


@dataclass(frozen=True)
class Piece:
    """One document of a file as text, with the line `---` before it.

    Args:
        text: with line feeds only, whatever the file has.
        document: what it says.
        start: where in the file it begins.
        end: where in the file it ends.
        first_line: counted from 0.
    """

    text: str
    document: Document
    start: int
    end: int
    first_line: int


def find_piece(content: bytes, ref: EntityRef) -> Piece | None:
    """Return the document of an entity; of several the last, which is the one that counts. None: there is none."""
    return find_pieces(content, {ref}).get(ref)


def find_pieces(content: bytes, refs: Collection[EntityRef]) -> dict[EntityRef, Piece]:
    """Return the documents of those of these entities that a file holds."""
    documents: dict[EntityRef, Document] = {}
    for one in read_documents(content).documents:
        if (found := find_ref(one)) is not None and found in refs:
            documents[found] = one
    if not documents:
        return {}
    waiting = sorted(documents.items(), key=lambda one: one[1].line, reverse=True)
    pieces: dict[EntityRef, Piece] = {}
    position, held = 0, Piece("", waiting[-1][1], 0, 0, 0)
    text = _decode(content)
    for first_line, piece in (*cut_documents(text), (text.count("\n") + 1, "")):
        while waiting and waiting[-1][1].line <= first_line:
            ref, document = waiting.pop()
            pieces[ref] = replace(held, text=_unify(held.text), document=document)
        held = Piece(piece, held.document, position, position + len(piece), first_line)
        position += len(piece)
    return pieces


def put_piece(content: bytes, piece: Piece, text: str) -> bytes:
    """Return a file with another text in place of one of its documents, with the line ends that it has there."""
    return put_pieces(content, [(piece, text)])


def put_pieces(content: bytes, changes: Iterable[tuple[Piece, str]]) -> bytes:
    """Return a file with other texts in place of some of its documents."""
    whole = changed = _decode(content)
    for piece, text in sorted(changes, key=lambda one: one[0].start, reverse=True):
        before = whole[piece.start : piece.end]
        new = _end_like(_unify(text), before, is_last=piece.end == len(whole))
        if before.count("\r\n") == before.count("\n") > 0:
            new = new.replace("\n", "\r\n")
        changed = changed[: piece.start] + new + changed[piece.end :]
    head = _MARK if content.startswith(_MARK.encode()) else ""
    return (head + changed).encode()


def _decode(content: bytes) -> str:
    return content.decode().removeprefix(_MARK)


def _unify(text: str) -> str:
    return text.replace("\r\n", "\n")


def _end_like(text: str, before: str, *, is_last: bool) -> str:
    """Return a text that ends with a line feed: what follows would stand on its last line otherwise."""
    if not text.endswith("\n") and (not is_last or before.endswith("\n")):
        return text + "\n"
    return text
