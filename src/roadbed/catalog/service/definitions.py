"""Definitions of APIs: their text in each stored version, what it says, and what changed from one version to the next.

Texts are read and compared in processes of their own; what was read last is kept, up to a size in all.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from roadbed.catalog.errors import DefinitionNotFound
from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.rules.definitions.formats import Format, find_format
from roadbed.catalog.rules.definitions.kept import KeptDefinition, unpack
from roadbed.catalog.rules.definitions.model import Broken
from roadbed.catalog.service.entities import not_found
from roadbed.catalog.service.views import summarise
from roadbed.catalog.types import EntitySummary
from roadbed.core.apart import Bounds, OutOfBounds, run_apart
from roadbed.core.db import ReadSession
from roadbed.kit.jsons import parse_json
from roadbed.kit.refs import EntityRef

T = TypeVar("T")
KIND = "API"
_WORK = "roadbed.catalog.rules.definitions.work"
_BOUNDS = Bounds(seconds=30, memory_bytes=2_000_000_000)
_AT_ONCE = 2
_KEPT_BYTES = 32_000_000
_MOST_KEPT = 500
_LOOKED_THROUGH = 200
_LARGE_CHARACTERS = 500_000


@dataclass(frozen=True)
class Version:
    """A version of a definition: the change that brought it."""

    position: int
    actor: str
    revision: str | None
    run_id: UUID | None
    at: datetime
    digest: str


@dataclass(frozen=True)
class DefinitionText:
    """The text of an API's definition, now or in a version; `type` is `spec.type`."""

    type: str
    text: str

    @property
    def format(self) -> Format | None:
        return find_format(self.type)

    @property
    def is_large(self) -> bool:
        """Whether reading it takes so long that somebody who waits should be told."""
        return len(self.text) > _LARGE_CHARACTERS


@dataclass(frozen=True)
class Api:
    """An API, its document without the definition; `text` is None where it has none, as a server with remotes only."""

    entity: EntitySummary
    text: DefinitionText | None


@dataclass(frozen=True)
class DefinitionChanges:
    """What changed from one version to the next.

    Args:
        changes: as JSON, those that break clients first; empty when one of the texts cannot be read.
        is_cut: whether there are more of them.
        broken: what is wrong with one of the texts.
        which: of them: `before` or `after`.
    """

    changes: Sequence[Mapping[str, Any]] = ()
    is_cut: bool = False
    broken: Broken | None = None
    which: str = ""

    def count(self, impact: str) -> int:
        return sum(change["impact"] == impact for change in self.changes)


@dataclass(frozen=True)
class Pending(Generic[T]):
    """What is being worked on, or was. It goes on also when nobody waits for it any more."""

    task: "asyncio.Task[tuple[T, int]]"

    @property
    def is_done(self) -> bool:
        return self.task.done()

    async def wait(self) -> T:
        return (await asyncio.shield(self.task))[0]


