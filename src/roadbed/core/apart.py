"""Work on what strangers wrote, in a process of its own: it may take no more time and memory than it is given.

For what costs the processor long enough to be felt by others, or may be made to. The process runs one function and
ends; it inherits neither environment nor files. `run_apart` is for one text, from bytes to bytes; `run_lines_apart` for
a stream of them, whose answers are of use although a later one fails. Waiting for it costs the event loop nothing.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from roadbed.core.bounded import BYTES, LINES, NO_MEMORY
from roadbed.core.errors import Invalid
from roadbed.kit.jsons import parse_json, write_json
from roadbed.kit.text import plural

_PROGRAM = "roadbed.core.bounded"
_GRACE_SECONDS = 5
_LINE_BYTES = 128_000_000
_TOLD_BYTES = 16_000


class OutOfBounds(Invalid):
    """Something takes more time or memory to work on than there is for it."""

    code = "apart.out_of_bounds"


class ApartFailed(Exception):
    """The function raised something: a fault of ours. The message holds its traceback."""


@dataclass(frozen=True)
class Bounds:
    """What one piece of work may use. `seconds` are of the processor; waiting for it is bounded likewise."""

    seconds: int
    memory_bytes: int
    answer_bytes: int = 384_000_000


async def run_apart(function: str, given: bytes, *, bounds: Bounds) -> bytes:
    """Run a function on bytes and return what it returns.

    Args:
        function: `package.module:name`; it takes and gives bytes.
        given: what it takes.
        bounds: what it may use.

    Raises:
        OutOfBounds: it uses more.
        ApartFailed: it raised an error.
    """
    made = bytearray()

    async def work(process: Process) -> None:
        async def collect() -> None:
            assert process.stdout is not None
            while piece := await process.stdout.read(65_536):
                made.extend(piece)
                _check_answer(len(made), bounds)

        await asyncio.gather(_feed(process, (given,)), collect())

    await _run(function, BYTES, bounds, work)
    return bytes(made)


async def run_lines_apart(
    function: str, values: Iterable[Any], *, bounds: Bounds, on_answer: Callable[[Any], None]
) -> None:
    """Run a function on a stream of JSON values, and hand over what it answers as it comes.

    Args:
        function: `package.module:name`; it takes an iterator of JSON values, and yields such.
        values: what it takes.
        bounds: what it may use for all of them.
        on_answer: is given each answer.

    Raises:
        OutOfBounds: it uses more; what was answered before was handed over.
        ApartFailed: it raised an error.
    """

    async def work(process: Process) -> None:
        async def collect() -> None:
            assert process.stdout is not None
            size_bytes = 0
            while (line := await _read_line(process.stdout)).endswith(b"\n"):  # else it ended in the middle of one
                size_bytes += len(line)
                _check_answer(size_bytes, bounds)
                on_answer(parse_json(line))

        lines = (write_json(value) + b"\n" for value in values)
        await asyncio.gather(_feed(process, lines), collect())

    await _run(function, LINES, bounds, work)


async def _run(function: str, way: str, bounds: Bounds, work: Callable[[Process], Awaitable[None]]) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", _PROGRAM, function, str(bounds.seconds), str(bounds.memory_bytes), way),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
        start_new_session=True,
        limit=_LINE_BYTES,
    )
    listening = asyncio.create_task(_listen(process))
    try:
        async with asyncio.timeout(bounds.seconds + _GRACE_SECONDS):
            await work(process)
            await process.wait()
    except TimeoutError as error:
        raise _out_of_time(bounds) from error
    finally:
        await _end(process)
        told = await listening
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _out_of_time(bounds)
    if process.returncode == NO_MEMORY:
        raise OutOfBounds(f"It takes more than {bounds.memory_bytes // 1_000_000:,} MB of memory.")
    if process.returncode != 0:
        raise ApartFailed(f"{function} ended with code {process.returncode}: {told.decode(errors='replace')}")


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError as error:  # it is longer than any may be
        raise _too_large(_LINE_BYTES) from error


async def _feed(process: Process, pieces: Iterable[bytes]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: its exit code says so
        for piece in pieces:
            process.stdin.write(piece)
            await process.stdin.drain()
        process.stdin.close()


async def _listen(process: Process) -> bytes:
    """Return the end of what it says, which is where a traceback names the error."""
    assert process.stderr is not None
    told = b""
    while piece := await process.stderr.read(_TOLD_BYTES):
        told = (told + piece)[-_TOLD_BYTES:]
    return told


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _check_answer(size_bytes: int, bounds: Bounds) -> None:
    if size_bytes > bounds.answer_bytes:
        raise _too_large(bounds.answer_bytes)


def _too_large(most_bytes: int) -> OutOfBounds:
    return OutOfBounds(f"It grows to more than {most_bytes // 1_000_000:,} MB.")


def _out_of_time(bounds: Bounds) -> OutOfBounds:
    return OutOfBounds(f"It takes more than {plural(bounds.seconds, 'second')} of work.")
