"""A column: all rows of one key, by value."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from pyroaring import BitMap

from roadbed.catalog.rules.index.orders import Order, Ref
from roadbed.catalog.rules.index.text import TextSearch

_LAST = "\U0010ffff"
Numbers = int | BitMap
"""The numbers of a value: most values belong to one entity, and an `int` is far smaller than a bitmap."""


class ColumnRows:
    """The rows of a column to be, collected in the order of numbers: adding to bitmaps one by one is slow.

    Values of one entity are apart from those of many: most are of one, and are never looked at each for itself.
    """

    __slots__ = ("exists", "many", "ones")

    def __init__(self) -> None:
        self.exists = array("I")
        self.ones: dict[str, int] = {}
        self.many: dict[str, array[int]] = {}

    def add(self, number: int, value: str) -> None:
        held = self.many.get(value)
        if held is not None:
            held.append(number)
            return
        one = self.ones.setdefault(value, number)
        if one != number:
            del self.ones[value]
            self.many[value] = array("I", (one, number))

    def share(self, numbers: Sequence[int], texts: dict[str, str] | None) -> None:
        """Hold the objects that others hold for what is equal: rows that come from elsewhere bring copies of all.

        Args:
            numbers: consecutive ones, all that there are in these rows.
            texts: those that are held, to which the values of these rows are added; None leaves these as they are.
        """
        start = numbers[0] if numbers else 0
        if texts is None:
            self.ones = {value: numbers[number - start] for value, number in self.ones.items()}
        else:
            share = texts.setdefault
            self.ones = {share(value, value): numbers[number - start] for value, number in self.ones.items()}
            self.many = {share(value, value): held for value, held in self.many.items()}

    def extend(self, other: "ColumnRows") -> None:
        """Add the rows of entities with higher numbers."""
        self.exists.extend(other.exists)
        ones, many = self.ones, self.many
        if ones.keys().isdisjoint(other.ones) and many.keys().isdisjoint(other.ones):
            ones.update(other.ones)
        else:
            for value, number in other.ones.items():
                self.add(number, value)
        for value, numbers in other.many.items():
            if value in many:
                many[value].extend(numbers)
            elif value in ones:
                many[value] = array("I", (ones.pop(value),)) + numbers
            else:
                many[value] = numbers


class Column:
    """The values of a key as they are spelt, each with the numbers of its entities.

    Orders are built when first asked for and kept current from then on; text search is built anew after a change.
    """

    __slots__ = ("_folded", "_order", "_ref", "_text", "exists", "values")

    def __init__(self, *, ref: Ref) -> None:
        """Begin empty; `ref` gives the ref of a number."""
        self.values: dict[str, Numbers] = {}
        self.exists = BitMap()
        # Values in lower case → how they are spelt, where that is not in lower case itself.
        self._folded: dict[str, list[str]] = {}
        self._order: Order | None = None
        self._text: tuple[TextSearch, list[Numbers]] | None = None  # and whose the values are
        self._ref = ref

    @classmethod
    def build(cls, rows: "ColumnRows", *, ref: Ref) -> "Column":
        """Make a column of many rows at once."""
        values: dict[str, Numbers] = {**rows.ones}
        values.update((value, BitMap(numbers)) for value, numbers in rows.many.items())
        return cls._of(values, exists=BitMap(rows.exists), ref=ref)

    @classmethod
    def implied(cls, numbers: BitMap, value: str, held: "Column | None", *, ref: Ref) -> "Column":
        """Make a column, for one question, of what one holds and a value, in lower case, that entities have besides."""
        if held is None:
            return cls._of({value: numbers}, exists=numbers, ref=ref)
        values = {**held.values, value: union((numbers, held.values.get(value, BitMap())))}
        return cls._of(values, exists=numbers | held.exists, ref=ref)

    @classmethod
    def _of(cls, values: dict[str, Numbers], *, exists: BitMap, ref: Ref) -> "Column":
        column = cls(ref=ref)
        column.exists, column.values = exists, values
        for value in [value for value in values if value.lower() != value]:
            column._note_new(value)
        return column

    def add(self, number: int, value: str | None) -> None:
        self.exists.add(number)
        if value is None:
            return
        held = self.values.get(value)
        if held is None:
            self.values[value] = number
            self._note_new(value)
        elif isinstance(held, int):
            self.values[value] = BitMap((held, number))
            self._text = None
        else:
            held.add(number)
        if self._order is not None:
            self._order.add(value.lower(), number)

    def remove(self, number: int, value: str | None) -> None:
        """Take out one row; the caller ends with `forget` once all rows of the entity are out."""
        if value is None:
            return
        held = self.values[value]
        if isinstance(held, BitMap):
            held.remove(number)
        if isinstance(held, int) or not held:
            del self.values[value]
            self._note_gone(value)
        if self._order is not None:
            self._order.remove(value.lower(), number)

    def forget(self, number: int) -> None:
        self.exists.discard(number)

    def find(self, value: str) -> BitMap:
        """Return the numbers of the entities that have a value, given in lower case. Not to be changed."""
        found = self._spelt(value)
        return _bitmap(found[0]) if len(found) == 1 else union(found)

    def find_prefix(self, prefix: str) -> BitMap:
        order = self.order()
        start = bisect_left(order.values, prefix)
        end = bisect_left(order.values, prefix + _LAST)
        return BitMap(order.numbers[start:end])

    def find_text(self, term: str) -> BitMap:
        """Return the numbers of the entities with a value that holds a pattern, in lower case, as LIKE takes it."""
        if self._text is None:
            self._text = TextSearch(map(str.lower, self.values)), list(self.values.values())
        search, numbers = self._text
        return union(map(numbers.__getitem__, search.find(term)))

    def order(self) -> Order:
        if self._order is None:
            self._order = self.build_order()
        return self._order

    def build_order(self) -> Order:
        """Make an order of the values as they are, which is not kept; in any thread, as `Index.build_order`."""
        return Order(self._rows(), ref=self._ref)

    def keep_order(self, order: Order) -> None:
        """Take an order of the values as they are now."""
        self._order = order

    def facet(self, among: BitMap | None) -> dict[str, int]:
        """Return how many of the entities `among` (all when None) have each value; values nobody has are left out."""
        if among is None:
            return {value: 1 if isinstance(held, int) else len(held) for value, held in self.values.items()}
        counts = (
            (value, int(held in among) if isinstance(held, int) else held.intersection_cardinality(among))
            for value, held in self.values.items()
        )
        return {value: count for value, count in counts if count}

    def _rows(self) -> Iterator[tuple[str, int]]:
        for value, held in list(self.values.items()):
            lowered = value.lower()
            text = value if lowered == value else lowered  # the same object takes no memory
            if isinstance(held, int):
                yield text, held
            else:
                yield from ((text, number) for number in held.to_array())

    def _spelt(self, lowered: str) -> list[Numbers]:
        """Return the numbers of each spelling of a value."""
        spellings = self._folded.get(lowered)
        if spellings is None:
            held = self.values.get(lowered)
            return [] if held is None else [held]
        return [self.values[spelling] for spelling in spellings]

    def _note_new(self, value: str) -> None:
        self._text = None
        lowered = value.lower()
        if lowered != value:
            plain = [lowered] if lowered in self.values and lowered not in self._folded else []
            self._folded.setdefault(lowered, plain).append(value)
        elif lowered in self._folded:
            self._folded[lowered].append(value)

    def _note_gone(self, value: str) -> None:
        self._text = None
        lowered = value.lower()
        spellings = self._folded.get(lowered)
        if spellings is not None:
            spellings.remove(value)
            if spellings in ([], [lowered]):
                del self._folded[lowered]


def union(parts: Iterable[Numbers]) -> BitMap:
    """Return the numbers of all parts."""
    single: list[int] = []
    several: list[BitMap] = []
    for part in parts:
        if isinstance(part, int):
            single.append(part)
        else:
            several.append(part)
    found = BitMap(single)
    for bitmap in several:
        found |= bitmap
    return found


def _bitmap(held: Numbers) -> BitMap:
    return BitMap((held,)) if isinstance(held, int) else held
