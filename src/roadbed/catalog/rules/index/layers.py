"""Indexes over one another: of the one below, what is hidden does not count, because the one above says it anew.

Lists of the catalog as it is have one layer. As it was once, they have two: the index itself without what has changed
since, and over it an index of what that was then.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import orjson
from pyroaring import BitMap

from roadbed.catalog.rules.index import filters
from roadbed.catalog.rules.index.entries import TITLE
from roadbed.catalog.rules.index.index import Index, Place
from roadbed.catalog.rules.index.pages import Listing, Sorting
from roadbed.catalog.types import EntityFilter

_BY_TITLE = Sorting(TITLE)


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
    """Refs in the order of titles, how many there are in all, and the place behind which there are more."""

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

    def take(self, wanted: EntityFilter, limit: int, *, after: Place | None = None) -> Found:
        """Return the next refs by title, from behind a place."""
        total, rows, has_more = 0, [], False
        for layer in self._layers:
            selection = self._select(layer, wanted)
            found = Listing(layer.index, selection, _BY_TITLE).take(limit, after=after)
            total += len(selection)
            has_more |= found.has_more
            rows += [(_title_of(layer.index, number), layer.index.ref_of(number)) for number in found.numbers]
        if len(self._layers) > 1:
            rows.sort()
        shown = rows[:limit]
        is_whole = len(rows) <= limit and not has_more
        return Found([ref for _, ref in shown], total, None if is_whole or not shown else Place(*shown[-1]))

    def _select(self, layer: Layer, wanted: EntityFilter) -> BitMap:
        found = filters.select(layer.index, wanted, has=self.has if len(self._layers) > 1 else None)
        return found - layer.hidden if layer.hidden else found


def _title_of(index: Index, number: int) -> str:
    title: str = orjson.loads(index.record_of(number))["sort_key"]
    return title.lower()
