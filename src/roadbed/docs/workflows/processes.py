"""Processes of Roadbed's own code over texts of others: they can be ended when a text takes too long, a thread cannot.

Lines of JSON go in and come out.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterable
from typing import Any

from roadbed.docs.errors import RenderingFailed
from roadbed.kit import jsons

SECONDS = 300
_LINE_BYTES = 128_000_000
_TOTAL_BYTES = 384_000_000
_HINT = "Look at that page: make it shorter, or leave it out."


async def run_process(
    module: str, lines: Iterable[Any], *, on_line: Callable[[Any], None], where: Callable[[], str | None]
) -> None:
    """Run `python -m module` to its end.

    Args:
        module: of Roadbed.
        lines: JSON to be read by it.
        on_line: is given what it answers.
        where: names the page that it is at; None once it has answered all.

    Raises:
        RenderingFailed: it took too long or answered too much, or it failed; names the page.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", module),
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
        start_new_session=True,
        limit=_LINE_BYTES,
    )
    try:
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(_feed(process, lines), _collect(process, on_line))
            code = await process.wait()
    except (TimeoutError, ValueError) as error:  # a line that is longer than any may be
        raise RenderingFailed(f"{where() or 'The site'} takes too long or grows too large.", hint=_HINT) from error
    finally:
        await _end(process)
    if code or where() is not None:
        assert process.stderr is not None
        said = (await process.stderr.read(4_000)).decode("utf-8", "replace").strip().splitlines()
        reason = said[-1] if said else f"exit code {code}"
        raise RenderingFailed(f"{where() or 'The site'} could not be rendered: {reason}", hint=_HINT)


async def _feed(process: Process, lines: Iterable[Any]) -> None:
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it ended: its exit code says so
        for line in lines:
            process.stdin.write(jsons.write_json(line) + b"\n")
            await process.stdin.drain()
        process.stdin.close()


async def _collect(process: Process, on_line: Callable[[Any], None]) -> None:
    assert process.stdout is not None
    size_bytes = 0
    while line := await process.stdout.readline():
        size_bytes += len(line)
        if size_bytes > _TOTAL_BYTES:
            raise ValueError("too much")
        on_line(jsons.parse_json(line))


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
