"""Use cases of locations: register, refresh, move, remove, and what reading them needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.access import KIND_WRITE, SERVER_FILES
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
from roadbed.catalog.service.kinds import require_unused
from roadbed.catalog.service.ledger import Ledger
from roadbed.catalog.service.location_options import (
    check_credential,
    check_options,
    find_location_source,
    require_move,
)
from roadbed.catalog.service.views import summarise_location
from roadbed.catalog.types import LocationOptions, LocationSummary, LocationType
from roadbed.core.access import DeciderService, Permission
from roadbed.core.actor import Actor, ActorKind, system_actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.settings import LocationSettings, Settings
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.runs.contract import RunPlan, RunState, RunSummary, StepPlan, find_run, start_run
from roadbed.scm.contract import Pushed, PushReceived, clone_url, find_repository, read_address

INGEST = "catalog.ingest"
CONFIGURATION = system_actor("configuration")


@dataclass(frozen=True)
class KnownFileRow:
    """A file as it was last read, as the database has it."""

    digest: str
    includes: Mapping[str, str]
    kinds: Mapping[str, str]
    targets: tuple[Target, ...]


async def register_location(
    session: WriteSession,
    actor: Actor,
    *,
    type_: str,
    target: str,
    options: LocationOptions = LocationOptions(),  # noqa: B008 - it is frozen
    parent_run_id: UUID | None = None,
) -> tuple[LocationSummary, RunSummary]:
    """Register a location and start the run that reads it.

    Args:
        session: the transaction.
        actor: who registers; only some may have the server's own files read, or stored secrets used.
        type_: `file`: an absolute path or glob on the server; `git`: `url[#branch[:path or glob]]`; `url`: an
            http(s) address of a YAML file, which is looked at when it is read; or a type of an integration.
        target: see `type_`.
        options: how it is looked after; whether it may define kinds is settled by whether `actor` may.
        parent_run_id: the run that this is a part of.

    Raises:
        LocationInvalid, LocationForbidden, LocationExists.
    """
    options = check_options(session.services, actor, type_, options)
    options = replace(options, may_define_kinds=_may(session, actor, KIND_WRITE))
    target = await stored_target(session, type_, target, options.source)
    check_target(session, actor, type_, target)
    check_credential(type_, target, options)
    existing = await rows.find_location_by_target(session, type_=type_, target=target)
    if existing is not None:
        raise LocationExists(
            f"{type_}:{target} is registered already.",
            hint="Refresh it instead.",
            location_id=str(existing.id),
        )
    location = _make_location(actor, type_, target, options)
    session.add(location)
    await session.flush()
    await record(
        session,
        actor,
        action="catalog.location_registered",
        subject=f"location:{location.id}",
        after={"type": type_, "target": target, **_columns(options)},
        target=target,
        may_define_kinds=options.may_define_kinds,
    )
    run = await _start(session, actor, location, parent_run_id)
    return summarise_location(location), run


def _make_location(actor: Actor, type_: str, target: str, options: LocationOptions) -> Location:
    return Location(
        id=new_id(),
        type=type_,
        target=target,
        entity_ref=location_entity_ref(type_, target),
        created_at=now(),
        created_by=actor.label,
        checked_at=now(),
        missing_count=0,
        report={},
        **_columns(options),
    )


async def register_configured_locations(session: WriteSession) -> None:
    """Register the locations of the configuration that are not registered yet, and bring all to its settings.

    Raises:
        LocationInvalid: one of them is none; names it.
    """
    for wanted in session.services.get(Settings).catalog.locations:
        try:
            await _put_configured(session, wanted)
        except LocationInvalid as error:
            raise LocationInvalid(
                f"ROADBED_CATALOG__LOCATIONS: {wanted.type}:{wanted.target}: {error.message}", hint=error.hint
            ) from error


async def _put_configured(session: WriteSession, wanted: LocationSettings) -> None:
    options = LocationOptions(
        allowed_kinds=None if wanted.allowed_kinds is None else tuple(wanted.allowed_kinds),
        interval_seconds=wanted.interval_seconds,
        remove_orphans_after_hours=wanted.remove_orphans_after_hours,
        remove_after_missing=wanted.remove_after_missing,
        source=wanted.source,
        may_define_kinds=True,
    )
    try:
        await register_location(session, CONFIGURATION, type_=wanted.type, target=wanted.target, options=options)
    except LocationExists as error:  # by an earlier start, or by somebody
        location = await lock_location(session, UUID(error.context["location_id"]))
        options = check_options(session.services, CONFIGURATION, wanted.type, options)
        if await put_options(session, CONFIGURATION, location, options):
            await refresh_location(session, CONFIGURATION, location.id)


async def find_configured(session: ReadSession, location: LocationSummary) -> LocationSettings | None:
    """Return what the configuration says of a location, when it stands there."""
    for wanted in session.services.get(Settings).catalog.locations:
        if wanted.type == location.type:
            target = await stored_target(session, wanted.type, wanted.target, wanted.source)
            if target == location.target:
                return wanted
    return None


async def put_options(session: WriteSession, actor: Actor, location: Location, options: LocationOptions) -> bool:
    """Make checked options those of a location; tells whether they were others.

    Raises:
        LocationInvalid: its credential would be sent in clear.
    """
    check_credential(location.type, location.target, options)
    before, after = _columns(summarise_location(location).options), _columns(options)
    if before == after:
        return False
    for name, value in after.items():
        setattr(location, name, value)
    await record(
        session,
        actor,
        action="catalog.location_changed",
        subject=f"location:{location.id}",
        before=before,
        after=after,
        target=location.target,
        may_define_kinds=options.may_define_kinds,
    )
    return True


async def refresh_location(
    session: WriteSession, actor: Actor, location_id: UUID, *, parent_run_id: UUID | None = None
) -> RunSummary:
    """Start a run that reads the location again, or return the one that has not begun yet, or waits for its source.

    Raises:
        LocationNotFound: there is none.
    """
    location = await lock_location(session, location_id)
    run = await find_run(session, location.run_id) if location.run_id else None
    has_not_begun = run is not None and run.started_at is None and not run.state.is_finished
    if run is not None and (has_not_begun or run.state is RunState.WAITING):
        return run
    return await _start(session, actor, location, parent_run_id)


async def remove_location(session: WriteSession, actor: Actor, location_id: UUID) -> int:
    """Remove a location and the entities that were read from it. Returns how many those were.

    Raises:
        LocationNotFound: there is none.
        LocationConfigured: it stands in the configuration.
        KindInUse: it defines a kind that has entities elsewhere.
    """
    ledger = await Ledger.open(session, actor, location_id=location_id)
    location = await lock_location(session, location_id)
    if await find_configured(session, summarise_location(location)) is not None:
        raise LocationConfigured(
            f"{location.type}:{location.target} stands in the configuration of Roadbed.",
            hint="Take it out of catalog.locations (or of --location), start again, then remove it.",
        )
    gone = await entity_rows.list_of_location(session, location_id)
    await require_unused(session, [row.ref for row in gone], without=location_id)
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

    What stood at the old target might define kinds by the word of somebody who may: it still does if `actor` may, too.

    Raises:
        LocationNotFound, LocationExists.
    """
    location = await lock_location(session, location_id)
    other = await rows.find_location_by_target(session, type_=location.type, target=target)
    if other is not None and other.id != location_id:
        raise LocationExists(f"{location.type}:{target} is registered already.", hint="Remove one of them.")
    require_move(session.services, actor, summarise_location(location).options)
    check_target(session, actor, location.type, target)
    check_credential(location.type, target, summarise_location(location).options)
    before = {"target": location.target, "may_define_kinds": location.may_define_kinds}
    location.target, location.fingerprint = target, None
    location.may_define_kinds = location.may_define_kinds and _may(session, actor, KIND_WRITE)
    await add_touches(session, [location.entity_ref])
    await record(
        session,
        actor,
        action="catalog.location_moved",
        subject=f"location:{location_id}",
        before=before,
        after={"target": target, "may_define_kinds": location.may_define_kinds},
        target=target,
        may_define_kinds=location.may_define_kinds,
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
        file.path: KnownFileRow(file.digest, file.includes, file.kinds, tuple(targets.get(file.path, ())))
        for file in await rows.list_files(session, location_id)
    }


