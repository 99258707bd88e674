"""What somebody types as a question to PostgreSQL's text search."""

import re

_WORD = re.compile(r"\w+")
_MOST_WORDS = 12


def split_words(text: str) -> list[str]:
    """Return the words of a search."""
    return _WORD.findall(text)[:_MOST_WORDS]


def write_query(text: str) -> str | None:
    """Return a query that finds all words, each also at the beginning of longer ones; None when there are none."""
    words = split_words(text)
    return " & ".join(f"'{word}':*" for word in words) or None
