"""Definitions of APIs: their text in each stored version, what it says, and what changed from one version to the next.

Texts are read and compared in processes of their own; what was read last is kept, up to a size in all.
"""

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from roadbed.catalog.errors import DefinitionNotFound
from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.rules.definitions.formats import Format, find_format
from roadbed.catalog.rules.definitions.kept import KeptDefinition, unpack
from roadbed.catalog.rules.definitions.model import Broken
from roadbed.catalog.types import EntitySummary
from roadbed.core.apart import Bounds, OutOfBounds, run_apart
from roadbed.core.db import ReadSession
from roadbed.kit.jsons import parse_json
from roadbed.kit.refs import EntityRef

KIND = "API"
_WORK = "roadbed.catalog.rules.definitions.work"
_BOUNDS = Bounds(seconds=30, memory_bytes=2_000_000_000)
_AT_ONCE = 2
_KEPT_BYTES = 32_000_000
_LOOKED_THROUGH = 200


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


class DefinitionReader:
    """Reads definitions, each once while it is kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, tuple[Any, int]] = OrderedDict()
        self._size_bytes = 0
        self._running: dict[str, asyncio.Task[tuple[Any, int]]] = {}
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def read(self, format_: Format, text: str) -> KeptDefinition | Broken:
        """Return what a definition says, or what is wrong with it."""

        async def work() -> tuple[KeptDefinition | Broken, int]:
            written = await self._run("read", f"{format_.name}\n", text)
            return (written, 0) if isinstance(written, Broken) else (unpack(written), len(written))

        found: KeptDefinition | Broken = await self._once(f"{format_.name} {await _digest(text)}", work)
        return found

    async def compare(self, older: DefinitionText, newer: DefinitionText) -> DefinitionChanges | None:
        """Return what changed between two definitions; None when they are of no format, or not of one, that is read."""
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

        key = f"{format_.name} {await _digest(before)} {await _digest(after)}"
        found: DefinitionChanges = await self._once(key, work)
        return found

    async def _run(self, function: str, *texts: str) -> bytes | Broken:
        given = b"".join(text.encode() for text in texts)
        async with self._places:
            try:
                return await run_apart(f"{_WORK}:{function}", given, bounds=_BOUNDS)
            except OutOfBounds as error:
                return Broken(reason=error.message, hint="Split the definition, or make it smaller.")

    async def _once(self, key: str, work: Callable[[], Awaitable[tuple[Any, int]]]) -> Any:
        """Return what is kept under a key, or have it made, by one for all that ask meanwhile."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(work())
            task.add_done_callback(lambda done: self._settle(key, done))
        return (await asyncio.shield(task))[0]

    def _settle(self, key: str, done: "asyncio.Task[tuple[Any, int]]") -> None:
        del self._running[key]
        if done.cancelled() or done.exception() is not None:
            return
        made, size = done.result()
        self._kept[key] = (made, size)
        self._size_bytes += size
        while self._size_bytes > _KEPT_BYTES:
            self._size_bytes -= self._kept.popitem(last=False)[1][1]


async def _digest(text: str) -> str:
    return await asyncio.to_thread(lambda: hashlib.sha256(text.encode()).hexdigest())


def find_text(entity: EntitySummary) -> DefinitionText | None:
    """Return the definition of an entity; None when it has none, as an MCP server with remotes only."""
    return _text_of(entity.document) if entity.ref.kind == KIND else None


def _text_of(document: Mapping[str, Any]) -> DefinitionText | None:
    spec = document["spec"]
    text = spec.get("definition")
    return DefinitionText(str(spec.get("type") or ""), text) if isinstance(text, str) else None


async def get_text(session: ReadSession, entity: EntitySummary, *, version: int | None = None) -> DefinitionText:
    """Return the definition of an API as it is, or as it was after a change.

    Raises:
        DefinitionNotFound: there is none.
    """
    if version is None:
        found = find_text(entity)
    else:
        change = await change_rows.find_change(session, str(entity.ref), version)
        found = _text_of(change.document) if change is not None else None
    if found is None:
        at = "" if version is None else f" in version {version}"
        raise DefinitionNotFound(
            f"{entity.ref} has no definition{at}.", hint="An entity of kind API has one in spec.definition."
        )
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
    session: ReadSession, entity: EntitySummary, *, version: int | None = None, since: int | None = None
) -> Pair:
    """Return which versions of a definition are to be compared.

    Args:
        session: to read with.
        entity: the API.
        version: the newer one; unset, the newest.
        since: the older one; unset, the one before.

    Raises:
        DefinitionNotFound: there is no such version.
    """
    versions = await list_versions(session, entity.ref)
    after = next((one for one in versions if version in (None, one.position)), None)
    if after is None:
        raise DefinitionNotFound(f"{entity.ref} has no such version of a definition.")
    older = [one for one in versions if one.position < after.position]
    before = next((one for one in older if since in (None, one.position)), None)
    if before is None and since is not None:
        raise DefinitionNotFound(f"{entity.ref} has no version {since} of its definition before {after.position}.")
    return Pair(versions, before, after)


async def find_texts(
    session: ReadSession, entity: EntitySummary, pair: Pair
) -> tuple[DefinitionText, DefinitionText] | None:
    """Return the older and the newer text of a pair; None when there is no older one."""
    if pair.before is None:
        return None
    before = await get_text(session, entity, version=pair.before.position)
    return before, await get_text(session, entity, version=pair.after.position)