async def stored_target(session: ReadSession, type_: str, target: str, source: Mapping[str, Any]) -> str:
    """Return a target as a location keeps it."""
    target = target.strip()
    contributed = find_location_source(session.services, type_)
    if contributed is not None:
        return contributed.check(target, source)
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


def check_target(session: ReadSession, actor: Actor, type_: str, target: str) -> None:
    """Raise unless a target can be read, and the actor may have it read.

    Raises:
        LocationInvalid, LocationForbidden.
    """
    is_local = type_ == LocationType.FILE
    if type_ == LocationType.GIT:
        try:
            is_local = parse_git_target(target).is_local
        except TargetError as error:
            raise LocationInvalid(f"This location cannot be read: {error}.", hint="Give URL#branch:path.") from error
    elif is_local and not target.startswith("/"):
        raise LocationInvalid(
            f"{target!r} is not an absolute path.", hint="Give the whole path, such as /srv/catalog/*.yaml."
        )
    if is_local and not _may(session, actor, SERVER_FILES):
        raise LocationForbidden(
            "You may not have files of the server read into the catalog.",
            hint=f"It needs {SERVER_FILES.name}. Put the files into a git repository, or ask a platform engineer.",
            permission=SERVER_FILES.name,
        )


def _columns(options: LocationOptions) -> dict[str, Any]:
    return {
        "allowed_kinds": None if options.allowed_kinds is None else list(options.allowed_kinds),
        "interval_seconds": options.interval_seconds,
        "remove_orphans_after_hours": options.remove_orphans_after_hours,
        "remove_after_missing": options.remove_after_missing,
        "source": dict(options.source),
        "may_define_kinds": options.may_define_kinds,
    }


def _may(session: ReadSession, actor: Actor, permission: Permission) -> bool:
    return actor.kind is ActorKind.SYSTEM or session.services.get(DeciderService).has(actor, permission)


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


async def lock_location(session: WriteSession, location_id: UUID) -> Location:
    """Return a location that nobody else changes until the end of the transaction.

    Raises:
        LocationNotFound: there is none.
    """
    location = await rows.lock_location(session, location_id)
    if location is None:
        raise _not_found(location_id)
    return location


def _not_found(location_id: UUID) -> LocationNotFound:
    return LocationNotFound(f"There is no location {location_id}.", hint="It may have been removed.")
