"""Use cases of locations: register, refresh, remove, and what reading them needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.access import SERVER_FILES
from roadbed.catalog.errors import (
    LocationConfigured,
    LocationExists,
    LocationForbidden,
    LocationInvalid,
    LocationNotFound,
)
from roadbed.catalog.models import Location
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.repository import locations as rows
from roadbed.catalog.repository.touches import add_touches
from roadbed.catalog.rules.sources import OWN_REPOSITORIES, location_entity_ref
from roadbed.catalog.rules.targets import (
    Target,
    TargetError,
    find_own_url,
    parse_git_target,
    targets_of_document,
)
from roadbed.catalog.service.entities import remove_rows
from roadbed.catalog.service.ledger import Ledger
from roadbed.catalog.service.views import summarise_location
from roadbed.catalog.types import LocationSummary, LocationType
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor, ActorKind, system_actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.errors import RoadbedError
from roadbed.core.settings import Settings
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, find_run, start_run
from roadbed.scm.contract import Pushed, PushReceived, clone_url, find_repository, read_address

INGEST = "catalog.ingest"
CONFIGURATION = system_actor("configuration")


@dataclass(frozen=True)
class KnownFileRow:
    """A file as it was last read, as the database has it."""

    digest: str
    includes: Mapping[str, str]
    targets: tuple[Target, ...]


async def register_location(
    session: WriteSession, actor: Actor, *, type_: LocationType, target: str, parent_run_id: UUID | None = None
) -> tuple[LocationSummary, RunSummary]:
    """Register a location and start the run that reads it.

    Args:
        session: the transaction.
        actor: who registers; only some may have the server's own files read.
        type_: `file`: an absolute path or glob on the server; `git`: `url[#branch[:path or glob]]`; `url`: an
            http(s) address of a YAML file, which is looked at when it is read.
        target: see `type_`.
        parent_run_id: the run that this is a part of.

    Raises:
        LocationInvalid, LocationForbidden, LocationExists.
    """
    target = await _stored_target(session, type_, target)
    _check_target(session, actor, type_, target)
    existing = await rows.find_location_by_target(session, type_=type_, target=target)
    if existing is not None:
        raise LocationExists(
            f"{type_}:{target} is registered already.",
            hint="Refresh it instead.",
            location_id=str(existing.id),
        )
    location = Location(
        id=new_id(),
        type=type_,
        target=target,
        entity_ref=location_entity_ref(type_, target),
        created_at=now(),
        created_by=actor.label,
        checked_at=now(),
    )
    session.add(location)
    await session.flush()
    await record(
        session,
        actor,
        action="catalog.location_registered",
        subject=f"location:{location.id}",
        after={"type": type_, "target": target},
        target=target,
    )
    run = await _start(session, actor, location, parent_run_id)
    return summarise_location(location), run


async def register_configured_locations(session: WriteSession) -> None:
    """Register the locations of the configuration that are not registered yet.

    Raises:
        LocationInvalid: one of them is none; names it.
    """
    for wanted in session.services.get(Settings).catalog.locations:
        type_ = LocationType(wanted.type)
        try:
            await register_location(session, CONFIGURATION, type_=type_, target=wanted.target)
        except LocationExists:
            continue  # by an earlier start, or by somebody
        except LocationInvalid as error:
            raise LocationInvalid(
                f"ROADBED_CATALOG__LOCATIONS: {type_}:{wanted.target}: {error.message}", hint=error.hint
            ) from error


async def is_configured(session: ReadSession, location: LocationSummary) -> bool:
    """Tell whether a location stands in the configuration."""
    of_type = [wanted for wanted in session.services.get(Settings).catalog.locations if wanted.type == location.type]
    return location.target in [await _stored_target(session, wanted.type, wanted.target) for wanted in of_type]


async def refresh_location(
    session: WriteSession, actor: Actor, location_id: UUID, *, parent_run_id: UUID | None = None
) -> RunSummary:
    """Start a run that reads the location again, or return the one that has not begun yet.

    Raises:
        LocationNotFound: there is none.
    """
    location = await _lock(session, location_id)
    run = await find_run(session, location.run_id) if location.run_id else None
    if run is not None and run.started_at is None and not run.state.is_finished:
        return run
    return await _start(session, actor, location, parent_run_id)


async def remove_location(session: WriteSession, actor: Actor, location_id: UUID) -> int:
    """Remove a location and the entities that were read from it. Returns how many those were.

    Raises:
        LocationNotFound: there is none.
        LocationConfigured: it stands in the configuration.
    """
    ledger = await Ledger.open(session, actor, location_id=location_id)
    location = await _lock(session, location_id)
    if await is_configured(session, summarise_location(location)):
        raise LocationConfigured(
            f"{location.type}:{location.target} stands in the configuration of Roadbed.",
            hint="Take it out of catalog.locations (or of --location), start again, then remove it.",
        )
    gone = await entity_rows.list_of_location(session, location_id)
    await remove_rows(session, ledger, gone)
    await session.flush()
    await rows.delete_location(session, location_id)
    await add_touches(session, [location.entity_ref])
    await record(
        session,
        actor,
        action="catalog.location_removed",
        subject=f"location:{location_id}",
        before={"type": location.type, "target": location.target},
        target=location.target,
        entities=len(gone),
    )
    await ledger.close(subject=f"location:{location_id}")
    return len(gone)


async def get_location(session: ReadSession, location_id: UUID) -> LocationSummary:
    """Return a location.

    Raises:
        LocationNotFound: there is none.
    """
    row = await rows.find_location(session, location_id)
    if row is None:
        raise _not_found(location_id)
    return summarise_location(row)


async def list_foreign_locations(session: ReadSession) -> list[LocationSummary]:
    """Return all locations that are neither files of this server nor what Roadbed ships, in their order."""
    found = [summarise_location(row) for row in await rows.list_foreign(session)]
    return [location for location in found if not location.target.startswith(OWN_REPOSITORIES)]


async def move_location(session: WriteSession, actor: Actor, location_id: UUID, *, target: str) -> LocationSummary:
    """Have a location read from another target of its type; it stays the same location otherwise.

    Raises:
        LocationNotFound, LocationExists.
    """
    location = await _lock(session, location_id)
    other = await rows.find_location_by_target(session, type_=location.type, target=target)
    if other is not None and other.id != location_id:
        raise LocationExists(f"{location.type}:{target} is registered already.", hint="Remove one of them.")
    _check_target(session, actor, LocationType(location.type), target)
    before, location.target, location.fingerprint = location.target, target, None
    await add_touches(session, [location.entity_ref])
    await record(
        session,
        actor,
        action="catalog.location_moved",
        subject=f"location:{location_id}",
        before={"target": before},
        after={"target": target},
        target=target,
    )
    await _start(session, actor, location, None)
    return summarise_location(location)


async def list_known_files(session: ReadSession, location_id: UUID) -> dict[str, KnownFileRow]:
    """Return the files that were read last, with what their Location entities name."""
    targets: dict[str, list[Target]] = {}
    for row in await entity_rows.list_of_location(session, location_id, kind="Location"):
        if row.orphaned_at is None:
            targets.setdefault(row.file, []).extend(targets_of_document(row.ref, row.document, row.file, row.line))
    return {
        file.path: KnownFileRow(file.digest, file.includes, tuple(targets.get(file.path, ())))
        for file in await rows.list_files(session, location_id)
    }


async def note_failure(
    session: WriteSession, location_id: UUID, error: RoadbedError, *, run_id: UUID | None = None
) -> None:
    """Keep why a location could not be read, or not be looked at; what was read before stays."""
    location = await rows.lock_location(session, location_id)
    if location is not None:
        location.checked_at = now()
        await add_touches(session, [location.entity_ref])
        location.error = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint,
            "at": now().isoformat(),
            "run_id": str(run_id) if run_id else None,
        }


async def note_check(session: WriteSession, location_id: UUID, fingerprint: str) -> bool:
    """Keep that a location was looked at, and tell whether it is to be read: once for each state of its source."""
    location = await rows.lock_location(session, location_id)
    if location is None:
        return False
    location.checked_at = now()
    if location.error is not None and location.error["run_id"] is None:
        location.error = None  # it can be looked at again; why it could not be read is known only by reading it
        await add_touches(session, [location.entity_ref])
    is_new = location.fingerprint != fingerprint
    location.fingerprint = fingerprint
    return is_new


async def _stored_target(session: ReadSession, type_: str, target: str) -> str:
    """Return a target as a location keeps it."""
    target = target.strip()
    return await _name_own_repository(session, target) if type_ == LocationType.GIT else target


async def _name_own_repository(session: ReadSession, target: str) -> str:
    """Return the lasting name of a repository of Roadbed's own host, other targets as they are."""
    url, hash_, rest = target.partition("#")
    named = find_own_url(url)
    repository = await find_repository(session, *named) if named else None
    if repository is None or clone_url(session.services, repository) != url.rstrip("/").removesuffix(".git") + ".git":
        return target
    return f"roadbed:{repository.full_name}{hash_}{rest}"


