"""The index of this process: filled at start, from a snapshot or the database, then following the catalog's changes.

Changes are followed by position, what happens beside them (statuses, faults) by transaction. Whoever writes wakes the
index of this process after the commit and waits for it; others are woken by NOTIFY, or look each second.
"""

import asyncio
import contextlib
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import orjson
import structlog

from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.repository import indexing as rows
from roadbed.catalog.repository import touches as touch_rows
from roadbed.catalog.rules.index.entries import TITLE, Kept, make_entry, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.ranks import CHANGED, SEVERITY
from roadbed.catalog.service.kinds import KindRegistry
from roadbed.catalog.service.loading import Loading
from roadbed.catalog.service.sight import Views, is_narrowed
from roadbed.catalog.service.snapshot import Progress, Snapshot
from roadbed.core.background import attempt
from roadbed.core.db import Database, ReadSession, outlast_losses, plan_anew
from roadbed.core.listen import listen
from roadbed.core.memory import release_memory

T = TypeVar("T")

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
WRITER_WAITS_SECONDS = 30.0
LOADED_SNAPSHOT_SECONDS = 30.0
SNAPSHOT_SECONDS = 900.0
_RANGE = 2500
_PIECE = 100
_CHANGES = 10_000
_FEW = 500
_READY_ORDERS = (TITLE, CHANGED, SEVERITY)
_ATTEMPTS = 5  # while it changes all the time, an order is built when somebody asks for it, and texts are searched


