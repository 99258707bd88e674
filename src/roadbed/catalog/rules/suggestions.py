"""Near misses: what somebody probably meant."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


def find_closest(text: str, candidates: Iterable[str], *, limit: int = 1) -> list[str]:
    """Return the candidates most like `text`, best first, without regard to case; none when nothing is near."""
    by_lower = {candidate.lower(): candidate for candidate in candidates}
    return [by_lower[match] for match in get_close_matches(text.lower(), by_lower, n=limit, cutoff=0.75)]


def say_or(words: Sequence[str]) -> str:
    """Return `a`, `a or b`, `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last


def say_closest(text: str, candidates: Iterable[str]) -> str:
    """Return `Did you mean …?`, or nothing."""
    found = find_closest(text, candidates)
    return f"Did you mean {found[0]}?" if found else ""
