"""What starts and stops with the server: each part is an async context manager, entered in load order.

A stop begins with `Stopping`, while requests are still answered; parts are left once the last request has ended.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services


@dataclass(frozen=True)
class Provider:
    """A part of the running server.

    Args:
        name: for the log.
        open: puts its services into `Services` (and registers workflows) on entry, and cleans up on exit.
        is_after_launch: enter it once workflows run, for parts that take work up again or watch something.
        needs_host: enter it only on the host (core.replica).
        gives: with `needs_host`, what it puts into `Services`: other processes are told where it is.
    """

    name: str
    open: Callable[[Services], AbstractAsyncContextManager[None]]
    is_after_launch: bool = False
    needs_host: bool = False
    gives: tuple[type[Any], ...] = ()


class Stopping:
    """Tells those who would keep a request open, such as live streams, that the server begins to stop."""

    def __init__(self) -> None:
        self.has_begun = False
        self._calls: list[Callable[[], None]] = []

    def add(self, call: Callable[[], None]) -> None:
        """Have `call` called when it begins."""
        self._calls.append(call)

    def begin(self) -> None:
        self.has_begun = True
        for call in self._calls:
            call()


PROVIDERS: Slot[Provider] = Slot(ContributionKind.PROVIDER, Provider)
