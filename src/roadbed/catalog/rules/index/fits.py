"""How well names and titles of many entities fit what is searched for, as `core.search.rank` has it for one name."""

import re
from collections.abc import Callable

BEGINS_WORD = 2
_NEITHER = 4


def fit_to(wanted: str) -> Callable[[str], tuple[int, str]]:
    """Return what tells, for the text of an entity, how well its name or title fits, the better of both; and the title.

    Args:
        wanted: what is searched for, in lower case, in one line.
    """
    begins_word = re.compile(rf"[\W_]{re.escape(wanted)}").search
    same = f"{wanted}\n"

    def fit(text: str) -> tuple[int, str]:
        begin = text.find("\n") + 1
        end = text.find("\n", begin) + 1 or len(text)
        title = text[begin:end].removesuffix("\n")
        if text.startswith(same) or title == wanted:
            return 0, title
        if text.startswith(wanted) or title.startswith(wanted):
            return 1, title
        if begins_word(text, 0, end):
            return BEGINS_WORD, title
        return (3 if text.find(wanted, 0, end) >= 0 else _NEITHER), title

    return fit
