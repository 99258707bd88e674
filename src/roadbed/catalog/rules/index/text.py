"""Finding texts inside values: all values of a column in one text, which is looked through at once."""

import re
from collections.abc import Callable, Iterable, Iterator

_WILD = re.compile(r"[%_\\]")
_PIECE = re.compile(r"\\?.|\\\Z", re.DOTALL)  # one at the end escapes the `%` that is put behind each term
_BETWEEN = "\0"  # stands in no value
_SPECIAL = {"%": f"[^{_BETWEEN}]*", "_": f"[^{_BETWEEN}]", "\\": f"%(?={_BETWEEN})"}
_MANY = 2000
"""From so many places on it is faster to look at each value than for each place."""


class TextSearch:
    """Substring search over the values of one column, which do not change."""

    __slots__ = ("_joined",)

    def __init__(self, values: Iterable[str]) -> None:
        """Take in the values, in lower case."""
        self._joined = "".join([f"{value}{_BETWEEN}" for value in values])

    def find(self, term: str) -> Iterable[str]:
        """Return the values that hold `term`, a pattern in lower case as LIKE takes it."""
        joined = self._joined
        if _BETWEEN in term:
            return ()
        if _WILD.search(term):
            search = re.compile(_pattern(term), re.DOTALL).search
            return self._walk(lambda start: found.start() if (found := search(joined, start)) else -1)
        if joined.count(term) > _MANY:
            return [value for value in joined.split(_BETWEEN)[:-1] if term in value]
        return self._walk(lambda start: joined.find(term, start))

    def _walk(self, find: Callable[[int], int]) -> Iterator[str]:
        """Walk from value to value by what finds the next place from a start on; -1 is none."""
        joined, start = self._joined, 0
        while start < len(joined) and (place := find(start)) >= 0:
            end = joined.index(_BETWEEN, place)
            yield joined[joined.rfind(_BETWEEN, 0, place) + 1 : end]
            start = end + 1


def _pattern(term: str) -> str:
    """Return the regular expression of a LIKE pattern."""
    return "".join(_SPECIAL.get(piece) or re.escape(piece[-1]) for piece in _PIECE.findall(term))
