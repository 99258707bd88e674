"""The pipes of a sandbox: what the command prints, and what bubblewrap reports."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

OnOutput = Callable[[bytes], Awaitable[None]]

_CHUNK_BYTES = 65_536
_HEAD_BYTES = 2_000
_DROP_PAUSE_SECONDS = 0.01  # a command that prints without end is slowed down, not served


@dataclass(slots=True)
class ReadEnd:
    """The reading end of a pipe whose writing end goes to a process."""

    stream: asyncio.StreamReader
    transport: asyncio.ReadTransport

    def close(self) -> None:
        """Stop reading, even when somebody still holds the other end."""
        self.transport.close()


async def open_pipe() -> tuple[ReadEnd, int]:
    """Open a pipe; return its reading end and the descriptor of its writing end, which the caller closes."""
    read_fd, write_fd = os.pipe()
    stream = asyncio.StreamReader()
    try:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(read_fd, "rb", buffering=0)
        )
    except BaseException:
        os.close(write_fd)
        raise
    return ReadEnd(stream, transport), write_fd


class OutputPump:
    """Hands on what a command prints, up to a limit, and goes on reading so that the command never blocks."""

    def __init__(self, limit_bytes: int, on_output: OnOutput | None) -> None:
        self._limit = limit_bytes
        self._on_output = on_output
        self.output_bytes = 0
        self.dropped_bytes = 0
        self.head = b""

    async def run(self, source: ReadEnd) -> None:
        """Read until the last writer is gone."""
        try:
            while chunk := await source.stream.read(_CHUNK_BYTES):
                await self._take(chunk)
        finally:
            source.close()

    async def _take(self, chunk: bytes) -> None:
        kept = chunk[: self._limit - self.output_bytes]
        self.output_bytes += len(kept)
        self.dropped_bytes += len(chunk) - len(kept)
        self.head += kept[: _HEAD_BYTES - len(self.head)]
        if kept and self._on_output:
            await self._on_output(kept)
        if not kept:
            await asyncio.sleep(_DROP_PAUSE_SECONDS)


class StatusReport:
    """What bubblewrap says on its status descriptor: the first process inside, and how the command ended."""

    def __init__(self, source: ReadEnd) -> None:
        self._source = source

    async def read_first_pid(self) -> int | None:
        """Return the pid, seen from outside, of the namespace's first process; None when there is none."""
        line = await self._source.stream.readline()
        return int(json.loads(line)["child-pid"]) if line else None

    async def read_end(self) -> bool:
        """Read to the end; True when the command had been started."""
        try:
            rest = await self._source.stream.read()
        finally:
            self._source.close()
        return b'"exit-code"' in rest
