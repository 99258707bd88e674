"""The catalog as it was at a time: the index without what has changed since, and beside it what that was then.

So it costs as much as has changed since, not as much as there is, and the same filters, orders and counts hold for
both. What was asked for last is kept, and follows what changes meanwhile.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pyroaring import BitMap

from roadbed.catalog.models import Change
from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.rules.index.entries import Kept, make_entry, make_piece, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.layers import Layer, Layers
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.relations import Edge
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.sight import Views
from roadbed.catalog.service.views import read_change
from roadbed.catalog.types import ChangeKind
from roadbed.core.db import ReadSession
from roadbed.kit.jsons import write_json

MOST_KEPT = 20_000
"""Entities of all moments that are kept; the one asked for last is kept whatever it holds."""
MOST_MOMENTS = 8
_PIECE = 100


class PastCatalog:
    """What the entities that have changed since a position were at it."""

    def __init__(self, position: int, *, kinds: Kinds) -> None:
        self.position = position
        self.changed: set[str] = set()
        self.index = Index(read_rows)
        self._views = Views()
        self._kinds = kinds
        self._edges: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._followed = position
        self._lock = asyncio.Lock()

    async def follow(self, session: ReadSession) -> None:
        """Take in what has changed since the last time."""
        async with self._lock:
            newest = await change_rows.find_position(session)
            if newest == self._followed:
                return
            refs = await change_rows.list_refs_between(session, after=self._followed, until=newest)
            new = [ref for ref in refs if ref not in self.changed]
            is_first = not self.changed
            index = Index(read_rows) if is_first else self.index
            for start in range(0, len(new), _PIECE):
                piece = new[start : start + _PIECE]
                held = self._read(await change_rows.list_as_of(session, piece, self.position))
                if is_first:
                    index.load(make_piece(held, start=len(index)))
                else:
                    for kept in held:
                        index.put(make_entry(kept))
            if is_first:
                index.finish_loading()
            self.index = index
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

    def _read(self, changes: Iterable[Change]) -> Sequence[Kept]:
        found = []
        for change in changes:
            entity = read_change(change, self._kinds) if change.change != ChangeKind.DELETED else None
            if entity is None:
                continue
            is_orphan = change.change == ChangeKind.ORPHANED
            if not is_orphan:
                self._note(entity.edges)
            record = {
                "title": entity.title,
                "sort_key": entity.title.strip().lower()[:200],
                "owner": entity.owner,
                "system": entity.system,
                "location_id": str(change.location_id) if change.location_id else None,
                "updated_at": change.at,
                "orphaned_at": change.at if is_orphan else None,
            }
            written = write_json(change.document)
            found.append(Kept(str(change.entity_id), change.ref, written, change.digest, record))
        return found

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

    async def open(self, session: ReadSession, at: datetime) -> Moment:
        """Return the catalog as it was at a time."""
        position = await change_rows.find_position_at(session, at)
        past = self._kept.pop(position, None) or PastCatalog(position, kinds=session.services.get(Kinds))
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
