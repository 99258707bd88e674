"""What needs somebody: entities that are stale, with the reason and the age; and giving one an owner."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from roadbed.catalog.errors import EntityInvalid, EntityManaged
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.documents import Reading, from_json
from roadbed.catalog.service.entities import find_managed, get_entity, put_entities
from roadbed.catalog.types import EntitySummary
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.etags import Condition
from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref


class StaleReason(StrEnum):
    ORPHAN = "orphan"
    UNREADABLE = "unreadable"
    FAULTY = "faulty"


@dataclass(frozen=True)
class Staleness:
    """Why an entity may be behind: in words, since when as far as is known, and where to look."""

    reason: StaleReason
    text: str
    since: datetime | None
    href: str


async def explain_staleness(session: ReadSession, entities: Sequence[EntitySummary]) -> dict[EntityRef, Staleness]:
    """Return for each of these entities why it is stale; those that are not are left out."""
    ids = {entity.location_id for entity in entities if entity.location_id is not None}
    locations = {row.id: row for row in await location_rows.list_by_ids(session, ids)}
    faults = await location_rows.list_faults(session, [str(entity.ref) for entity in entities])
    found: dict[EntityRef, Staleness] = {}
    for entity in entities:
        location = locations.get(entity.location_id) if entity.location_id else None
        href = f"/catalog/locations/{location.id}" if location else entity.href
        if entity.orphaned_at is not None:
            text = "Its location no longer holds it" if location else "Its location is removed"
            found[entity.ref] = Staleness(StaleReason.ORPHAN, text, entity.orphaned_at, href)
        elif location is not None and location.error:
            text = f"Its location cannot be read: {location.error.get('message', 'unknown')}"
            found[entity.ref] = Staleness(StaleReason.UNREADABLE, text, location.read_at, href)
        elif fault := faults.get(str(entity.ref)):
            text = f"Its newer content is not taken: {fault.reason}"
            found[entity.ref] = Staleness(StaleReason.FAULTY, text, fault.at, f"{entity.href}#problems")
    return found


async def find_owner_refusal(session: ReadSession, ref: EntityRef) -> EntityManaged | None:
    """Return why an entity's owner cannot be set here, and where it is set instead."""
    row = await entity_rows.find_entity(session, str(ref))
    return find_managed(row, "changed") if row is not None else None


async def set_owner(session: WriteSession, actor: Actor, ref: EntityRef, owner: str, *, condition: Condition) -> None:
    """Give an entity that was put over the API another owner.

    Raises:
        EntityNotFound: there is none.
        EntityInvalid: there is no such owner, or it is no group or user.
        EntityManaged: it is read from a location, or built in.
        PreconditionFailed: `condition` knows another state of it.
    """
    try:
        wanted = parse_ref(owner.strip(), default_kind="Group", default_namespace=ref.namespace)
    except InvalidRef as error:
        raise EntityInvalid(f"{owner!r} is no owner: {error}.", hint="Write a group such as team-checkout.") from error
    if wanted.kind.lower() not in ("group", "user"):
        raise EntityInvalid(f"{wanted} cannot own anything.", hint="Choose a group or a user.")
    await get_entity(session, wanted)
    entity = await get_entity(session, ref)
    document = {**entity.document, "spec": {**entity.spec, "owner": str(wanted)}}
    await put_entities(session, actor, Reading((from_json(document),), ()), condition=condition)
