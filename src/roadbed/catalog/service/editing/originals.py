"""Reading the file of an entity as it is now: to be edited, and what it names beside it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from roadbed.catalog.access import SERVER_FILES
from roadbed.catalog.errors import LocationUnreadable, SourceMissing
from roadbed.catalog.rules.documents import LIMITS
from roadbed.catalog.rules.placeholders import IncludeError
from roadbed.catalog.rules.sources import MANAGED_BY
from roadbed.catalog.rules.targets import TargetError, resolve
from roadbed.catalog.service.editing.origins import Origin
from roadbed.catalog.service.sight import is_narrowed
from roadbed.catalog.service.trees import LocationTrees
from roadbed.catalog.types import EntitySummary, LocationType
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.errors import RoadbedError
from roadbed.core.outbound import MAX_REDIRECTS, Outbound, OutboundRequest
from roadbed.core.services import Services
from roadbed.scm.contract import (
    FileContent,
    FileTooLarge,
    PathNotFound,
    Repository,
    find_commit,
    list_tree,
    read_file,
)

LIMIT_BYTES = LIMITS.size_bytes
_MOST_INCLUDES = 50
_INCLUDE_BYTES = 5_000_000
_READ_SECONDS = 30
NOT_READ = "files beside it are not read here"
_FILE_MODES = ("100644", "100755")


@dataclass(frozen=True)
class Original:
    """A file as it is now. `commit` names its state in a repository of the built-in host; it is empty elsewhere."""

    content: bytes
    commit: str = ""
    is_executable: bool = False

    def with_content(self, content: bytes) -> FileContent:
        return FileContent(content, is_executable=self.is_executable)


async def read_own(services: Services, repository: Repository, revision: str, path: str) -> Original:
    """Return a file of a repository of the built-in host.

    Raises:
        SourceMissing: there is no such file, or it is too large to be read into the catalog.
    """
    commit = await find_commit(services, repository, revision)
    if commit is None:
        raise SourceMissing(f"{repository.full_name} has no {revision} any more.", hint="Push it, or read it anew.")
    folder = path.rpartition("/")[0]
    try:
        entries = await list_tree(services, repository, commit, folder)
        entry = next((one for one in entries if one.path == path and one.mode in _FILE_MODES), None)
        if entry is None:
            raise _missing(path, repository)
        content = await read_file(services, repository, commit, path, limit_bytes=LIMIT_BYTES)
    except (PathNotFound, FileTooLarge) as error:
        raise _missing(path, repository) from error
    return Original(content, commit, is_executable=entry.mode == "100755")


async def read_elsewhere(services: Services, actor: Actor, origin: Origin, entity: EntitySummary) -> Original | None:
    """Return a file that Roadbed only reads; None where the actor may not see it, or it cannot be had cheaply."""
    location = origin.location
    if location is None or is_narrowed():  # whoever sees a part of the catalog could see more of it in the file
        return None
    if location.type == LocationType.URL:
        return await _fetch(services, entity.annotations.get(MANAGED_BY, "").removeprefix("url:"))
    is_local = location.type == LocationType.FILE or location.target.startswith("file:")
    if is_local and not services.get(DeciderService).has(actor, SERVER_FILES):
        return None
    if location.type not in (LocationType.GIT, LocationType.FILE):
        return None
    folder = origin.file.rpartition("/")[0]

    def read() -> bytes | None:
        tree = services.get(LocationTrees).open(location, folder)
        return tree.read(origin.file, limit_bytes=LIMIT_BYTES) if origin.file in tree.paths else None

    try:
        content = await asyncio.to_thread(read)
    except LocationUnreadable:
        return None
    return Original(content) if content is not None else None


async def _fetch(services: Services, url: str) -> Original | None:
    try:
        answer = await services.get(Outbound).send(OutboundRequest(url, max_redirects=MAX_REDIRECTS))
    except RoadbedError:
        return None
    return Original(answer.body) if answer.is_success else None


def make_include(services: Services, repository: Repository, commit: str, file: str) -> Callable[[str], bytes]:
    """Return what reads the files that placeholders of a file name; to be used in a thread."""
    loop = asyncio.get_running_loop()
    left = [_MOST_INCLUDES, _INCLUDE_BYTES]

    def include(target: str) -> bytes:
        if left[0] <= 0:
            raise IncludeError(f"more than {_MOST_INCLUDES} files are named")
        left[0] -= 1
        try:
            path = resolve(file, target)
            reading = read_file(services, repository, commit, path, limit_bytes=left[1])
            content = asyncio.run_coroutine_threadsafe(reading, loop).result(_READ_SECONDS)
        except TargetError as error:
            raise IncludeError(str(error)) from error
        except (PathNotFound, FileTooLarge) as error:
            raise IncludeError("there is no such file, or it is too large") from error
        left[1] -= len(content)
        return content

    return include


def refuse_include(_: str) -> bytes:
    """Stand in for a reader of files where the files beside are not read.

    Raises:
        IncludeError: always.
    """
    raise IncludeError(NOT_READ)


def _missing(path: str, repository: Repository) -> SourceMissing:
    return SourceMissing(
        f"There is no {path} in {repository.full_name} any more, or it is too large.", hint="Read the location again."
    )
