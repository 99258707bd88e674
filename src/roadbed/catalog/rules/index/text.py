"""Finding texts inside values: postings of three letters each, then a look at what they leave over."""

import re
from array import array
from collections.abc import Iterable

from pyroaring import BitMap

_WILD = re.compile(r"[%_\\]")
_PIECE = re.compile(r"\\?.|\\\Z", re.DOTALL)  # one at the end escapes the `%` that is put behind each term
_BETWEEN = "\0"  # stands in no value
_SPECIAL = {"%": f"[^{_BETWEEN}]*", "_": f"[^{_BETWEEN}]", "\\": f"%(?={_BETWEEN}|\\Z)"}


class TextSearch:
    """Substring search over the values of one column, all in lower case."""

    __slots__ = ("_postings", "_texts")

    def __init__(self, rows: Iterable[tuple[str, int]]) -> None:
        """Take in rows of (value, number)."""
        self._texts: dict[int, str] = {}
        for value, number in rows:
            self._put(number, value)
        postings: dict[str, array[int]] = {}
        for number, text in self._texts.items():
            for gram in _grams(text):
                found = postings.get(gram)
                if found is None:
                    postings[gram] = array("I", (number,))
                else:
                    found.append(number)
        self._postings = {gram: BitMap(numbers) for gram, numbers in postings.items()}

    def add(self, value: str, number: int) -> None:
        self._put(number, value)
        for gram in _grams(value):
            self._postings.setdefault(gram, BitMap()).add(number)

    def remove(self, value: str, number: int) -> None:
        values = self._texts.pop(number).split(_BETWEEN)
        values.remove(value)
        left: set[str] = set()
        for other in values:
            self._put(number, other)
            left |= _grams(other)
        for gram in _grams(value) - left:
            postings = self._postings[gram]
            postings.discard(number)
            if not postings:
                del self._postings[gram]

    def find(self, term: str) -> BitMap:
        """Return the numbers of entities with a value that holds `term`, a pattern as LIKE takes it."""
        texts = self._texts
        if not _WILD.search(term):
            return BitMap([number for number in self._candidates([term]) if term in texts[number]])
        pieces = _PIECE.findall(term)
        fragments = "".join(_BETWEEN if piece in _SPECIAL else piece[-1] for piece in pieces).split(_BETWEEN)
        matches = re.compile(_pattern(pieces), re.DOTALL).search
        return BitMap([number for number in self._candidates(fragments) if matches(texts[number])])

    def _put(self, number: int, value: str) -> None:
        held = self._texts.get(number)
        self._texts[number] = value if held is None else f"{held}{_BETWEEN}{value}"

    def _candidates(self, fragments: list[str]) -> Iterable[int]:
        grams = {gram for fragment in fragments for gram in _grams(fragment)}
        if not grams:
            return self._texts
        found: list[BitMap] = []
        for gram in grams:
            postings = self._postings.get(gram)
            if postings is None:
                return ()
            found.append(postings)
        found.sort(key=len)
        left = found[0]
        for postings in found[1:4]:  # more of them cost more than looking at what is left over
            left = left & postings
        return left


def _pattern(pieces: list[str]) -> str:
    """Return the regular expression of a LIKE pattern, given in single characters and escaped ones."""
    return "".join(_SPECIAL.get(piece) or re.escape(piece[-1]) for piece in pieces)


def _grams(text: str) -> set[str]:
    return {text[start : start + 3] for start in range(len(text) - 2)}