async def list_locations_of_push(session: ReadSession, pushed: Pushed) -> list[LocationSummary]:
    """Return the locations that read the branch that was pushed to."""
    found = []
    for row in await rows.list_by_prefix(session, f"roadbed:{pushed.owner}/{pushed.repository}"):
        target = parse_git_target(row.target)
        is_meant = pushed.is_default_branch if target.branch is None else target.branch == pushed.branch
        if target.own_repository == (pushed.owner, pushed.repository) and is_meant:
            found.append(summarise_location(row))
    return found


async def list_locations_of_received_push(session: ReadSession, pushed: PushReceived) -> list[LocationSummary]:
    """Return the locations that read a branch of a repository elsewhere, whichever of its addresses they name."""
    told = read_address(pushed.url)
    found = []
    for row in await rows.list_by_prefix(session, ""):
        target = parse_git_target(row.target)
        address = read_address(target.url)
        is_meant = pushed.is_default_branch if target.branch is None else target.branch == pushed.branch
        if address is not None and told is not None and address.key == told.key and is_meant:
            found.append(summarise_location(row))
    return found


def _check_target(session: ReadSession, actor: Actor, type_: LocationType, target: str) -> None:
    is_local = type_ is LocationType.FILE
    if type_ is LocationType.GIT:
        try:
            is_local = parse_git_target(target).is_local
        except TargetError as error:
            raise LocationInvalid(f"This location cannot be read: {error}.", hint="Give URL#branch:path.") from error
    elif is_local and not target.startswith("/"):
        raise LocationInvalid(
            f"{target!r} is not an absolute path.", hint="Give the whole path, such as /srv/catalog/*.yaml."
        )
    if (
        is_local
        and actor.kind is not ActorKind.SYSTEM
        and not session.services.get(DeciderService).has(actor, SERVER_FILES)
    ):
        raise LocationForbidden(
            "You may not have files of the server read into the catalog.",
            hint=f"It needs {SERVER_FILES.name}. Put the files into a git repository, or ask a platform engineer.",
            permission=SERVER_FILES.name,
        )


async def _start(session: WriteSession, actor: Actor, location: Location, parent_run_id: UUID | None) -> RunSummary:
    inputs: dict[str, Any] = {"location_id": str(location.id)}
    run = await start_run(
        session,
        actor,
        RunPlan(
            kind=INGEST,
            title=f"Read {_shorten(location.target)}",
            steps=[StepPlan("read", "Read entities", INGEST, inputs)],
            subject=f"location:{location.id}",
            inputs=inputs,
            parent_run_id=parent_run_id,
        ),
    )
    location.run_id = run.id
    return run


def _shorten(target: str) -> str:
    return target if len(target) <= 60 else "…" + target[-59:]


async def _lock(session: WriteSession, location_id: UUID) -> Location:
    location = await rows.lock_location(session, location_id)
    if location is None:
        raise _not_found(location_id)
    return location


def _not_found(location_id: UUID) -> LocationNotFound:
    return LocationNotFound(f"There is no location {location_id}.", hint="It may have been removed.")
