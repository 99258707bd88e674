"""Versions of entities on their way into an index of the past: read in this process, or in another one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from roadbed.catalog.rules.documents import from_json
from roadbed.catalog.rules.harvest import ReadEntity, make_entity
from roadbed.catalog.rules.index.entries import Kept, make_piece
from roadbed.catalog.rules.index.pieces import IndexPiece
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.relations import Edge
from roadbed.catalog.rules.validation import find_definition
from roadbed.kit.jsons import parse_json
from roadbed.kit.refs import InvalidRef


@dataclass(frozen=True, slots=True)
class Version:
    """An entity as a change left it, its document as JSON."""

    uid: str
    ref: str
    written: str
    digest: str
    location_id: str | None
    at: datetime
    is_orphan: bool


@dataclass(frozen=True, slots=True)
class PastPiece:
    """Many entities on their way into an index, and the relations that they declared."""

    entries: IndexPiece
    edges: Sequence[Edge]


def read_piece(versions: Iterable[Version], kinds: Kinds, *, start: int) -> PastPiece:
    """Return the entries of versions, numbered from `start`: as many as there are versions."""
    held, edges = read_versions(versions, kinds)
    return PastPiece(make_piece(held, start=start), edges)


def read_versions(versions: Iterable[Version], kinds: Kinds) -> tuple[list[Kept], list[Edge]]:
    """Return versions as entities are kept, and what relations they declared; those of orphans do not count."""
    held: list[Kept] = []
    edges: list[Edge] = []
    for version in versions:
        document = parse_json(version.written)
        entity = read_content(document, kinds)
        if entity is not None and not version.is_orphan:
            edges += entity.edges
        title = entity.title if entity else document["metadata"]["name"]
        record = {
            "title": title,
            "sort_key": title.strip().lower()[:200],
            "owner": entity.owner if entity else None,
            "system": entity.system if entity else None,
            "location_id": version.location_id,
            "updated_at": version.at,
            "orphaned_at": version.at if version.is_orphan else None,
        }
        held.append(Kept(version.uid, version.ref, version.written, version.digest, record))
    return held, edges


def read_content(document: Mapping[str, Any], kinds: Kinds) -> ReadEntity | None:
    """Return what a document that was kept says, or None when the kinds in force cannot read it any more."""
    found = from_json(document)
    definition = find_definition(found, kinds)
    if isinstance(definition, Problem):
        return None
    try:
        return make_entity(found, definition, origin={})
    except InvalidRef:
        return None
