"""Readers: how a location of each type is looked at and opened. Those of integrations come from `LOCATION_SOURCES`."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from roadbed.catalog.errors import LocationUnreadable
from roadbed.catalog.rules.targets import GitTarget, parse_git_target
from roadbed.catalog.service.location_options import find_location_source
from roadbed.catalog.types import LocationType, Look, Source, SourceContext, SourceReader
from roadbed.catalog.workflows.access import open_access
from roadbed.catalog.workflows.clones import clone_of
from roadbed.catalog.workflows.git import (
    FETCH_SECONDS,
    MAX_BLOB_BYTES,
    GitRepository,
    find_newest_commit,
)
from roadbed.catalog.workflows.sources import FileSource, GitSource, OwnSource
from roadbed.catalog.workflows.urls import UrlSource
from roadbed.core.db import Database
from roadbed.core.outbound import Outbound
from roadbed.core.services import Services
from roadbed.scm.contract import Repository, RepositoryNotFound, find_commit, get_repository, list_files, read_file

_FILE_MODES = ("100644", "100755")


def make_reader(context: SourceContext) -> SourceReader:
    """Return what reads a location of this type.

    Raises:
        LocationUnreadable: there is no such type any more.
    """
    location = context.location
    if location.type == LocationType.GIT:
        target = parse_git_target(location.target)
        return _GitReader(context, target) if target.own_repository is None else _OwnReader(context, target)
    if location.type == LocationType.FILE:
        return _FilesReader(context, partial(FileSource, location.target))
    if location.type == LocationType.URL:
        outbound, loop = context.services.get(Outbound), asyncio.get_running_loop()
        return _FilesReader(context, partial(UrlSource, location.target, outbound, loop))
    contributed = find_location_source(context.services, location.type)
    if contributed is None:
        raise LocationUnreadable(
            f"Nothing reads locations of type {location.type}.", hint="Is the plugin that reads them installed?"
        )
    return contributed.reader(context)


class _FilesReader:
    """Files that are looked at one by one: those of the server, and those behind addresses."""

    def __init__(self, context: SourceContext, open_source: Callable[[], Source]) -> None:
        self._known_paths = context.known_paths
        self._open = open_source

    async def look(self) -> Look:
        def measure() -> str:
            source = self._open()
            return source.fingerprint(self._known_paths | set(source.list_entries()))

        return Look(await asyncio.to_thread(measure), has_seen_entry=True)

    async def open(self) -> Callable[[], Source]:
        return self._open

    def report(self) -> dict[str, Any]:
        return {}


class _GitReader:
    """A branch of a repository elsewhere."""

    def __init__(self, context: SourceContext, target: GitTarget) -> None:
        self._services = context.services
        self._location = context.location
        self._target = target

    async def look(self) -> Look:
        access = await open_access(self._services, self._location, self._target)
        newest = await asyncio.to_thread(find_newest_commit, self._target.url, self._target.branch, access)
        if newest is None:
            raise _no_commit(self._target)
        return Look(newest, has_seen_entry=False)

    async def open(self) -> Callable[[], Source]:
        access = await open_access(self._services, self._location, self._target)
        repository = GitRepository(clone_of(self._services, self._location.id), access)
        return partial(GitSource, self._target, repository)

    def report(self) -> dict[str, Any]:
        return {}


class _OwnReader:
    """A branch of a repository of Roadbed's own host."""

    def __init__(self, context: SourceContext, target: GitTarget) -> None:
        self._services = context.services
        self._target = target

    async def look(self) -> Look:
        return Look((await _find_own(self._services, self._target))[1], has_seen_entry=False)

    async def open(self) -> Callable[[], Source]:
        own, _ = await open_own(self._services, self._target)
        return lambda: own

    def report(self) -> dict[str, Any]:
        return {}


async def open_own(services: Services, target: GitTarget) -> tuple[Source, str]:
    """Return the newest commit of a repository of Roadbed's own host as a source, and the branch that it is of.

    Raises:
        LocationUnreadable: there is no such repository, or no commit.
    """
    repository, revision = await _find_own(services, target)
    entries = await list_files(services, repository, revision)
    blobs = {entry.path: entry.sha for entry in entries if entry.mode in _FILE_MODES}
    loop = asyncio.get_running_loop()

    def read_blob(path: str) -> bytes:
        reading = read_file(services, repository, revision, path, limit_bytes=MAX_BLOB_BYTES)
        return asyncio.run_coroutine_threadsafe(reading, loop).result(FETCH_SECONDS)

    return OwnSource(target, revision, blobs, read_blob), target.branch or repository.default_branch


async def _find_own(services: Services, target: GitTarget) -> tuple[Repository, str]:
    assert target.own_repository is not None
    try:
        async with services.get(Database).read() as session:
            repository = await get_repository(session, *target.own_repository)
    except RepositoryNotFound as error:
        raise LocationUnreadable(error.message, hint="It may have been deleted or renamed.") from error
    newest = await find_commit(services, repository, target.branch or repository.default_branch)
    if newest is None:
        raise _no_commit(target)
    return repository, newest


def _no_commit(target: GitTarget) -> LocationUnreadable:
    wanted = f"branch {target.branch}" if target.branch else "commit"
    return LocationUnreadable(f"{target.url} has no {wanted} yet.", hint="Push one.")
