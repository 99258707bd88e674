"""The versions of an entity: who, when, from which commit or run, what changed; and going back to one.

An entity that is gone keeps its history. Only what was put over the API can be restored: what is read from a location
would be read again as it stands there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.audit.contract import record
from roadbed.catalog.errors import EntityManaged, EntityNotFound, VersionNotFound
from roadbed.catalog.models import Change
from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.commits import find_commit_href
from roadbed.catalog.rules.comparison import MOST_FIELDS, Difference, compare
from roadbed.catalog.rules.documents import from_json
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.service.entities import find_managed, get_entity, not_found, put_back
from roadbed.catalog.service.index import sees
from roadbed.catalog.service.views import summarise, summarise_change
from roadbed.catalog.types import ChangeKind, EntitySummary
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.etags import Condition
from roadbed.kit.refs import EntityRef


@dataclass(frozen=True)
class Version:
    """A change with what it changed: `before` is the content before it, None at the beginning."""

    change: Change
    before: Mapping[str, Any] | None
    commit_href: str | None

    @property
    def differences(self) -> list[Difference]:
        """The fields that differ from the version before, the first hundred."""
        if self.before is None:
            return []
        return compare(self.before, self.change.document, limit=MOST_FIELDS)


@dataclass(frozen=True)
class Versions:
    """A stretch of a history, newest first; `older` is where the next one begins."""

    items: Sequence[Version]
    older: int | None


async def list_versions(session: ReadSession, ref: EntityRef, *, before: int | None = None, limit: int) -> Versions:
    """Return the versions of an entity before a position; also those of one that is gone.

    Raises:
        EntityNotFound: the one who asks sees a part of the catalog, and it is not in that.
    """
    _require_seen(session, ref)
    found = await change_rows.list_changes_of(session, str(ref), before=before, limit=limit + 1)
    older = [*(change.document for change in found[1:]), None]
    hrefs = await _commit_hrefs(session, found)
    shown = [
        Version(change, before, hrefs.get(change.position))
        for change, before in zip(found[:limit], older, strict=False)
    ]
    return Versions(shown, older=shown[-1].change.position if len(found) > limit else None)


async def get_version(session: ReadSession, ref: EntityRef, position: int) -> Version:
    """Return one version.

    Raises:
        VersionNotFound: the entity did not change at this position.
    """
    _require_seen(session, ref)
    change = await change_rows.find_change(session, str(ref), position)
    if change is None:
        raise VersionNotFound(f"{ref} has no version {position}.", hint="Its history lists those that it has.")
    before = await change_rows.list_changes_of(session, str(ref), before=position, limit=1)
    hrefs = await _commit_hrefs(session, [change])
    return Version(change, before[0].document if before else None, hrefs.get(position))


async def get_known(session: ReadSession, ref: EntityRef) -> tuple[EntitySummary, Change | None]:
    """Return an entity, or what is known last of one that is gone with the change that took it away.

    Raises:
        EntityNotFound: there is none, and there never was.
    """
    _require_seen(session, ref)
    row = await entity_rows.find_entity(session, str(ref))
    if row is not None:
        return summarise(row), None
    found = await change_rows.list_changes_of(session, str(ref), before=None, limit=1)
    if not found:
        return await get_entity(session, ref), None
    return summarise_change(found[0], session.services.get(Kinds)), found[0]


def _require_seen(session: ReadSession, ref: EntityRef) -> None:
    """Whoever sees a part of the catalog sees the past of what is in that part now."""
    if not sees(session, str(ref)):
        raise not_found(session, ref)


async def find_refusal(session: ReadSession, ref: EntityRef, position: int) -> EntityManaged | None:
    """Return why a version cannot be restored, and where the entity is changed instead."""
    row = await entity_rows.find_entity(session, str(ref))
    refusal = find_managed(row, "changed") if row is not None else None
    return refusal or await _find_origin(session, ref, position)


async def _find_origin(session: ReadSession, ref: EntityRef, position: int) -> EntityManaged | None:
    """Return what speaks against a version that was read from a location."""
    written = await change_rows.find_written(session, str(ref), until=position)
    if written is None or written.location_id is None:
        return None
    (location,) = await location_rows.list_by_ids(session, [written.location_id]) or (None,)
    place = f"{location.type} {location.target}" if location else "a location that is removed"
    return EntityManaged(
        f"This version of {ref} was read from {place}, so it cannot be put over the API.",
        hint="Bring the file back there, and it comes back as it was.",
    )


async def restore_version(
    session: WriteSession, actor: Actor, ref: EntityRef, position: int, *, condition: Condition | None = None
) -> ChangeKind | None:
    """Make an entity what it was after a change; None when it is that already.

    Raises:
        VersionNotFound: there is no such version.
        EntityManaged: it is, or was then, read from a location.
        EntityInvalid: the kinds in force do not accept it any more.
        PreconditionFailed: `condition` knows another state of it than it has now.
    """
    version = await get_version(session, ref, position)
    if (refusal := await find_refusal(session, ref, position)) is not None:
        raise refusal
    document = from_json(version.change.document)
    done = await put_back(session, actor, document, uid=version.change.entity_id, condition=condition)
    if done is not None:
        await record(
            session,
            actor,
            action="catalog.entity_restored",
            subject=str(ref),
            after=version.change.digest,
            version=position,
        )
    return done


async def get_version_at(session: ReadSession, ref: EntityRef, position: int) -> Change:
    """Return the newest change of an entity up to a position.

    Raises:
        EntityNotFound: it was not there yet, or not any more.
    """
    _require_seen(session, ref)
    found = await change_rows.list_as_of(session, [str(ref)], position)
    if not found or found[0].change == ChangeKind.DELETED:
        state = f"It was deleted by {found[0].actor} before." if found else "It came later, or never."
        raise EntityNotFound(f"{ref} was not in the catalog at that time. {state}", hint="See its history.")
    return found[0]


async def _commit_hrefs(session: ReadSession, changes: Sequence[Change]) -> dict[int, str]:
    ids = {change.location_id for change in changes if change.location_id is not None and change.revision}
    locations = {row.id: row for row in await location_rows.list_by_ids(session, ids)} if ids else {}
    hrefs: dict[int, str] = {}
    for change in changes:
        location = locations.get(change.location_id) if change.location_id else None
        if location is None:
            continue
        href = find_commit_href(type_=location.type, target=location.target, revision=change.revision)
        if href is not None:
            hrefs[change.position] = href
    return hrefs
