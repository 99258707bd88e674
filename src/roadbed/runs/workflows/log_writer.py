"""Collects the output of one step and writes it in batches, masked."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime
from functools import partial
from uuid import UUID

from roadbed.core.db import Database, outlast_losses
from roadbed.kit.clock import now
from roadbed.runs.service import append_lines

FLUSH_SECONDS = 0.2
BATCH_LINES = 2_000


class LogWriter:
    """The log of one step while it runs. `add` never waits; `close` writes what is left."""

    def __init__(
        self, database: Database, *, run_id: UUID, step_id: UUID, limit_bytes: int, mask: Callable[[str], str]
    ) -> None:
        self._database = database
        self._run_id = run_id
        self._step_id = step_id
        self._limit_bytes = limit_bytes
        self.mask = mask
        self._lines: list[tuple[datetime, str, str]] = []
        self._closing = asyncio.Event()
        self._task = asyncio.create_task(self._flush_often(), name=f"log of step {step_id}")

    def add(self, text: str, *, stream: str) -> None:
        at = now()
        masked = self.mask(text)
        self._lines.extend((at, stream, line) for line in masked.split("\n"))

    async def close(self) -> None:
        self._closing.set()
        await self._task

    async def _flush_often(self) -> None:
        while not self._closing.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), FLUSH_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        while self._lines:
            batch = self._lines[:BATCH_LINES]
            await outlast_losses(partial(self._append, batch))
            del self._lines[: len(batch)]

    async def _append(self, batch: list[tuple[datetime, str, str]]) -> None:
        async with self._database.write() as session:
            await append_lines(session, self._run_id, self._step_id, batch, limit_bytes=self._limit_bytes)