class DefinitionReader:
    """Reads definitions, each once while it is kept."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[str, asyncio.Task[tuple[Any, int]]] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def read(self, format_: Format, text: str) -> Pending[KeptDefinition | Broken]:
        """Begin to find out what a definition says, or what is wrong with it."""

        async def work() -> tuple[KeptDefinition | Broken, int]:
            written = await self._run("read", f"{format_.name}\n", text)
            if isinstance(written, Broken):
                return written, 0
            return await asyncio.to_thread(unpack, written), len(written)

        return self._once(f"{format_.name} {await _digest(text)}", work)

    async def compare(self, older: DefinitionText, newer: DefinitionText) -> Pending[DefinitionChanges] | None:
        """Begin to compare two definitions; None when they are of no format, or not of one, that is read."""
        format_, before, after = newer.format, older.text, newer.text
        if format_ is None or older.format is not format_:
            return None

        async def work() -> tuple[DefinitionChanges, int]:
            first = f"{format_.name} {len(before.encode())}\n"
            written = await self._run("tell_changes", first, before, after)
            if isinstance(written, Broken):
                return DefinitionChanges(broken=written, which="after"), 0
            told = parse_json(written)
            broken = Broken(**told["broken"]) if "broken" in told else None
            changes = DefinitionChanges(
                told.get("changes", ()), told.get("is_cut", False), broken, told.get("which", "")
            )
            return changes, len(written)

        return self._once(f"{format_.name} {await _digest(before)} {await _digest(after)}", work)

    async def _run(self, function: str, *texts: str) -> bytes | Broken:
        async with self._places:
            given = await asyncio.to_thread(lambda: b"".join(text.encode() for text in texts))
            try:
                return await run_apart(f"{_WORK}:{function}", given, bounds=_BOUNDS)
            except OutOfBounds as error:
                return Broken(reason=error.message, hint="Split the definition, or make it smaller.")

    def _once(self, key: str, work: Callable[[], Coroutine[Any, Any, tuple[T, int]]]) -> Pending[T]:
        """Return what is kept under a key; it is made by one for all that ask meanwhile."""
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(work(), name="catalog: read definition")
            self._tasks[key].add_done_callback(lambda done: self._settle(key, done))
        self._tasks.move_to_end(key)
        return Pending(self._tasks[key])

    def _settle(self, key: str, done: "asyncio.Task[tuple[Any, int]]") -> None:
        """Keep what was made, and let go of the oldest beyond what is kept; what failed is tried again."""
        if done.cancelled() or done.exception() is not None:
            del self._tasks[key]
            return
        self._sizes[key] = done.result()[1]
        for oldest in [key for key in self._tasks if key in self._sizes]:
            if sum(self._sizes.values()) <= _KEPT_BYTES and len(self._sizes) <= _MOST_KEPT:
                return
            del self._tasks[oldest], self._sizes[oldest]


async def _digest(text: str) -> str:
    return await asyncio.to_thread(lambda: hashlib.sha256(text.encode()).hexdigest())


async def get_api(session: ReadSession, ref: EntityRef) -> Api:
    """Return an API with its definition apart.

    Raises:
        EntityNotFound: there is no such entity.
        DefinitionNotFound: it is no API.
    """
    found = await entity_rows.find_defined(session, str(ref))
    if found is None:
        raise not_found(session, ref)
    if found.row.kind != KIND:
        raise DefinitionNotFound(f"{ref} has no definition.", hint="An entity of kind API has one.")
    entity = summarise(found.row, document=found.document)
    text = DefinitionText(entity.type or "", found.definition) if found.definition is not None else None
    return Api(entity, text)


async def get_text(session: ReadSession, api: Api, *, version: int | None = None) -> DefinitionText:
    """Return the definition of an API as it is, or as it was after a change.

    Raises:
        DefinitionNotFound: there is none.
    """
    if version is None:
        found = api.text
    else:
        row = await change_rows.find_definition(session, str(api.entity.ref), version)
        found = DefinitionText(row.type or "", row.text) if row is not None and row.text is not None else None
    if found is None:
        at = "" if version is None else f" in version {version}"
        raise DefinitionNotFound(f"{api.entity.ref} has no definition{at}.", hint="It stands in spec.definition.")
    return found


async def list_versions(session: ReadSession, ref: EntityRef) -> list[Version]:
    """Return the changes that brought another definition, newest first, among the newest changes of an API."""
    rows = await change_rows.list_definitions(session, str(ref), limit=_LOOKED_THROUGH)
    before = [*(row.digest for row in rows[1:]), None if len(rows) < _LOOKED_THROUGH else rows[-1].digest]
    return [
        Version(row.position, row.actor, row.revision, row.run_id, row.at, row.digest)
        for row, older in zip(rows, before, strict=True)
        if row.digest is not None and row.digest != older
    ]


@dataclass(frozen=True)
class Pair:
    """Two versions that are compared; `before` is None when there is none before."""

    versions: Sequence[Version]
    before: Version | None
    after: Version


async def find_pair(
    session: ReadSession, ref: EntityRef, *, version: int | None = None, since: int | None = None
) -> Pair:
    """Return which versions of a definition are to be compared.

    Args:
        session: to read with.
        ref: the API.
        version: the newer one; unset, the newest.
        since: the older one; unset, the one before.

    Raises:
        DefinitionNotFound: there is no such version.
    """
    versions = await list_versions(session, ref)
    after = next((one for one in versions if version in (None, one.position)), None)
    if after is None:
        raise DefinitionNotFound(f"{ref} has no such version of a definition.")
    older = [one for one in versions if one.position < after.position]
    before = next((one for one in older if since in (None, one.position)), None)
    if before is None and since is not None:
        raise DefinitionNotFound(f"{ref} has no version {since} of its definition before {after.position}.")
    return Pair(versions, before, after)


async def find_texts(session: ReadSession, api: Api, pair: Pair) -> tuple[DefinitionText, DefinitionText] | None:
    """Return the older and the newer text of a pair; None when there is no older one."""
    if pair.before is None:
        return None
    before = await get_text(session, api, version=pair.before.position)
    return before, await get_text(session, api, version=pair.after.position)
