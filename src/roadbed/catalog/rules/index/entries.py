"""From an entity as it is kept to its entry in the index: the document that is handed out, the record, the rows.

The document is what Backstage's API gives: with uid, etag, relations, and the faults of newer contents as its status.
Rows whose keys begin with NUL are Roadbed's own, beside those of the document; no text that is stored or asked for
holds that character.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from roadbed.catalog.rules.index.pieces import Cut, IndexEntry, IndexPiece, Pair, pack
from roadbed.catalog.rules.index.rows import TRUE, fold_items, rows_of
from roadbed.catalog.rules.sources import MANAGED_BY_ORIGIN, OWN_REPOSITORIES, VIEW_URL, is_script_url
from roadbed.kit.jsons import digest, fit_json, parse_json, write_json

OWNER = "\0owner"
SYSTEM = "\0system"
TITLE = "\0title"
LOCATION = "\0location"
ORPHAN = "\0orphan"
HEALTH = "\0health"
STALE = "\0stale"
"""What its location no longer holds, and what has a newer content that was not taken."""
HELD = "\0held"
"""Entities of the catalog itself; not the Location entities that stand for registered locations."""
FOREIGN = "\0foreign"
"""What Backstage would hold: neither orphans, nor Roadbed's own kinds, nor what comes with Roadbed."""

OWN_API = "roadbed.dev/"
_URL_ANNOTATIONS = ("backstage.io/view-url", "backstage.io/edit-url")
_SAFE_URL = "https://backstage.io/annotation-rejected-for-security-reasons"
_TEXT_LENGTH = 4000


@dataclass(frozen=True, slots=True)
class Kept:
    """An entity as the database has it, its document as JSON.

    `relations` are `type target` a line; `faults` say what is wrong with a newer content that was not taken.
    """

    uid: str
    ref: str
    written: str | bytes
    digest: str
    record: Mapping[str, Any]
    relations: str = ""
    faults: Sequence[str] = ()
    is_held: bool = field(default=True)

    def list_relations(self) -> list[tuple[str, str]]:
        """Return type and target of each relation, sorted."""
        pairs = (line.partition(" ") for line in set(self.relations.splitlines()))
        return sorted((type_, target) for type_, _, target in pairs)


def make_entry(kept: Kept) -> IndexEntry:
    """Return the entry of an entity."""
    document = parse_json(kept.written)
    relations = kept.list_relations()
    record = {**kept.record, "is_held": kept.is_held, "faults": bool(kept.faults)}
    return IndexEntry(
        ref=kept.ref,
        document=fit_json(orjson.dumps(_finish(document, kept, relations))),
        record=fit_json(orjson.dumps(record)),
        rows=[
            *fold_items(rows_of(document, uid=kept.uid, relations=relations)),
            *_own_rows(document, record),
        ],
        text=_text_of(document, kept.record),
    )


def make_piece(held: Sequence[Kept], *, start: int) -> IndexPiece:
    """Return the entries of many entities, numbered from `start`."""
    piece = IndexPiece(start)
    for kept in held:
        piece.add(make_entry(kept))
    return piece


def pack_cut(cut: Cut) -> bytes:
    """Return part of an index as it is kept."""
    piece = IndexPiece(cut.start)
    for ref, document, record, text in zip(cut.refs, cut.documents, cut.records, cut.texts, strict=True):
        piece.add(IndexEntry(ref, document, record, read_rows(document, record) if document else (), text))
    return pack(piece)


def read_rows(document: bytes, record: bytes) -> list[Pair]:
    """Return the rows that `make_entry` gave to an entry with this document and record."""
    data, known = orjson.loads(document), orjson.loads(record)
    relations = [(relation["type"], relation["targetRef"]) for relation in data["relations"]]
    rows = rows_of(data, uid=data["metadata"]["uid"], relations=relations)
    return [*fold_items(rows), *_own_rows(data, known)]


def make_location(ref: str, *, uid: str, type_: str, target: str, faults: Sequence[str]) -> Kept:
    """Return the Location entity that stands for a registered location, as Backstage makes one."""
    annotations = {
        "backstage.io/managed-by-location": f"{type_}:{target}",
        "backstage.io/managed-by-origin-location": f"{type_}:{target}",
    }
    if type_ == "url":
        annotations[VIEW_URL] = target
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Location",
        "metadata": {"name": ref.partition("/")[2], "namespace": "default", "annotations": annotations},
        "spec": {"type": type_, "target": target},
    }
    return Kept(uid, ref, write_json(document), digest(document), {}, faults=faults, is_held=False)


def _finish(document: dict[str, Any], kept: Kept, relations: Iterable[tuple[str, str]]) -> dict[str, Any]:
    metadata = document["metadata"]
    annotations = metadata.get("annotations")
    if annotations and any(is_script_url(annotations.get(name, "")) for name in _URL_ANNOTATIONS):
        safe = {name: _SAFE_URL for name in _URL_ANNOTATIONS if is_script_url(annotations.get(name, ""))}
        metadata = {**metadata, "annotations": {**annotations, **safe}}
    finished = {
        **document,
        "metadata": {**metadata, "uid": kept.uid, "etag": metadata.get("etag") or kept.digest},
        "spec": _sort_refs(document["spec"]),
        "relations": [{"type": type_, "targetRef": target} for type_, target in relations],
    }
    if kept.faults:
        finished["status"] = {"items": [_status_item(fault) for fault in kept.faults]}
    return finished


_REF_LISTS = ("providesApis", "consumesApis", "dependsOn", "dependencyOf", "memberOf", "members", "children")


def _sort_refs(spec: dict[str, Any]) -> dict[str, Any]:
    """Sort the lists of refs, as Backstage does."""
    unsorted = {
        name: sorted(refs)
        for name in _REF_LISTS
        if isinstance(refs := spec.get(name), list) and all(isinstance(ref, str) for ref in refs)
    }
    return {**spec, **unsorted} if unsorted else spec


def _status_item(fault: str) -> dict[str, Any]:
    return {
        "type": "backstage.io/catalog-processing",
        "level": "error",
        "message": f"InputError: {fault}",
        "error": {"name": "InputError", "message": fault},
    }


def _own_rows(document: Mapping[str, Any], record: Mapping[str, Any]) -> list[Pair]:
    is_orphan = bool(record.get("orphaned_at"))
    rows: list[Pair] = [(TITLE, record["sort_key"])] if "sort_key" in record else []
    for key, name in ((OWNER, "owner"), (SYSTEM, "system"), (LOCATION, "location_id"), (HEALTH, "health")):
        if record.get(name):
            rows.append((key, record[name]))
    is_stale = is_orphan or record["faults"]
    marks = ((HELD, record["is_held"]), (ORPHAN, is_orphan), (STALE, is_stale))
    rows += [(key, TRUE) for key, is_so in marks if is_so]
    origin = (document["metadata"].get("annotations") or {}).get(MANAGED_BY_ORIGIN, "")
    is_shipped = bool(record.get("is_built_in")) or origin.startswith(f"git:{OWN_REPOSITORIES}")
    if not (is_orphan or is_shipped or document["apiVersion"].startswith(OWN_API)):
        rows.append((FOREIGN, TRUE))
    return rows


def _text_of(document: Mapping[str, Any], record: Mapping[str, Any]) -> str:
    metadata = document["metadata"]
    words = [
        metadata["name"],
        record.get("title") or "",
        metadata.get("description") or "",
        *(metadata.get("tags") or ()),
    ]
    return "\n".join(map(str, words)).lower()[:_TEXT_LENGTH]
