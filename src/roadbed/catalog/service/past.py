"""The catalog as it was at a time: the index without what has changed since, and beside it what that was then.

So it costs as much as has changed since, not as much as there is, and the same filters, orders and counts hold for
both. What was asked for last is kept, and follows what changes meanwhile.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.rules.index.entries import make_entry, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.layers import Layer, Layers
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.past import PastPiece, read_piece, read_versions
from roadbed.catalog.rules.relations import Edge
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.sight import Views
from roadbed.core.db import ReadSession
from roadbed.core.workers import open_workers

MOST_KEPT = 20_000
"""Entities of all moments that are kept; the one asked for last is kept whatever it holds."""
MOST_MOMENTS = 8
FEW = 1000
"""Up to so many entities are read before workers would have started."""
_PIECE = 100
_PIECE_APART = 500
_AHEAD = 4


class PastCatalog:
    """What the entities that have changed since a position were at it."""

    def __init__(self, position: int, *, kinds: Kinds, turns: asyncio.Lock) -> None:
        """Begin with nothing changed; `turns` lets those who need workers go one after the other."""
        self.position = position
        self.changed: set[str] = set()
        self.index = Index(read_rows)
        self._views = Views()
        self._kinds = kinds
        self._edges: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._followed = position
        self._lock = asyncio.Lock()
        self._turns = turns

    async def follow(self, session: ReadSession) -> None:
        """Take in what has changed since the last time."""
        async with self._lock:
            newest = await change_rows.find_position(session)
            if newest == self._followed:
                return
            refs = await change_rows.list_refs_between(session, after=self._followed, until=newest)
            new = [ref for ref in refs if ref not in self.changed]
            if len(new) > FEW:
                async with self._turns:
                    self.index = await self._load_apart(session, sorted(self.changed.union(new)))
                self.changed.update(new)
            elif self.changed:
                await self._put(session, new)
            else:
                self.index = await self._load(session, new)
                self.changed.update(new)
            self._followed = newest

    def over(self, index: Index) -> Layers:
        """Return the catalog as it was, over the index as it is."""
        numbers = (index.number_of(ref) for ref in self.changed)
        changed = BitMap(number for number in numbers if number is not None)
        return Layers((Layer(index, changed), Layer(self._views.of(self.index))))

    def relations_of(self, ref: str) -> set[tuple[str, str]]:
        """Return (type, target) of the relations that the changed entities declared then."""
        return self._edges.get(ref, set())

    async def _put(self, session: ReadSession, refs: Sequence[str]) -> None:
        for start in range(0, len(refs), _PIECE):
            piece = refs[start : start + _PIECE]
            held, edges = read_versions(await change_rows.list_versions(session, piece, self.position), self._kinds)
            for kept in held:
                self.index.put(make_entry(kept))
            self._note(edges)
            self.changed.update(piece)

    async def _load(self, session: ReadSession, refs: Sequence[str]) -> Index:
        index = Index(read_rows)
        for start in range(0, len(refs), _PIECE):
            versions = await change_rows.list_versions(session, refs[start : start + _PIECE], self.position)
            self._take(index, read_piece(versions, self._kinds, start=len(index)))
        index.finish_loading()
        return index

    async def _load_apart(self, session: ReadSession, refs: Sequence[str]) -> Index:
        """Load many by workers, which read one piece while the next one is fetched: others are answered meanwhile."""
        index, count = Index(read_rows), 0
        waiting: deque[Future[PastPiece]] = deque()
        async with open_workers("roadbed.catalog.rules.past") as workers:
            for start in range(0, len(refs), _PIECE_APART):
                versions = await change_rows.list_versions(session, refs[start : start + _PIECE_APART], self.position)
                waiting.append(workers.submit(read_piece, versions, self._kinds, start=count))
                count += len(versions)
                if len(waiting) > _AHEAD:
                    self._take(index, await asyncio.wrap_future(waiting.popleft()))
            while waiting:
                self._take(index, await asyncio.wrap_future(waiting.popleft()))
        await asyncio.to_thread(index.finish_loading)  # nobody else has it yet
        return index

    def _take(self, index: Index, piece: PastPiece) -> None:
        index.load(piece.entries)
        self._note(piece.edges)

    def _note(self, edges: Iterable[Edge]) -> None:
        for edge in edges:
            self._edges[edge.source].add((edge.type, edge.target))


@dataclass(frozen=True)
class Moment:
    """A time that was asked for, and the catalog as it was then."""

    at: datetime
    catalog: PastCatalog

    @property
    def position(self) -> int:
        return self.catalog.position


class PastCatalogs:
    """The moments that were asked for last, the newest at the end."""

    def __init__(self) -> None:
        self._kept: dict[int, PastCatalog] = {}
        self._turns = asyncio.Lock()

    async def open(self, session: ReadSession, at: datetime) -> Moment:
        """Return the catalog as it was at a time."""
        position = await change_rows.find_position_at(session, at)
        past = self._kept.pop(position, None)
        if past is None:
            past = PastCatalog(position, kinds=session.services.get(Kinds), turns=self._turns)
        self._kept[position] = past
        await past.follow(session)
        while self._holds_too_many():
            del self._kept[next(iter(self._kept))]
        return Moment(at, past)

    def _holds_too_many(self) -> bool:
        held = sum(len(kept.index) for kept in self._kept.values())
        return len(self._kept) > 1 and (held > MOST_KEPT or len(self._kept) > MOST_MOMENTS)


async def open_moment(session: ReadSession, at: datetime | None) -> Moment | None:
    """Return the catalog as it was at a time; None stands for now."""
    return None if at is None else await session.services.get(PastCatalogs).open(session, at)


def layers_of(session: ReadSession, moment: Moment | None) -> Layers:
    """Return the entities as they were at a moment, or as they are."""
    index = session.services.get(CatalogIndex).index
    return Layers((Layer(index),)) if moment is None else moment.catalog.over(index)
