"""Work on what strangers wrote, in a process of its own: it may take no more time and memory than it is given.

For what costs the processor long enough to be felt by others, or may be made to. The process runs a function from bytes
to bytes and ends; it inherits neither environment nor files. Waiting for it costs the event loop nothing.
"""

import asyncio
import contextlib
import os
import signal
import sys
from dataclasses import dataclass

from roadbed.core.bounded import NO_MEMORY
from roadbed.core.errors import Invalid
from roadbed.kit.text import plural

_PROGRAM = "roadbed.core.bounded"
_GRACE_SECONDS = 5


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
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",
        "-m",
        _PROGRAM,
        function,
        str(bounds.seconds),
        str(bounds.memory_bytes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
    )
    try:
        async with asyncio.timeout(bounds.seconds + _GRACE_SECONDS):
            made, told = await process.communicate(given)
    except TimeoutError as error:
        raise _out_of_time(bounds) from error
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise _out_of_time(bounds)
    if process.returncode == NO_MEMORY:
        raise OutOfBounds(f"It takes more than {bounds.memory_bytes // 1_000_000:,} MB of memory.")
    if process.returncode != 0:
        raise ApartFailed(f"{function} ended with code {process.returncode}: {told.decode(errors='replace')}")
    return made


def _out_of_time(bounds: Bounds) -> OutOfBounds:
    return OutOfBounds(f"It takes more than {plural(bounds.seconds, 'second')} of work.")
