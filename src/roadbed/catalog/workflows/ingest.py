"""The step that reads a location, and the schedule that finds out which ones have changed."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from roadbed.catalog.errors import EntityInvalid, KindsChanged, LocationNotFound, LocationUnreadable
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.harvest import Harvest
from roadbed.catalog.rules.index.entries import make_location
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.problems import ProblemCode
from roadbed.catalog.rules.sources import LocationRef, location_entity_ref
from roadbed.catalog.service.apply import apply_harvest
from roadbed.catalog.service.care import (
    INTERVAL_SECONDS,
    note_check,
    note_failure,
    note_source,
    note_wait,
    remove_outdated,
)
from roadbed.catalog.service.kinds import LocationKinds, find_kinds
from roadbed.catalog.service.location_options import allowed_kinds_of
from roadbed.catalog.service.locations import (
    INGEST,
    get_location,
    list_known_files,
    list_locations_of_push,
    list_locations_of_received_push,
    refresh_location,
)
from roadbed.catalog.types import Memory, ReadLater, Source, SourceContext, SourceReader
from roadbed.catalog.workflows.clones import remove_forgotten
from roadbed.catalog.workflows.collect import Cancelled, Collector, KnownFile, list_digests, seal
from roadbed.catalog.workflows.readers import make_reader
from roadbed.catalog.workflows.urls import UrlSource
from roadbed.core.actor import system_actor
from roadbed.core.db import Database, WriteSession
from roadbed.core.events import Envelope
from roadbed.core.outbound import Outbound
from roadbed.core.services import Services
from roadbed.kit.clock import now
from roadbed.kit.jsons import parse_json
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepKind, Wait
from roadbed.scm.contract import Pushed, PushReceived

log = structlog.get_logger(__name__)

_LOGGED_PROBLEMS = 1000
_ATTEMPTS = 4


async def read_location(context: StepContext) -> Outcome:
    """Read a location and make its entities those that were found."""
    location_id = UUID(context.inputs["location_id"])
    for attempt in range(_ATTEMPTS):
        try:
            return await _read(context, location_id)
        except KindsChanged:
            if attempt + 1 == _ATTEMPTS:
                raise
            context.log("Kinds have changed meanwhile; it is read again.")
    raise AssertionError  # the last attempt returns or raises


async def _read(context: StepContext, location_id: UUID) -> Outcome:
    began_at = now()
    look = await _open_look(context.services, location_id)
    reader: SourceReader | None = None
    try:
        reader = make_reader(look.context)
        harvest = await asyncio.to_thread(_collect, context, look, await reader.open())
    except LocationUnreadable as error:
        async with context.database.write() as session:
            await note_failure(session, location_id, error, run_id=context.run_id)
            await _keep(session, look, reader)
        raise
    except ReadLater as later:
        async with context.database.write() as session:
            await _keep(session, look, reader, waits=later)
        return Wait("time", f"location:{location_id}", note=later.reason, until=later.until)
    except Cancelled:
        return Skip("The run was cancelled.")
    _log(context, harvest)
    read = {"files": len(harvest.files), "revision": harvest.revision}
    async with context.database.write() as session:
        applied = await apply_harvest(
            session, context.actor, location_id, harvest, began_at=began_at, run_id=context.run_id
        )
        await _keep(session, look, reader)
        del harvest  # it may be large, and what follows the commit is the index taking it in
    for word in ("created", "updated", "orphaned", "errors"):
        context.log(f"{word}: {getattr(applied, word)}", stream="info")
    output = {
        **read,
        "created": applied.created,
        "updated": applied.updated,
        "restored": applied.restored,
        "orphaned": applied.orphaned,
        "unchanged": applied.unchanged,
        "errors": applied.errors,
    }
    return Done(output, note=applied.describe())


@dataclass(frozen=True)
class _OpenLook:
    """What is known of a location before it is looked at or read."""

    context: SourceContext
    files: Mapping[str, KnownFile]
    allowed_kinds: frozenset[str] | None
    kinds: LocationKinds


async def _open_look(services: Services, location_id: UUID) -> _OpenLook:
    async with services.get(Database).read() as session:
        location = await get_location(session, location_id)
        rows = await list_known_files(session, location_id)
        kinds = await find_kinds(session, location_id)
        memory = Memory(await location_rows.list_memos(session, location_id))
    allowed = allowed_kinds_of(services, location)
    files = {path: KnownFile(row.digest, row.includes, row.kinds, row.targets) for path, row in rows.items()}
    context = SourceContext(
        services=services,
        location=location,
        memory=memory,
        known_digests=list_digests(files, allowed, may_define_kinds=location.options.may_define_kinds),
        known_paths=frozenset(path for name, file in rows.items() for path in (name, *file.includes)),
    )
    return _OpenLook(context, files, allowed, kinds)


async def _keep(
    session: WriteSession, look: _OpenLook, reader: SourceReader | None, *, waits: ReadLater | None = None
) -> None:
    """Keep what the source remembers and reports."""
    report = reader.report() if reader is not None else {}
    if waits is not None:
        report |= {"waits_until": waits.until.isoformat(), "waits_for": waits.reason}
    await note_source(session, look.context.location.id, report=report, memos=look.context.memory.changes)


async def read_once(services: Services, target: str) -> list[dict[str, Any]]:
    """Return the documents that an address leads to, without keeping anything; in Backstage's order, the last first.

    Raises:
        LocationUnreadable: the address leads nowhere.
        EntityInvalid: something that it leads to is faulty.
    """
    loop = asyncio.get_running_loop()

    def read() -> Harvest:
        source = UrlSource(target, services.get(Outbound), loop)
        return Collector(source, f"url:{target}", {}, services.get(Kinds)).collect()

    harvest = await asyncio.to_thread(read)
    problems = [*(problem for file in harvest.files for problem in file.problems), *harvest.problems]
    faults = [problem for problem in problems if problem.is_error or problem.code is ProblemCode.TWICE]
    if faults:
        raise EntityInvalid(str(faults[0]), problems=[fault.as_dict() for fault in faults])
    entry, *others = harvest.files
    stands_for = make_location(location_entity_ref("url", target), uid="", type_="url", target=target, faults=())
    found = [entity for file in (entry, *others[::-1]) for entity in (file.entities or ())[::-1]]
    return [parse_json(stands_for.written), *(entity.document for entity in found)]


STEP = StepKind(INGEST, read_location, timeout_seconds=600, needs_host=True)


def _collect(context: StepContext, look: _OpenLook, open_source: Callable[[], Source]) -> Harvest:
    """Read everything; once more when that has defined kinds, for its other entities may be of them."""
    location = look.context.location
    collector = Collector(
        source=open_source(),
        origin=str(LocationRef(location.type, location.target)),
        known=look.files,
        kinds=look.kinds.in_force,
        allowed_kinds=look.allowed_kinds,
        may_define_kinds=location.options.may_define_kinds,
        is_cancelled=context.is_cancelled,
    )
    harvest = collector.collect()
    wider = look.kinds.with_those_of(harvest)
    return harvest if wider is look.kinds.in_force else replace(collector, kinds=wider).collect()


async def follow_push(session: WriteSession, envelope: Envelope[Pushed]) -> None:
    """Read the locations of a branch again after a push to it."""
    for location in await list_locations_of_push(session, envelope.event):
        await refresh_location(session, system_actor("catalog"), location.id)


async def follow_received_push(session: WriteSession, envelope: Envelope[PushReceived]) -> None:
    """Read the locations of a branch elsewhere again, when its host tells of a push to it."""
    for location in await list_locations_of_received_push(session, envelope.event):
        await refresh_location(session, system_actor("catalog"), location.id)


def _log(context: StepContext, harvest: Harvest) -> None:
    parsed = sum(file.entities is not None for file in harvest.files)
    revision = f" at {harvest.revision[:12]}" if harvest.revision else ""
    context.log(f"{len(harvest.files):,} files{revision}, {parsed:,} of them new or changed")
    problems = [*(problem for file in harvest.files for problem in file.problems), *harvest.problems]
    for problem in problems[:_LOGGED_PROBLEMS]:
        context.log(f"{problem.severity.value}: {problem}", stream="err" if problem.is_error else "info")
    if len(problems) > _LOGGED_PROBLEMS:
        context.log(f"and {len(problems) - _LOGGED_PROBLEMS:,} more problems; the page of the location has all")


async def refresh_changed(services: Services) -> None:
    """Look whether the sources of locations have changed, and start reading those that have."""
    await remove_forgotten(services)
    database = services.get(Database)
    async with database.write() as session:
        await remove_outdated(session)
    async with database.read() as session:
        due = await location_rows.list_due(session, at=now(), interval_seconds=INTERVAL_SECONDS, limit=100)
    for location_id in due:
        await _refresh_if_changed(services, location_id)


async def _refresh_if_changed(services: Services, location_id: UUID) -> None:
    database = services.get(Database)
    try:
        look = await _open_look(services, location_id)
    except LocationNotFound:
        return  # it was removed meanwhile
    reader: SourceReader | None = None
    try:
        reader = make_reader(look.context)
        seen = await reader.look()
    except LocationUnreadable as error:
        async with database.write() as session:
            await note_failure(session, location_id, error)
            await _keep(session, look, reader)
        return
    except ReadLater as later:
        async with database.write() as session:
            await note_wait(session, location_id)
            await _keep(session, look, reader, waits=later)
        return
    may_define = look.context.location.options.may_define_kinds
    seen = replace(seen, fingerprint=seal(seen.fingerprint, look.allowed_kinds, may_define_kinds=may_define))
    async with database.write() as session:
        await _keep(session, look, reader)
        if await note_check(session, location_id, seen):
            await refresh_location(session, system_actor("catalog"), location_id)
