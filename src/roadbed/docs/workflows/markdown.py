"""Roadbed's own renderer, as a process of its own: `python -m roadbed.docs.workflows.markdown`.

A text can be written so that reading it takes hours or all memory; a process can be limited and ended, a thread cannot.
Lines of JSON come in (`path`, `text`) and go out (`path` with `html` or `error`), in order.
"""

import json
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from roadbed.core.markdown import MAX_CHARACTERS, write_html

PAGE_SECONDS = 20
MEMORY_BYTES = 2_000_000_000
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


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, _stop)
    for line in sys.stdin.buffer:
        page = json.loads(line)
        answer = {"path": page["path"], **render_page(page["text"])}
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
