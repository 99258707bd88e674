"""The step that reads a location, and the schedule that finds out which ones have changed."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from roadbed.catalog.errors import EntityInvalid, LocationUnreadable
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.harvest import Harvest
from roadbed.catalog.rules.index.entries import make_location
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.problems import ProblemCode
from roadbed.catalog.rules.sources import LocationRef, location_entity_ref
from roadbed.catalog.rules.targets import GitTarget, parse_git_target
from roadbed.catalog.service.apply import apply_harvest
from roadbed.catalog.service.locations import (
    INGEST,
    KnownFileRow,
    get_location,
    list_known_files,
    list_locations_of_push,
    list_locations_of_received_push,
    note_check,
    note_failure,
    refresh_location,
)
from roadbed.catalog.service.views import summarise_location
from roadbed.catalog.types import LocationSummary, LocationType
from roadbed.catalog.workflows.clones import clone_of, remove_forgotten
from roadbed.catalog.workflows.collect import Cancelled, Collector, KnownFile
from roadbed.catalog.workflows.git import (
    FETCH_SECONDS,
    MAX_BLOB_BYTES,
    GitRepository,
    check_place,
    find_newest_commit,
)
from roadbed.catalog.workflows.sources import FileSource, GitSource, OwnSource, Source
from roadbed.catalog.workflows.urls import UrlSource
from roadbed.core.actor import system_actor
from roadbed.core.db import Database, WriteSession
from roadbed.core.events import Envelope
from roadbed.core.outbound import Outbound
from roadbed.core.services import Services
from roadbed.kit.clock import now
from roadbed.kit.jsons import parse_json
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepKind
from roadbed.scm.contract import (
    Pushed,
    PushReceived,
    Repository,
    RepositoryNotFound,
    find_commit,
    get_repository,
    list_files,
    read_file,
)

log = structlog.get_logger(__name__)

INTERVAL = timedelta(minutes=2)
_LOGGED_PROBLEMS = 1000
_FILE_MODES = ("100644", "100755")


async def read_location(context: StepContext) -> Outcome:
    """Read a location and make its entities those that were found."""
    location_id = UUID(context.inputs["location_id"])
    began_at = now()
    async with context.database.read() as session:
        location = await get_location(session, location_id)
        known = await list_known_files(session, location_id)
    try:
        open_source = await _prepare(context.services, location)
        harvest = await asyncio.to_thread(_collect, context, location, known, open_source)
    except LocationUnreadable as error:
        async with context.database.write() as session:
            await note_failure(session, location_id, error, run_id=context.run_id)
        raise
    except Cancelled:
        return Skip("The run was cancelled.")
    _log(context, harvest)
    read = {"files": len(harvest.files), "revision": harvest.revision}
    async with context.database.write() as session:
        applied = await apply_harvest(
            session, context.actor, location_id, harvest, began_at=began_at, run_id=context.run_id
        )
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


def _collect(
    context: StepContext,
    location: LocationSummary,
    known: dict[str, KnownFileRow],
    open_source: Callable[[], Source],
) -> Harvest:
    return Collector(
        source=open_source(),
        origin=str(LocationRef(location.type, location.target)),
        known={path: KnownFile(row.digest, row.includes, row.targets) for path, row in known.items()},
        kinds=context.services.get(Kinds),
        is_cancelled=context.is_cancelled,
    ).collect()


async def _prepare(services: Services, location: LocationSummary) -> Callable[[], Source]:
    """Return what opens the source of a location, in a thread."""
    if location.type is LocationType.FILE:
        return partial(FileSource, location.target)
    if location.type is LocationType.URL:
        return partial(UrlSource, location.target, services.get(Outbound), asyncio.get_running_loop())
    target = parse_git_target(location.target)
    if target.own_repository is not None:
        own = await _open_own(services, target)
        return lambda: own
    settings = await check_place(services.get(Outbound), target.url)
    return partial(GitSource, target, GitRepository(clone_of(services, location.id), settings))


async def _open_own(services: Services, target: GitTarget) -> OwnSource:
    """Open a repository of Roadbed's own host."""
    repository, revision = await _find_own(services, target)
    if revision is None:
        raise _no_commit(target)
    entries = await list_files(services, repository, revision)
    blobs = {entry.path: entry.sha for entry in entries if entry.mode in _FILE_MODES}
    loop = asyncio.get_running_loop()

    def read_blob(path: str) -> bytes:
        reading = read_file(services, repository, revision, path, limit_bytes=MAX_BLOB_BYTES)
        return asyncio.run_coroutine_threadsafe(reading, loop).result(FETCH_SECONDS)

    return OwnSource(target, revision, blobs, read_blob)


async def _find_own(services: Services, target: GitTarget) -> tuple[Repository, str | None]:
    assert target.own_repository is not None
    try:
        async with services.get(Database).read() as session:
            repository = await get_repository(session, *target.own_repository)
    except RepositoryNotFound as error:
        raise LocationUnreadable(error.message, hint="It may have been deleted or renamed.") from error
    return repository, await find_commit(services, repository, target.branch or repository.default_branch)


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
    async with database.read() as session:
        due = [
            summarise_location(row) for row in await location_rows.list_due(session, before=now() - INTERVAL, limit=100)
        ]
    for location in due:
        await _refresh_if_changed(services, location)


async def _refresh_if_changed(services: Services, location: LocationSummary) -> None:
    database = services.get(Database)
    try:
        fingerprint = await _measure(services, location)
    except LocationUnreadable as error:
        async with database.write() as session:
            await note_failure(session, location.id, error)
        return
    async with database.write() as session:
        if await note_check(session, location.id, fingerprint):
            await refresh_location(session, system_actor("catalog"), location.id)


async def _measure(services: Services, location: LocationSummary) -> str:
    """Return what changes whenever the source of a location may have changed, without reading it."""
    if location.type is LocationType.GIT:
        target = parse_git_target(location.target)
        if target.own_repository is not None:
            newest = (await _find_own(services, target))[1]
        else:
            settings = await check_place(services.get(Outbound), target.url)
            newest = await asyncio.to_thread(find_newest_commit, target.url, target.branch, settings)
        if newest is None:
            raise _no_commit(target)
        return newest
    async with services.get(Database).read() as session:
        known = await list_known_files(session, location.id)
    paths = {path for name, file in known.items() for path in (name, *file.includes)}
    open_source = await _prepare(services, location)

    def measure() -> str:
        source = open_source()
        return source.fingerprint(paths | set(source.list_entries()))

    return await asyncio.to_thread(measure)


def _no_commit(target: GitTarget) -> LocationUnreadable:
    wanted = f"branch {target.branch}" if target.branch else "commit"
    return LocationUnreadable(f"{target.url} has no {wanted} yet.", hint="Push one.")
