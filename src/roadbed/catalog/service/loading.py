"""Loading an index: a few entities here, many by workers, which prepare one piece while the next one is read."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from roadbed.catalog.rules.index.entries import Kept, make_piece
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.pieces import IndexPiece
from roadbed.core.workers import Workers

_FEW = 2000
"""Up to so many entities are prepared before workers would have started."""
_AHEAD = 4


class Loading:
    """Fills an empty index in the order in which entities are given.

    Args:
        index: the empty one.
        count: about how many entities will come.
    """

    def __init__(self, index: Index, *, count: int) -> None:
        self._index = index
        self._are_few = count <= _FEW
        self._count = 0
        self._stack = ExitStack()
        self._workers: Workers | None = None
        self._prepared: deque[Future[IndexPiece]] = deque()

    async def __aenter__(self) -> Self:
        if not self._are_few:
            self._workers = self._stack.enter_context(Workers("roadbed.catalog.rules.index.entries"))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._prepared and error is None:
                await self._load_next()
        finally:
            await asyncio.to_thread(self._stack.__exit__, kind, error, trace)

    async def take(self, held: Sequence[Kept]) -> None:
        """Take in more entities."""
        start = self._count
        self._count += len(held)
        if self._workers is None:
            self._index.load(make_piece(held, start=start))
            return
        self._prepared.append(self._workers.submit(make_piece, held, start=start))
        if len(self._prepared) > _AHEAD:
            await self._load_next()

    async def _load_next(self) -> None:
        self._index.load(await asyncio.wrap_future(self._prepared.popleft()))
