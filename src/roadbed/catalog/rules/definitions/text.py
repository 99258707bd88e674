"""Values of definitions as texts, and how long a text may be where it is shown."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

import orjson

_SHOWN = 300
_SHOWN_EXAMPLE = 4_000
_MOST_TOLD = 50


def write_value(value: Any) -> str:
    """Return a value on one line, cut when it is long."""
    return shorten(value if isinstance(value, str) else orjson.dumps(value).decode())


def write_example(value: Any) -> str:
    """Return an example as people read it."""
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return text if len(text) <= _SHOWN_EXAMPLE else text[: _SHOWN_EXAMPLE - 1] + "…"


def shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def join_told(lines: Iterable[str]) -> str:
    """Return what is told about values, a line each; the first of them when there are many."""
    return "\n".join(shorten(line) for line in islice((line for line in lines if line), _MOST_TOLD))
