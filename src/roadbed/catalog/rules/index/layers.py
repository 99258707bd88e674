"""Indexes over one another: of the one below, what is hidden does not count, because the one above says it anew.

Lists of the catalog as it is have one layer. As it was once, they have two: the index itself without what has changed
since, and over it an index of what that was then.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pyroaring import BitMap

from roadbed.catalog.rules.index import filters
from roadbed.catalog.rules.index.entries import TITLE
from roadbed.catalog.rules.index.index import Index, Place
from roadbed.catalog.rules.index.pages import Listing, Sorting
from roadbed.catalog.types import EntityFilter

BY_TITLE = Sorting(TITLE)
_REST = "\0"
"""How the value of a place begins that is among those which have none in the order; no value does."""


@dataclass(frozen=True, slots=True)
class Layer:
    """An index; `hidden` are the numbers in it that do not count."""

    index: Index
    hidden: BitMap = field(default_factory=BitMap)

    def has(self, ref: str) -> bool:
        number = self.index.number_of(ref)
        return number is not None and number not in self.hidden


@dataclass(frozen=True, slots=True)
class Found:
    """Refs in order, how many there are in all, and the place behind which there are more."""

    refs: Sequence[str]
    total: int
    next: Place | None


class Layers:
    """The entities of all layers, each in one of them only."""

    def __init__(self, layers: Iterable[Layer]) -> None:
        self._layers = tuple(layers)

    def has(self, ref: str) -> bool:
        return any(layer.has(ref) for layer in self._layers)

    def count(self, wanted: EntityFilter) -> int:
        return sum(len(self._select(layer, wanted)) for layer in self._layers)

    def count_by(self, wanted: EntityFilter, name: str, *, limit: int) -> list[tuple[str, int]]:
        """Return the values of a field of the filter with their counts, most frequent first, without its own filter."""
        counts: Counter[str] = Counter()
        for layer in self._layers:
            counts.update(layer.index.facet(filters.KEYS[name], self._select(layer, wanted.without(name))))
        return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]

    def take(
        self, wanted: EntityFilter, limit: int, *, after: Place | None = None, sorting: Sorting = BY_TITLE
    ) -> Found:
        """Return the next refs in an order, from behind a place; what has no value in it comes last, by title."""
        selections = [(layer.index, self._select(layer, wanted)) for layer in self._layers]
        total = sum(len(selection) for _, selection in selections)
        places: list[Place] = []
        has_more = False
        if after is None or not after.value.startswith(_REST):
            places, has_more = _merge(selections, sorting, limit, after)
            after = None
        if not has_more and sorting.key != TITLE:
            rest = [(index, found - index.list_order(sorting.key or TITLE).members) for index, found in selections]
            behind = after and Place(after.value.removeprefix(_REST), after.ref)
            more, has_more = _merge(rest, BY_TITLE, limit - len(places), behind)
            places += [Place(_REST + place.value, place.ref) for place in more]
        return Found([place.ref for place in places], total, places[-1] if has_more and places else None)

    def _select(self, layer: Layer, wanted: EntityFilter) -> BitMap:
        found = filters.select(layer.index, wanted, has=self.has if len(self._layers) > 1 else None)
        return found - layer.hidden if layer.hidden else found


def _merge(
    selections: Sequence[tuple[Index, BitMap]], sorting: Sorting, limit: int, after: Place | None
) -> tuple[list[Place], bool]:
    """Return the next places of all indexes together, and whether there are more."""
    found: list[Place] = []
    has_more = False
    for index, selection in selections:
        places, is_cut = Listing(index, selection, sorting).take_places(limit, after=after)
        found += places
        has_more |= is_cut
    if len(selections) > 1:
        found.sort(key=lambda place: (place.value, place.ref), reverse=sorting.is_descending)
    return found[:limit], has_more or len(found) > limit
