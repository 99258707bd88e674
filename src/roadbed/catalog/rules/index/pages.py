"""Pages: a stretch of an ordered selection, from the start or from a place, forwards or backwards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from pyroaring import BitMap

from roadbed.catalog.rules.index.index import Index, Place
from roadbed.catalog.rules.index.orders import BLOCK, Order, RankedOrder, ScatteredOrder

SPARSE = 16
"""Of a selection that holds fewer than one in this many entities the rows are sorted, instead of walked through."""


@dataclass(frozen=True, slots=True)
class Sorting:
    """By which key, in lower case; scattered when None. Entities without a value of the key are left out."""

    key: str | None = None
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Numbers in order, where they begin and end, and whether there are more in the direction that was walked."""

    numbers: Sequence[int]
    first: Place | None
    last: Place | None
    has_more: bool


class Listing:
    """A selection in an order."""

    def __init__(self, index: Index, selection: BitMap, sorting: Sorting) -> None:
        self._selection = selection
        self._is_descending = sorting.is_descending
        is_sparse = len(selection) * SPARSE < len(index)
        order: Order | RankedOrder | ScatteredOrder
        if sorting.key is None:
            order = index.scattered.select(selection) if is_sparse else index.scattered
        else:
            order = index.list_order(sorting.key)
            if is_sparse:
                order = order.select(selection)
        self._order = order
        self._is_whole = is_sparse or len(selection) == len(index)

    def count(self) -> int:
        """Return how many entities of the selection have a place in the order."""
        return self._selection.intersection_cardinality(self._order.members)

    def take(self, limit: int, *, after: Place | None = None, offset: int = 0) -> Stretch:
        """Return `limit` rows behind `after`, or from the start, leaving out the first `offset`."""
        return self._collect(self._places(after), limit, offset=offset)

    def take_places(self, limit: int, *, after: Place | None = None) -> tuple[list[Place], bool]:
        """Return the places of `limit` rows behind `after`, or from the start, and whether there are more."""
        found = self._find(self._places(after), limit + 1)
        return [Place(*self._order.place_at(place)) for place in found[:limit]], len(found) > limit

    def take_before(self, limit: int, before: Place) -> Stretch:
        """Return the `limit` rows just before a place, in the order of the listing."""
        if self._is_descending:
            places = range(self._behind(before), len(self._order))
        else:
            places = range(self._order.locate(before.value, before.ref) - 1, -1, -1)
        found = self._collect(places, limit)
        return Stretch(found.numbers[::-1], found.last, found.first, found.has_more)

    def _places(self, after: Place | None) -> range:
        size = len(self._order)
        if self._is_descending:
            start = size if after is None else self._order.locate(after.value, after.ref)
            return range(start - 1, -1, -1)
        return range(0 if after is None else self._behind(after), size)

    def _behind(self, place: Place) -> int:
        start = self._order.locate(place.value, place.ref)
        return start + (start < len(self._order) and self._order.place_at(start) == (place.value, place.ref))

    def _collect(self, places: range, limit: int, *, offset: int = 0) -> Stretch:
        wanted = offset + limit + 1
        found = self._find(places, wanted)
        shown = found[offset : offset + limit]
        return Stretch(
            [self._order.numbers[place] for place in shown],
            Place(*self._order.place_at(shown[0])) if shown else None,
            Place(*self._order.place_at(shown[-1])) if shown else None,
            has_more=len(found) == wanted,
        )

    def _find(self, places: range, wanted: int) -> list[int]:
        return list(places[:wanted] if self._is_whole else islice(self._hits(places), wanted))

    def _hits(self, places: range) -> Iterator[int]:
        """Yield the places of the selection among these; blocks without any are passed over."""
        numbers, blocks, selection = self._order.numbers, self._order.blocks, self._selection
        start = 0
        while start < len(places):
            block = places[start] // BLOCK
            end = block * BLOCK + BLOCK - 1 if places.step > 0 else block * BLOCK
            size = abs(end - places[start]) + 1
            if blocks[block].intersect(selection):
                yield from (place for place in places[start : start + size] if numbers[place] in selection)
            start += size
