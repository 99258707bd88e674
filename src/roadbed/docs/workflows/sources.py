"""The files of a site: of a repository of the built-in host, or of a location of the catalog."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from roadbed.catalog.contract import (
    LocationTree,
    LocationTrees,
    LocationUnreadable,
    get_location,
)
from roadbed.core.db import Database
from roadbed.core.errors import NotFound
from roadbed.core.services import Services
from roadbed.docs.errors import SourceUnreadable
from roadbed.docs.types import SiteSource
from roadbed.scm.contract import Repository, find_commit, get_repository_by_id, list_files, read_entries

PAGE_BYTES = 2_000_000
PAGES_BYTES = 100_000_000
FILE_BYTES = 10_000_000
FILES_BYTES = 200_000_000
_FILE_MODES = ("100644", "100755")
Read = Callable[[Collection[str], int, int], Awaitable[dict[str, bytes]]]


@dataclass(frozen=True)
class Tree:
    """The files of a source as they were at one moment. Links and submodules are not among them.

    Args:
        revision: the commit; of files of the server, what changes with any of them.
        paths: of all files.
        read: gives the content of files, without those longer than the first limit, until all have the second one.
        repository: the repository, when it is one of the built-in host.
    """

    revision: str
    paths: frozenset[str]
    read: Read
    repository: Repository | None = None


async def open_tree(services: Services, source: SiteSource) -> Tree:
    """Open the files of a source, without fetching anything.

    Raises:
        SourceUnreadable: it is gone, or empty.
    """
    try:
        if source.repository_id is not None:
            return await _open_repository(services, source)
        return await _open_location(services, source)
    except (NotFound, LocationUnreadable) as error:
        raise SourceUnreadable(error.message, hint=error.hint) from error


async def _open_repository(services: Services, source: SiteSource) -> Tree:
    assert source.repository_id is not None
    async with services.get(Database).read() as session:
        repository = await get_repository_by_id(session, source.repository_id)
    branch = source.branch or repository.default_branch
    revision = await find_commit(services, repository, branch)
    if revision is None:
        raise SourceUnreadable(f"{repository.full_name} has no branch {branch}.", hint="Push to it.")
    found = await list_files(services, repository, revision)
    entries = {entry.path: entry for entry in found if entry.mode in _FILE_MODES}

    async def read(paths: Collection[str], limit_bytes: int, total_bytes: int) -> dict[str, bytes]:
        chosen, left = [], total_bytes
        for path in paths:
            size_bytes = entries[path].size_bytes or 0
            if size_bytes <= min(limit_bytes, left):
                chosen.append(entries[path])
                left -= size_bytes
        return {path: file.data for path, file in (await read_entries(services, repository, chosen)).items()}

    return Tree(revision, frozenset(entries), read, repository)


async def _open_location(services: Services, source: SiteSource) -> Tree:
    assert source.location_id is not None
    async with services.get(Database).read() as session:
        location = await get_location(session, source.location_id)
    tree = await asyncio.to_thread(services.get(LocationTrees).open, location, source.folder)

    async def read(paths: Collection[str], limit_bytes: int, total_bytes: int) -> dict[str, bytes]:
        return await asyncio.to_thread(_read_all, tree, paths, limit_bytes, total_bytes)

    return Tree(tree.revision, tree.paths, read)


def _read_all(tree: LocationTree, paths: Collection[str], limit_bytes: int, total_bytes: int) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    left = total_bytes
    for path in paths:
        content = tree.read(path, limit_bytes=min(limit_bytes, left))
        if content is not None:
            found[path] = content
            left -= len(content)
    return found
