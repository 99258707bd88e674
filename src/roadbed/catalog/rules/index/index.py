"""The index itself: entities by number, ref and key, and the questions that are asked of it."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress, count, repeat
from operator import contains

import orjson
from pyroaring import BitMap

from roadbed.catalog.rules.index.columns import Column, ColumnRows, union
from roadbed.catalog.rules.index.conditions import (
    AllOf,
    AnyOf,
    Condition,
    HasKey,
    HasPrefix,
    HasText,
    HasValue,
    Not,
)
from roadbed.catalog.rules.index.orders import Order, RankedOrder, ScatteredOrder, scatter
from roadbed.catalog.rules.index.pieces import PIECE, Cut, IndexEntry, IndexPiece, Pair, ReadRows
from roadbed.catalog.rules.index.ranks import RANKS
from roadbed.catalog.rules.index.rows import LISTED, TRUE
from roadbed.catalog.rules.index.words import Words, letter_words, name_words

_WITH_REFS = ("relations.", "spec.")
"""How keys begin whose values are often those of others, and refs of the index."""
_FEW = 3
"""A selection of less than one in so many is looked through by itself."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in an order, to go on from: a value, and the ref among equal values."""

    value: str
    ref: str


class Index:
    """Entities in memory. Reading needs no lock: everything happens in one thread, and no method waits."""

    def __init__(self, read_rows: ReadRows) -> None:
        self._read_rows = read_rows
        self._documents: list[bytes] = []
        self._records: list[bytes] = []
        self._texts: list[str] = []
        self._refs: list[str] = []
        self._numbers: dict[str, int] = {}
        self._columns: dict[str, Column] = {}
        self._building: dict[str, ColumnRows] = {}
        self._shared: dict[str, str] = {}
        self._alike: Words | None = None
        self._letters: Words | None = None
        self._ranked: dict[str, RankedOrder] = {}
        self._changed: set[int] = set()
        self.all = BitMap()
        self.generation = 0
        """Counts what is put and removed: what was derived from the index holds while it stays the same."""
        self._scatters = array("Q")
        self._scattered = ScatteredOrder(self.all, ref=self._refs.__getitem__, scatter=self._scatters.__getitem__)

    def __len__(self) -> int:
        return len(self._numbers)

    def load(self, piece: IndexPiece) -> None:
        """Take in many entities that are not there yet; `finish_loading` makes them known.

        Args:
            piece: the ones that follow those loaded before; one without a document keeps a number that nobody has.
        """
        assert piece.start == len(self._refs)
        self._documents += piece.documents
        self._records += piece.records
        self._texts += piece.texts
        share = self._shared.setdefault
        numbers = list(range(piece.start, piece.start + len(piece.refs)))
        self._refs += [share(ref, ref) for ref in piece.refs]
        self._scatters.extend(map(scatter, piece.refs))
        places = zip(self._refs[piece.start :], piece.documents, numbers, strict=True)
        self._numbers.update((ref, number) for ref, document, number in places if document)
        for key, rows in piece.columns.items():
            rows.share(numbers, self._shared if key.startswith(_WITH_REFS) else None)
            held = self._building.setdefault(key, rows)
            if held is not rows:
                held.extend(rows)

    def finish_loading(self) -> None:
        """Make what was loaded into an empty index known."""
        while self._building:
            key, rows = self._building.popitem()
            self._columns[key] = Column.build(rows, ref=self._refs.__getitem__)
        self._shared = {}
        self.all.update(self._numbers.values())
        self._scattered.extend(self.all)

    def take_changed(self) -> set[int]:
        """Return which cuts have changed since this was asked last, of those made by `put` and `remove`."""
        changed, self._changed = self._changed, set()
        return changed

    def cut(self, place: int) -> Cut:
        """Return the entities with the numbers from `place * PIECE` up to the next cut."""
        start, end = place * PIECE, (place + 1) * PIECE
        return Cut(
            start, self._refs[start:end], self._documents[start:end], self._records[start:end], self._texts[start:end]
        )

    @property
    def cut_count(self) -> int:
        return -(-len(self._refs) // PIECE)

    def put(self, entry: IndexEntry) -> None:
        """Put an entity, in place of what has its ref."""
        self.generation += 1
        number = self._numbers.get(entry.ref)
        if number is None:
            self._scattered.add(self._add(entry))
            return
        self._changed.add(number // PIECE)
        self._change_rows(number, self._rows_of(number), entry.rows)
        self._documents[number] = entry.document
        self._records[number] = entry.record
        self._change_text(number, entry.text)
        self._rank(number)

    def remove(self, ref: str) -> None:
        """Take out an entity; nothing happens when there is none."""
        number = self._numbers.get(ref)
        if number is None:
            return
        self.generation += 1
        self._changed.add(number // PIECE)
        self._scattered.remove(number)
        self._change_rows(number, self._rows_of(number), ())
        self._documents[number] = self._records[number] = b""
        self._change_text(number, "")
        for order in self._ranked.values():
            order.put(number, None)
        del self._numbers[ref]
        self.all.remove(number)

    def find(self, ref: str) -> bytes | None:
        """Return the document of an entity by its ref in lower case."""
        number = self._numbers.get(ref)
        return None if number is None else self._documents[number]

    def has(self, ref: str) -> bool:
        return ref in self._numbers

    def number_of(self, ref: str) -> int | None:
        return self._numbers.get(ref)

    def ref_of(self, number: int) -> str:
        return self._refs[number]

    def document_of(self, number: int) -> bytes:
        return self._documents[number]

    def record_of(self, number: int) -> bytes:
        return self._records[number]

    def text_of(self, number: int) -> str:
        """Return the text that free words are looked for in: name, title, description and tags, a line each."""
        return self._texts[number]

    def column(self, key: str) -> Column | None:
        """Return the column of a key in lower case; None when no entity has it."""
        held = self._columns.get(key)
        listed = self._find_listed(key)
        return Column.implied(listed, TRUE, held, ref=self._refs.__getitem__) if listed else held

    def select(self, condition: Condition) -> BitMap:
        """Return the numbers of the entities that fulfil a condition. The bitmap is not to be changed."""
        match condition:
            case HasValue(key, values):
                column = self.column(key)
                if column is None:
                    return BitMap()
                return column.find(values[0]) if len(values) == 1 else union(column.find(value) for value in values)
            case HasKey(key):
                column = self.column(key)
                return BitMap() if column is None else column.exists
            case HasPrefix(key, prefix):
                column = self.column(key)
                return BitMap() if column is None else column.find_prefix(prefix)
            case HasText(keys, term):
                columns = (self.column(key) for key in keys)
                return union(column.find_text(term) for column in columns if column is not None)
            case AllOf(parts):
                return self._select_all(parts)
            case AnyOf(parts):
                return union(self.select(part) for part in parts)
            case Not(part):
                return self.all - self.select(part)

    def search(self, words: Iterable[str], among: BitMap) -> BitMap:
        """Return those of the entities `among` whose text holds all words, given in lower case."""
        texts = self._texts
        for word in words:
            if self._letters is not None and word.isalpha():
                among = among & self._letters.find_holding(word)
            elif len(among) * _FEW < len(texts):
                among = BitMap([number for number in among if word in texts[number]])
            else:  # each step of it is faster, so that looking into some in vain takes less time
                among = among & BitMap(compress(count(), map(contains, texts, repeat(word))))
        return among

    def find_alike(self, text: str) -> list[BitMap]:
        """Return the entities whose name or title has words spelt almost like those of a text, the nearest first."""
        if self._alike is None:
            self._alike = self._build_words(name_words)
        return self._alike.find_alike(text)

    def build_words(self) -> tuple[Words, Words]:
        """Return the words of names, and those of all texts, for `keep_words`; in any thread, as `build_order`."""
        return self._build_words(name_words), self._build_words(letter_words)

    def keep_words(self, words: tuple[Words, Words]) -> None:
        """Take the words of the entities as they are now, and keep them current: what is searched is found sooner."""
        self._alike, self._letters = words

    def _build_words(self, words_of: Callable[[str], set[str]]) -> Words:
        texts = self._texts
        return Words(words_of, ((number, texts[number]) for number in list(self._numbers.values())))

    def order(self, key: str) -> Order:
        """Return the order by the values of a key in lower case; entities without one have no place in it."""
        column = self.column(key)
        return column.order() if column is not None else Order((), ref=self._refs.__getitem__)

    def list_order(self, key: str) -> Order | RankedOrder:
        """Return an order by values, or by what is no value; the latter is built when first asked for and followed."""
        if key not in RANKS:
            return self.order(key)
        if key not in self._ranked:
            self._ranked[key] = self._build_ranked(key)
        return self._ranked[key]

    def build_order(self, key: str) -> Order | RankedOrder | None:
        """Build an order for `keep_order`; None when no entity has a place in it.

        This may happen in another thread: each step takes what it reads at once. Where the index is changed meanwhile
        nothing is said of what comes out.
        """
        if key in RANKS:
            return self._build_ranked(key)
        column = self._columns.get(key)
        return None if column is None else column.build_order()

    def keep_order(self, key: str, order: Order | RankedOrder | None) -> None:
        """Take an order of the entities as they are now, if there is one, and keep it current."""
        if isinstance(order, RankedOrder):
            self._ranked[key] = order
        elif order is not None:
            self._columns[key].keep_order(order)

    def _build_ranked(self, key: str) -> RankedOrder:
        rank, refs, records = RANKS[key], self._refs, self._records
        numbers, size = list(self._numbers.values()), len(refs)
        kept = ((number, records[number]) for number in numbers)
        ranks = ((number, rank(refs[number], orjson.loads(record))) for number, record in kept if record)
        return RankedOrder.build(ranks, size=size, ref=refs.__getitem__)

    @property
    def scattered(self) -> ScatteredOrder:
        """The order for those who want none."""
        return self._scattered

    def facet(self, key: str, among: BitMap | None) -> Mapping[str, int]:
        column = self.column(key)
        return {} if column is None else column.facet(among)

    def _find_listed(self, key: str) -> BitMap | None:
        """Return the entities that have a key as that of an item of a list, without a row of it (`fold_items`)."""
        found: BitMap | None = None
        end = key.find(".")
        while end >= 0:
            path = key[:end]
            listed = self._columns.get(path + LISTED)
            if listed is not None and (column := self.column(path)) is not None:
                numbers = column.find(key[end + 1 :]) & listed.exists
                found = numbers if found is None else found | numbers
            end = key.find(".", end + 1)
        return found

    def _select_all(self, parts: Sequence[Condition]) -> BitMap:
        if not parts:
            return self.all
        found = self.select(parts[0])
        for part in parts[1:]:
            found = found & self.select(part)
        return found

    def _add(self, entry: IndexEntry) -> int:
        number = len(self._refs)
        self._changed.add(number // PIECE)
        self._documents.append(entry.document)
        self._records.append(entry.record)
        self._texts.append(entry.text)
        self._refs.append(entry.ref)
        self._scatters.append(scatter(entry.ref))
        self._numbers[entry.ref] = number
        self.all.add(number)
        for words in self._kept_words():
            words.add(number, entry.text)
        for key, value in entry.rows:
            self._column(key).add(number, value)
        self._rank(number)
        return number

    def _rank(self, number: int) -> None:
        """Have an entity stand in the orders that there are where its record says."""
        if self._ranked:
            record = orjson.loads(self._records[number])
            for key, order in self._ranked.items():
                order.put(number, RANKS[key](self._refs[number], record))

    def _change_text(self, number: int, text: str) -> None:
        if text != self._texts[number]:
            for words in self._kept_words():
                words.remove(number, self._texts[number])
                words.add(number, text)
            self._texts[number] = text

    def _kept_words(self) -> list[Words]:
        return [words for words in (self._alike, self._letters) if words is not None]

    def _rows_of(self, number: int) -> Sequence[Pair]:
        return self._read_rows(self._documents[number], self._records[number])

    def _change_rows(self, number: int, old: Sequence[Pair], new: Sequence[Pair]) -> None:
        """Make the rows of an entity those of `new`; what stays costs nothing."""
        before, after = set(old), set(new)
        for key, value in before - after:
            self._columns[key].remove(number, value)
        for key, value in after - before:
            self._column(key).add(number, value)
        self._forget_keys(number, {key for key, _ in before} - {key for key, _ in after})

    def _forget_keys(self, number: int, keys: Iterable[str]) -> None:
        for key in keys:
            column = self._columns[key]
            column.forget(number)
            if not column.exists:
                del self._columns[key]

    def _column(self, key: str) -> Column:
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = Column(ref=self._refs.__getitem__)
        return column
