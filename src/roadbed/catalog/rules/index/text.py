"""Finding texts inside values: all values of a column in one text, which is looked through at once.

What is looked for most is part of a word, and words stand in many values: those are looked through instead.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

from pyroaring import BitMap

_WILD = re.compile(r"[%_\\]")
_PIECE = re.compile(r"\\?.|\\\Z", re.DOTALL)  # one at the end escapes the `%` that is put behind each term
LETTERS = re.compile(r"[^\W\d_]+")  # whatever `str.isalpha` holds for, and a few more
_BETWEEN = "\0"  # stands in no value
_SPECIAL = {"%": f"[^{_BETWEEN}]*", "_": f"[^{_BETWEEN}]", "\\": f"%(?={_BETWEEN})"}
_MANY = 10_000
"""From so many places on it is faster to look at each value than for each place."""


class TextSearch:
    """Substring search over values that do not change."""

    __slots__ = ("_values", "_words")

    def __init__(self, values: Iterable[str]) -> None:
        """Take in the values, in lower case."""
        self._values = _Joined(values)
        self._words: tuple[_Joined, list[BitMap]] | None = None  # and the values that each stands in

    def find(self, term: str) -> Iterable[int]:
        """Return which values, counted from 0, hold `term`, a pattern in lower case as LIKE takes it; some twice."""
        if _BETWEEN in term:
            return ()
        if term.isalpha():
            return self._find_in_words(term)
        return self._values.find_pattern(term) if _WILD.search(term) else self._values.find(term)

    def _find_in_words(self, letters: str) -> BitMap:
        if self._words is None:
            found: dict[str, list[int]] = {}
            for place, value in enumerate(self._values.split()):
                for word in LETTERS.findall(value):
                    found.setdefault(word, []).append(place)
            self._words = _Joined(found), [BitMap(places) for places in found.values()]
        words, values = self._words
        return BitMap().union(*[values[word] for word in words.find(letters)])


class _Joined:
    """Texts in one, each with what stands in none behind it."""

    __slots__ = ("_ends", "_text")

    def __init__(self, texts: Iterable[str]) -> None:
        parts = [f"{text}{_BETWEEN}" for text in texts]
        self._text = "".join(parts)
        self._ends = array("Q", accumulate(map(len, parts)))

    def split(self) -> list[str]:
        return self._text.split(_BETWEEN)[:-1]

    def find(self, part: str) -> list[int]:
        """Return which texts, counted from 0, hold a part."""
        pieces = self._text.split(part, _MANY) if part else []
        if 0 < len(pieces) <= _MANY:
            before = enumerate(accumulate(map(len, pieces[:-1])))  # a place: so many pieces, and as many parts
            return [bisect_right(self._ends, size + count * len(part)) for count, size in before]
        return [number for number, text in enumerate(self.split()) if part in text]

    def find_pattern(self, pattern: str) -> list[int]:
        """Return which texts hold a pattern of LIKE."""
        found = re.finditer(_pattern(pattern), self._text, re.DOTALL)
        starts = (match.start() for match in found)
        return [bisect_right(self._ends, start) for start in starts if start < len(self._text)]


def _pattern(term: str) -> str:
    """Return the regular expression of a LIKE pattern."""
    return "".join(_SPECIAL.get(piece) or re.escape(piece[-1]) for piece in _PIECE.findall(term))
