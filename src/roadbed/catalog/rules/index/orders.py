"""Orders of entities: parallel arrays of values and numbers, kept sorted while entities come and go.

Equal values are ordered by the ref of the entity, so that every process has the same order and a cursor means the same
everywhere.
"""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from hashlib import blake2b

from pyroaring import BitMap

Ref = Callable[[int], str]

BLOCK = 256
"""Rows of a block: what is in none of a selection is passed over as a whole."""
_NONE = -1


class _Rows:
    """The numbers of an order, and what follows from them: made when first asked for, and anew after a change."""

    __slots__ = ("_blocks", "_members", "_ref", "numbers")

    def __init__(self, numbers: Iterable[int], *, ref: Ref) -> None:
        self.numbers = array("I", numbers)
        self._members: BitMap | None = None
        self._blocks: list[BitMap] | None = None
        self._ref = ref

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def members(self) -> BitMap:
        """The numbers that have a row. Not to be changed."""
        if self._members is None:
            self._members = BitMap(self.numbers)
        return self._members

    @property
    def blocks(self) -> list[BitMap]:
        """The numbers of each `BLOCK` rows. Not to be changed."""
        if self._blocks is None:
            self._blocks = _cut(self.numbers)
        return self._blocks

    def _note_change(self) -> None:
        self._members = self._blocks = None


class Order(_Rows):
    """Rows (value, number). An entity with several values has several rows."""

    __slots__ = ("_by_number", "values")

    def __init__(self, rows: Iterable[tuple[str, int]], *, ref: Ref) -> None:
        """Sort `rows`; `ref` gives the ref of a number."""
        ordered = sorted([(value, ref(number), number) for value, number in rows])
        super().__init__([number for _, _, number in ordered], ref=ref)
        self.values = [value for value, _, _ in ordered]
        self._by_number: dict[int, str] | None = None

    def select(self, numbers: BitMap) -> "Order":
        """Return the order of these entities alone, without walking through all others."""
        by_number = self._by_number
        if by_number is None:
            by_number = self._by_number = dict(zip(self.numbers, self.values, strict=True))
        if len(by_number) != len(self.numbers):  # some have several values
            rows = [row for row in zip(self.values, self.numbers, strict=True) if row[1] in numbers]
        else:
            rows = [(by_number[number], number) for number in numbers if number in by_number]
        return Order(rows, ref=self._ref)

    def place_at(self, place: int) -> tuple[str, str]:
        """Return value and ref of the row at a place."""
        return self.values[place], self._ref(self.numbers[place])

    def add(self, value: str, number: int) -> None:
        place = self.locate(value, self._ref(number))
        self.values.insert(place, value)
        self.numbers.insert(place, number)
        self._note_change()
        if self._by_number is not None and self._by_number.setdefault(number, value) != value:
            self._by_number = None  # it has several values now

    def remove(self, value: str, number: int) -> None:
        place = self.locate(value, self._ref(number))
        del self.values[place]
        del self.numbers[place]
        self._note_change()
        if self._by_number is not None:
            if len(self._by_number) == len(self.numbers) + 1:
                del self._by_number[number]
            else:
                self._by_number = None

    def locate(self, value: str, ref: str) -> int:
        """Return the place of the first row that is not before (value, ref)."""
        low = bisect_left(self.values, value)
        high = bisect_right(self.values, value, lo=low)
        return bisect_left(self.numbers, ref, lo=low, hi=high, key=self._ref)


class ScatteredOrder(_Rows):
    """An order that has nothing to do with what entities are: walking it, members of any selection come soon.

    Its values are empty. It is the same in every process, as it follows from the refs alone.
    """

    __slots__ = ("_all", "_scatter")

    def __init__(self, numbers: BitMap, *, ref: Ref, scatter: Callable[[int], int]) -> None:
        """Begin empty; `numbers` are those of all entities that will be in it."""
        super().__init__((), ref=ref)
        self._all = numbers
        self._scatter = scatter

    @property
    def members(self) -> BitMap:
        return self._all

    def select(self, numbers: BitMap) -> "ScatteredOrder":
        """Return the order of these entities alone."""
        order = ScatteredOrder(numbers, ref=self._ref, scatter=self._scatter)
        order.extend(numbers)
        return order

    def place_at(self, place: int) -> tuple[str, str]:
        return "", self._ref(self.numbers[place])

    def add(self, number: int) -> None:
        self.numbers.insert(self.locate("", self._ref(number)), number)
        self._note_change()

    def extend(self, numbers: Iterable[int]) -> None:
        """Add many at once."""
        self.numbers = array("I", sorted([*self.numbers, *numbers], key=self._scatter))
        self._note_change()

    def remove(self, number: int) -> None:
        del self.numbers[self.locate("", self._ref(number))]
        self._note_change()

    def locate(self, _: str, ref: str) -> int:
        return bisect_left(self.numbers, scatter(ref), key=self._scatter)


class RankedOrder(_Rows):
    """An order by a whole number of each entity, which takes twelve bytes an entity whatever the numbers are.

    Its values, where a cursor holds one, are the numbers as texts that sort alike.
    """

    __slots__ = ("_ranks",)

    def __init__(self, ranks: "array[int]", numbers: Iterable[int], *, ref: Ref) -> None:
        """Sort `numbers` by their `ranks`, which are by number and negative where there is none."""
        by_ref = sorted([number for number in numbers if ranks[number] >= 0], key=ref)
        super().__init__(sorted(by_ref, key=ranks.__getitem__), ref=ref)
        self._ranks = ranks

    @classmethod
    def build(cls, ranks: Iterable[tuple[int, int | None]], *, size: int, ref: Ref) -> "RankedOrder":
        """Make an order of (number, rank), all numbers below `size`."""
        by_number = array("q", (_NONE,)) * size
        for number, rank in ranks:
            by_number[number] = _NONE if rank is None else rank
        return cls(by_number, range(size), ref=ref)

    def select(self, numbers: BitMap) -> "RankedOrder":
        """Return the order of these entities alone."""
        return RankedOrder(self._ranks, numbers & self.members, ref=self._ref)

    def place_at(self, place: int) -> tuple[str, str]:
        number = self.numbers[place]
        return self._value(number), self._ref(number)

    def put(self, number: int, rank: int | None) -> None:
        """Have an entity stand where its rank says; without one it has no place."""
        ranks, new = self._ranks, _NONE if rank is None else rank
        if number >= len(ranks):
            ranks.extend([_NONE] * (number + 1 - len(ranks)))
        if ranks[number] == new:
            return
        if ranks[number] != _NONE:
            del self.numbers[self._find(number)]
        ranks[number] = new
        if new != _NONE:
            self.numbers.insert(self._find(number), number)
        self._note_change()

    def locate(self, value: str, ref: str) -> int:
        """Return the place of the first row that is not before (value, ref)."""
        return bisect_left(self.numbers, (value, ref), key=lambda number: (self._value(number), self._ref(number)))

    def _find(self, number: int) -> int:
        return self.locate(self._value(number), self._ref(number))

    def _value(self, number: int) -> str:
        return f"{self._ranks[number]:019d}"


def scatter(ref: str) -> int:
    """Return where a ref stands in the scattered order."""
    return int.from_bytes(blake2b(ref.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _cut(numbers: "array[int]") -> list[BitMap]:
    return [BitMap(numbers[start : start + BLOCK]) for start in range(0, len(numbers), BLOCK)]
