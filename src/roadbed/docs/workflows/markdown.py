"""Roadbed's own renderer, for `core.apart`: a text can be written so that reading it takes hours or all memory.

One page that takes too long, or too much memory, is left out; the others are rendered.
"""

import signal
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from roadbed.core.markdown import MAX_CHARACTERS, write_html

PAGE_SECONDS = 20
PAGE_HTML_CHARACTERS = 4_000_000


class _TookTooLong(Exception):
    pass


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _TookTooLong


@contextmanager
def _limited() -> Iterator[None]:
    signal.setitimer(signal.ITIMER_REAL, PAGE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def render_page(text: str) -> dict[str, str]:
    """Return the HTML of a page, or why there is none."""
    if len(text) > MAX_CHARACTERS:
        return {"error": f"it has more than {MAX_CHARACTERS:,} characters"}
    try:
        with _limited():
            html = write_html(text)
    except _TookTooLong:
        return {"error": f"reading it takes more than {PAGE_SECONDS} s"}
    except (MemoryError, RecursionError):
        return {"error": "reading it takes too much memory"}
    if len(html) > PAGE_HTML_CHARACTERS:
        return {"error": f"as HTML it has more than {PAGE_HTML_CHARACTERS:,} characters"}
    return {"html": html}


def render(pages: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Render pages (`path`, `text`) one after another, each to its `html` or an `error`."""
    signal.signal(signal.SIGALRM, _stop)
    for page in pages:
        yield {"path": page["path"], **render_page(page["text"])}
