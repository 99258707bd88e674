"""Rows as the read models that leave the domain."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from roadbed.catalog.models import Change, Entity, EntityStatus, Location
from roadbed.catalog.repository.entities import RelationRow
from roadbed.catalog.rules.harvest import ReadEntity
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.past import read_content
from roadbed.catalog.types import ChangeKind, EntitySummary, LocationOptions, LocationSummary, Status
from roadbed.kit.jsons import embed_json
from roadbed.kit.refs import EntityRef, parse_ref, ref_of


def summarise(row: Entity, *, document: Mapping[str, Any] | None = None) -> EntitySummary:
    """Return a row as others see it; `document` where the row was read without its own."""
    return EntitySummary(
        uid=row.id,
        ref=EntityRef(row.kind, row.namespace, row.name),
        title=row.title,
        description=row.description,
        type=row.type,
        lifecycle=row.lifecycle,
        owner=parse_ref(row.owner_ref) if row.owner_ref else None,
        system=parse_ref(row.system_ref) if row.system_ref else None,
        tags=tuple(row.tags),
        document=row.document if document is None else document,
        digest=row.digest,
        location_id=row.location_id,
        is_built_in=row.is_built_in,
        file=row.file,
        line=row.line,
        updated_at=row.updated_at,
        orphaned_at=row.orphaned_at,
    )


def summarise_change(change: Change, kinds: Kinds) -> EntitySummary:
    """Return an entity as it was after a change. In which line of its file it stood is not kept."""
    entity = read_content(change.document, kinds)
    ref = ref_of(change.document)
    return EntitySummary(
        uid=change.entity_id,
        ref=ref,
        title=entity.title if entity else ref.name,
        description=entity.description if entity else "",
        type=entity.type if entity else None,
        lifecycle=entity.lifecycle if entity else None,
        owner=parse_ref(entity.owner) if entity and entity.owner else None,
        system=parse_ref(entity.system) if entity and entity.system else None,
        tags=entity.tags if entity else (),
        document=change.document,
        digest=change.digest,
        location_id=change.location_id,
        is_built_in=False,
        file="",
        line=0,
        updated_at=change.at,
        orphaned_at=change.at if change.change == ChangeKind.ORPHANED else None,
    )


def summarise_location(row: Location) -> LocationSummary:
    return LocationSummary(
        id=row.id,
        type=row.type,
        target=row.target,
        entity_ref=row.entity_ref,
        created_at=row.created_at,
        created_by=row.created_by,
        checked_at=row.checked_at,
        read_at=row.read_at,
        revision=row.revision,
        error=row.error,
        run_id=row.run_id,
        options=LocationOptions(
            allowed_kinds=None if row.allowed_kinds is None else tuple(row.allowed_kinds),
            interval_seconds=row.interval_seconds,
            remove_orphans_after_hours=row.remove_orphans_after_hours,
            remove_after_missing=row.remove_after_missing,
            source=row.source,
            may_define_kinds=row.may_define_kinds,
        ),
        missing_count=row.missing_count,
        report=row.report,
    )


def summarise_status(row: EntityStatus) -> Status:
    return Status(
        ref=parse_ref(row.ref),
        key=row.key,
        state=row.state,
        summary=row.summary,
        source=row.source,
        href=row.href,
        detail=row.detail,
        since=row.since,
        at=row.at,
    )


def columns_of(entity: ReadEntity) -> dict[str, object]:
    """Return the columns that follow from the content of an entity."""
    return {
        "ref": str(entity.ref),
        "kind": entity.ref.kind,
        "namespace": entity.ref.namespace,
        "name": entity.ref.name,
        "title": entity.title,
        "sort_key": entity.title.strip().lower()[:200],
        "description": entity.description,
        "type": entity.type,
        "lifecycle": entity.lifecycle,
        "owner_ref": entity.owner,
        "system_ref": entity.system,
        "tags": entity.tags,
        "document": embed_json(entity.written),
        "digest": entity.digest,
        **place_of(entity),
    }


def place_of(entity: ReadEntity) -> dict[str, object]:
    return {"file": entity.file, "line": entity.line, "end_line": entity.end_line}


def relation_rows(entity_id: UUID, entity: ReadEntity) -> list[RelationRow]:
    return [(entity_id, number, *edge) for number, edge in enumerate(entity.edges)]
