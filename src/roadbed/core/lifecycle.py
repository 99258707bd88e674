"""What starts and stops with the server: each part is an async context manager, entered in load order."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services


@dataclass(frozen=True)
class Provider:
    """A part of the running server.

    Args:
        name: for the log.
        open: puts its services into `Services` (and registers workflows) on entry, and cleans up on exit.
        is_after_launch: enter it once workflows run, for parts that take work up again or watch something.
    """

    name: str
    open: Callable[[Services], AbstractAsyncContextManager[None]]
    is_after_launch: bool = False


PROVIDERS: Slot[Provider] = Slot(ContributionKind.PROVIDER, Provider)
