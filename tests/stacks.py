"""What a process of a test was doing when its time was over."""

import asyncio
import contextlib
import sys
import threading
import traceback
from collections.abc import Iterator
from io import StringIO

import psutil


def describe_stacks(loop: asyncio.AbstractEventLoop) -> str:
    """Return the stacks of all threads of this process and of all tasks of a loop, and which processes it started."""
    return "\n".join((*_describe_threads(), *_describe_tasks(loop), *_describe_children()))


def _describe_threads() -> Iterator[str]:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    for ident, frame in sys._current_frames().items():
        yield f"thread {names.get(ident, ident)}:\n{''.join(traceback.format_stack(frame))}"


def _describe_tasks(loop: asyncio.AbstractEventLoop) -> Iterator[str]:
    for task in asyncio.all_tasks(loop):
        text = StringIO()
        task.print_stack(file=text)
        yield text.getvalue()


def _describe_children() -> Iterator[str]:
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
            yield f"process {child.pid}, {child.status()}: {' '.join(child.cmdline())}"
