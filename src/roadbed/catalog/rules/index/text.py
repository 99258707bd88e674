"""Finding texts inside values: all values of a column in one text, which is looked through at once."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate

_WILD = re.compile(r"[%_\\]")
_PIECE = re.compile(r"\\?.|\\\Z", re.DOTALL)  # one at the end escapes the `%` that is put behind each term
_BETWEEN = "\0"  # stands in no value
_SPECIAL = {"%": f"[^{_BETWEEN}]*", "_": f"[^{_BETWEEN}]", "\\": f"%(?={_BETWEEN})"}
_MANY = 10_000
"""From so many places on it is faster to look at each value than for each place."""


class TextSearch:
    """Substring search over values that do not change."""

    __slots__ = ("_ends", "_joined")

    def __init__(self, values: Iterable[str]) -> None:
        """Take in the values, in lower case."""
        parts = [f"{value}{_BETWEEN}" for value in values]
        self._joined = "".join(parts)
        self._ends = array("Q", accumulate(map(len, parts)))

    def find(self, term: str) -> Iterable[int]:
        """Return which values, counted from 0, hold `term`, a pattern in lower case as LIKE takes it.

        In their order; a value that holds it twice may come twice.
        """
        joined, ends = self._joined, self._ends
        if _BETWEEN in term:
            return ()
        if _WILD.search(term):
            found = re.finditer(_pattern(term), joined, re.DOTALL)
            return [bisect_right(ends, place) for match in found if (place := match.start()) < len(joined)]
        pieces = joined.split(term, _MANY) if term else []
        if 0 < len(pieces) <= _MANY:
            before = enumerate(accumulate(map(len, pieces[:-1])))  # a place: so many pieces, and as many terms
            return [bisect_right(ends, size + count * len(term)) for count, size in before]
        return [place for place, value in enumerate(joined.split(_BETWEEN)[:-1]) if term in value]


def _pattern(term: str) -> str:
    """Return the regular expression of a LIKE pattern."""
    return "".join(_SPECIAL.get(piece) or re.escape(piece[-1]) for piece in _PIECE.findall(term))
