"""Tokens that were found good a moment ago, so that a program's thousand requests a second are not a thousand queries.

What ends a token or changes what it allows forgets them all, in this process right after the commit. In other
processes, and for what the catalog says of groups, an answer is at most a second old.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from roadbed.core.actor import Actor
from roadbed.core.db import WriteSession

SECONDS = 1.0
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Found:
    """Who a token belongs to; good until a time of the monotonic clock."""

    actor: Actor
    until: float


class KnownTokens:
    """Actors by the digest of their token and the address that it was sent from."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str | None], Found] = {}
        self._asked: dict[tuple[str, str | None], asyncio.Task[Actor]] = {}
        self.generation = 0

    async def ask(self, digest: str, address: str | None, look_up: Callable[[], Coroutine[Any, Any, Actor]]) -> Actor:
        """Return who a token belongs to: of all requests that miss it at once one asks, and all go on together.

        With a lock they would go on one after the other, each behind the next requests of those before it.
        """
        task = self._asked.get((digest, address))
        if task is None:
            task = self._asked[digest, address] = asyncio.create_task(look_up())
            task.add_done_callback(lambda _: self._asked.pop((digest, address), None))
        return await asyncio.shield(task)  # who asked first may leave before it is known

    def find(self, digest: str, address: str | None) -> Actor | None:
        found = self._found.get((digest, address))
        return found.actor if found is not None and time.monotonic() < found.until else None

    def keep(self, digest: str, address: str | None, actor: Actor, *, seconds: float, generation: int) -> None:
        """Remember a token, unless something was forgotten since it was looked up: `generation` is that of before."""
        if generation != self.generation:
            return
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[digest, address] = Found(actor, time.monotonic() + min(seconds, SECONDS))

    async def forget(self) -> None:
        self.generation += 1
        self._found.clear()


def forget_tokens(session: WriteSession) -> None:
    """Have all tokens looked up anew once this transaction is committed."""
    known = session.services.find(KnownTokens)
    if known is not None:
        session.after_commit.append(known.forget)
