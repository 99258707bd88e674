"""The slot for what waits for a person: approvals, failed runs, things that expire.

Home shows them under "Needs you", newest first. A domain adds one source that finds its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.extension import ContributionKind, Slot


@dataclass(frozen=True)
class Need:
    """Something that one person should look at.

    Args:
        state: kind and word of `ui.state`: `("bad", "Failed")`.
        title: a sentence without a full stop: "orders is degraded in staging".
        href: where it is looked at or decided.
        at: since when.
        meta: the second line: the value and its limit, who asked.
        action: the verb on its button.
    """

    state: tuple[str, str]
    title: str
    href: str
    at: datetime
    meta: str = ""
    action: str = "Open"


class NeedSource(Protocol):
    """Finds what waits for `actor`, in at most two queries; nothing when they may not see it."""

    async def __call__(self, session: ReadSession, actor: Actor, /) -> list[Need]: ...


NEEDS: Slot[NeedSource] = Slot(ContributionKind.NEED, Callable)
