"""How locations are looked after: what a look found, their settings, and what is removed by them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.errors import LocationConfigured, LocationMissing
from roadbed.catalog.models import Location
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.repository import locations as rows
from roadbed.catalog.repository.touches import add_touches
from roadbed.catalog.service.entities import remove_rows
from roadbed.catalog.service.kinds import list_used
from roadbed.catalog.service.ledger import Ledger
from roadbed.catalog.service.location_options import check_options
from roadbed.catalog.service.locations import (
    find_configured,
    lock_location,
    put_options,
    refresh_location,
    remove_location,
)
from roadbed.catalog.service.saved_views import forget_deleted_views
from roadbed.catalog.service.views import summarise_location
from roadbed.catalog.types import LocationSummary, Look
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import WriteSession
from roadbed.core.errors import RoadbedError
from roadbed.kit.clock import now

INTERVAL_SECONDS = 120
ACTOR = system_actor("catalog")
_ORPHANS_AT_ONCE = 1000


async def change_location(
    session: WriteSession, actor: Actor, location_id: UUID, changes: Mapping[str, Any]
) -> LocationSummary:
    """Change settings of a location and have it read by them.

    Args:
        session: the transaction.
        actor: who changes; only some may have stored secrets used.
        location_id: the location.
        changes: fields of `LocationOptions`; the others stay.

    Raises:
        LocationNotFound, LocationInvalid, LocationForbidden.
        LocationConfigured: its settings stand in the configuration.
    """
    location = await lock_location(session, location_id)
    before = summarise_location(location)
    if await find_configured(session, before) is not None:
        raise LocationConfigured(
            f"{location.type}:{location.target} stands in the configuration of Roadbed, and so do its settings.",
            hint="Change them in catalog.locations and start again.",
        )
    wanted = check_options(
        session.services, actor, location.type, replace(before.options, **changes), before=before.options
    )
    if await put_options(session, actor, location, wanted):
        await refresh_location(session, actor, location_id)
    return summarise_location(location)


async def note_failure(
    session: WriteSession, location_id: UUID, error: RoadbedError, *, run_id: UUID | None = None
) -> None:
    """Keep why a location could not be read, or not be looked at; what was read before stays."""
    location = await rows.lock_location(session, location_id)
    if location is not None:
        location.checked_at = now()
        if isinstance(error, LocationMissing):
            location.missing_count += 1
        await add_touches(session, [location.entity_ref])
        location.error = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "at": now().isoformat(),
            "run_id": str(run_id) if run_id else None,
        }


async def note_check(session: WriteSession, location_id: UUID, look: Look) -> bool:
    """Keep that a location was looked at, and tell whether it is to be read: once for each state of its source."""
    location = await rows.lock_location(session, location_id)
    if location is None:
        return False
    location.checked_at = now()
    if location.error is not None and location.error["run_id"] is None:
        location.error = None  # it can be looked at again; why it could not be read is known only by reading it
        await add_touches(session, [location.entity_ref])
    is_new = location.fingerprint != look.fingerprint
    location.fingerprint = look.fingerprint
    if look.has_seen_entry:
        location.missing_count = 0
    elif location.missing_count and not is_new:
        location.missing_count += 1  # the source is as it was when its entry was not there
    return is_new


async def note_wait(session: WriteSession, location_id: UUID) -> None:
    """Keep that a location was looked after, though its source was not asked."""
    location = await rows.lock_location(session, location_id)
    if location is not None:
        location.checked_at = now()


async def note_source(
    session: WriteSession,
    location_id: UUID,
    *,
    report: Mapping[str, Any],
    memos: Mapping[str, dict[str, Any] | None],
) -> None:
    """Keep what the source of a location reports, and what of its memory changed."""
    location = await rows.lock_location(session, location_id)
    if location is not None:
        location.report = dict(report)
        await rows.keep_memos(session, location_id, memos)


async def remember(session: WriteSession, location_id: UUID, key: str, value: dict[str, Any]) -> None:
    """Have the source of a location know something at its next look."""
    if await rows.lock_location(session, location_id) is not None:
        await rows.keep_memos(session, location_id, {key: value})


async def remove_outdated(session: WriteSession) -> None:
    """Remove what is not kept any longer: locations that are long gone, old orphans, and deleted views."""
    at = now()
    await forget_deleted_views(session)
    for location in await rows.list_long_missing(session):
        await _remove_missing(session, location)
    await _remove_orphans(session, at)


async def _remove_missing(session: WriteSession, location: Location) -> None:
    """Remove a location whose entry is gone; one that the configuration names stays, without entities."""
    held = await entity_rows.list_held(session, location.id)
    if await list_used(session, [row.ref for row in held], without=location.id):
        return  # it defines kinds that entities elsewhere have
    if await find_configured(session, summarise_location(location)) is None:
        await remove_location(session, ACTOR, location.id)
        return
    if not held:
        return
    ledger = await Ledger.open(session, ACTOR, location_id=location.id)
    gone = await entity_rows.list_of_location(session, location.id)
    await remove_rows(session, ledger, gone)
    await ledger.close(subject=f"location:{location.id}")


async def _remove_orphans(session: WriteSession, at: datetime) -> None:
    if not await rows.list_old_orphans(session, at=at, limit=1):
        return
    ledger = await Ledger.open(session, ACTOR)
    old = await rows.list_old_orphans(session, at=at, limit=_ORPHANS_AT_ONCE)
    used = await list_used(session, [row.ref for row in old])
    found = [row for row in old if row.ref not in used]
    await remove_rows(session, ledger, found)
    for location_id, gone in groupby(found, key=lambda row: row.location_id):
        await record(
            session, ACTOR, action="catalog.orphans_removed", subject=f"location:{location_id}", entities=len([*gone])
        )
    await ledger.close(subject="catalog")
