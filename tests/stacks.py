"""What a process of a test was doing when its time was over."""

import asyncio
import sys
import threading
import traceback
from collections.abc import Iterator
from io import StringIO
from pathlib import Path


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
    for children in Path("/proc/self/task").glob("*/children"):
        for pid in children.read_text().split():
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            waits = Path(f"/proc/{pid}/wchan").read_text()
            yield f"process {pid}, {state}, in {waits}: {command}"