class CatalogIndex:
    """The index, and how far it has followed; the kinds in force follow with it."""

    def __init__(self, database: Database, kinds: KindRegistry, snapshot: Snapshot) -> None:
        self._database = database
        self._kinds = kinds
        self._snapshot = snapshot
        self.whole = Index(read_rows)
        self._views = Views()
        self.position = 0
        self._horizon = 0
        self._waker = asyncio.Event()
        self._moved = asyncio.Condition()

    @property
    def index(self) -> Index:
        """What the one who asks may see of it; ask anew for each question."""
        return self._views.of(self.whole)

    async def open(self) -> None:
        """Fill it at start, before anything else is there that comes and goes."""
        if not await self._restore():
            await self.load()
        gc.freeze()  # what was loaded stays: later collections need not walk it

    async def load(self) -> None:
        """Take in the whole catalog, as it is at one moment; until that is done the index stays what it was."""
        began = time.perf_counter()
        index = Index(read_rows)
        with _without_collections():
            async with self._database.read() as session, Loading(index, count=await rows.count_all(session)) as loading:
                await plan_anew(session)
                position = await change_rows.find_position(session)
                horizon = await touch_rows.find_horizon(session)
                await self._kinds.follow(session)
                await loading.take(await rows.list_locations(session))
                async for kept in rows.stream_all(session, size=_RANGE):
                    await loading.take(kept)
            await asyncio.to_thread(index.finish_loading)  # nobody else has it yet
        self.whole, self._horizon = index, horizon
        await self._move(position)
        release_memory()
        seconds = round(time.perf_counter() - began, 3)
        log.info("catalog.index_loaded", entities=len(self.whole), position=self.position, seconds=seconds)

    async def _restore(self) -> bool:
        """Take the snapshot, and what has changed since; False when there is none to use."""
        began = time.perf_counter()
        with _without_collections():
            async with self._database.read() as session:
                restored = await self._snapshot.restore(session)
                if restored is None:
                    return False
                await self._kinds.follow(session)
            self.whole, progress = restored
            self.position, self._horizon = progress.position, progress.horizon
            await self.catch_up()
        release_memory()
        seconds = round(time.perf_counter() - began, 3)
        log.info("catalog.index_restored", entities=len(self.whole), position=self.position, seconds=seconds)
        return True

    async def keep_snapshots(self) -> None:
        """Write a snapshot now and then, and soon after everything was loaded, until cancelled."""
        due = 0.0
        while True:
            await asyncio.sleep(LOADED_SNAPSHOT_SECONDS)
            if self._snapshot.is_of(self.whole) and time.monotonic() < due:
                continue
            due = time.monotonic() + SNAPSHOT_SECONDS
            await attempt(lambda: outlast_losses(self.write_snapshot), "catalog.snapshot_failed")

    async def keep_ready(self) -> None:
        """Have the orders of the list and the words of the search ready, whenever all was loaded, until cancelled."""
        ready: Index | None = None
        while True:
            ready = await self._wait_for_other(ready)
            for key in _READY_ORDERS:
                prepare = partial(_prepare, ready, partial(ready.build_order, key), partial(ready.keep_order, key))
                await attempt(prepare, "catalog.order_failed")
            await attempt(partial(_prepare, ready, ready.build_words, ready.keep_words), "catalog.words_failed")

    async def _wait_for_other(self, index: Index | None) -> Index:
        async with self._moved:
            await self._moved.wait_for(lambda: self.whole is not index)
        return self.whole

    async def write_snapshot(self) -> None:
        """Keep the index as it is now, for the next start."""
        await self._snapshot.write(self._database, self.whole, Progress(self.position, self._horizon))

    def wake(self) -> None:
        """Look for changes now."""
        self._waker.set()

    async def follow(self) -> None:
        """Follow the catalog until cancelled."""
        listening = asyncio.create_task(
            listen(self._database, touch_rows.CHANNEL, lambda _: self.wake()), name="catalog: listen"
        )
        try:
            while True:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._waker.wait(), POLL_SECONDS)
                self._waker.clear()
                await attempt(lambda: outlast_losses(self.catch_up), "catalog.index_failed")
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def wait_for(self, position: int, *, seconds: float = WRITER_WAITS_SECONDS) -> bool:
        """Wait until everything up to a position is in the index; False when that took too long."""
        self.wake()
        return await self.wait_beyond(position - 1, seconds=seconds)

    async def wait_beyond(self, position: int, *, seconds: float) -> bool:
        """Wait until a change behind a position is in the index; False when that took too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._moved:
                await self._moved.wait_for(lambda: self.position > position)
        return self.position > position

    async def catch_up(self) -> None:
        """Take in what has changed since the last time."""
        async with self._database.read() as session:
            changes = await rows.list_changed(session, after=self.position, limit=_CHANGES)
            horizon, touched = await touch_rows.list_touched(session, since=self._horizon)
            changed = list(dict.fromkeys(ref for _, ref in changes))
            are_many = len(changed) > max(_FEW, len(self.whole) // 4)
            if any(ref.startswith("kind:") for ref in changed):
                await self._kinds.follow(session)
            if (changed or touched) and not are_many:
                await plan_anew(session)
                neighbours: set[str] = set()
                await self._take(session, changed, neighbours=neighbours)
                await self._take(session, sorted((neighbours | set(touched)) - set(changed)))
        if are_many:
            await self.load()  # several times faster than putting one by one
            return
        self._horizon = horizon
        if changes:
            await self._move(changes[-1][0])
        if len(changes) == _CHANGES:
            self.wake()

    async def _move(self, position: int) -> None:
        async with self._moved:
            self.position = position
            self._moved.notify_all()

    async def _take(self, session: ReadSession, refs: Sequence[str], *, neighbours: set[str] | None = None) -> None:
        """Bring these entities to what the database says; collect those at the other end of changed relations."""
        for start in range(0, len(refs), _PIECE):
            piece = refs[start : start + _PIECE]
            found = {kept.ref: kept for kept in await rows.list_by_refs(session, piece)}
            found |= {kept.ref: kept for kept in await rows.list_locations(session, piece)}
            for ref in piece:
                kept = found.get(ref)
                if neighbours is not None:
                    neighbours |= self._changed_ends(ref, kept)
                if kept is None:
                    self.whole.remove(ref)
                else:
                    self.whole.put(make_entry(kept))

    def _changed_ends(self, ref: str, kept: Kept | None) -> set[str]:
        """Return the refs whose relations with an entity come or go: both ends of a relation show it."""
        document = self.whole.find(ref)
        before = orjson.loads(document)["relations"] if document else ()
        old = {(relation["type"], relation["targetRef"]) for relation in before}
        return {target for _, target in old.symmetric_difference(kept.list_relations() if kept else ())}


def sees(session: ReadSession, ref: str) -> bool:
    """Tell whether the one who asks may see an entity that there is."""
    return not is_narrowed() or session.services.get(CatalogIndex).index.has(ref)


async def _prepare(index: Index, build: Callable[[], T], keep: Callable[[T], None]) -> None:
    """Build something aside: it takes up to seconds of a large catalog, in which nobody else would be answered."""
    for _ in range(_ATTEMPTS):
        generation = index.generation
        made = await asyncio.to_thread(build)
        if index.generation == generation:
            keep(made)
            return


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """Keep the garbage collector off what stays: it would walk a growing heap again and again, and finds nothing."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
