"""The slot for what the search finds, and how a text is compared with a name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from roadbed.core.access import Permission
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.extension import ContributionKind, Slot


@dataclass(frozen=True)
class Hit:
    """Something found. `meta` tells two of one name apart; `key` is the keyboard shortcut that leads there."""

    title: str
    href: str
    icon: str
    meta: str = ""
    key: str = ""


class Find(Protocol):
    async def __call__(self, session: ReadSession, actor: Actor, text: str, /, *, limit: int) -> Sequence[Hit]: ...


@dataclass(frozen=True)
class SearchSource:
    """One group of results.

    Args:
        label: its heading: "Entities".
        order: smaller is higher.
        permission: who may find anything here; None for everyone who is signed in.
        find: the best matches first. `text` is not empty.
    """

    label: str
    order: int
    permission: Permission | None
    find: Find


SEARCH: Slot[SearchSource] = Slot(ContributionKind.SEARCH, SearchSource)


BEGINS_WORD = 2


def rank(text: str, name: str) -> int | None:
    """Return how well `name` fits: 0 the same, 1 begins so, 2 a word in it does, 3 holds it; None when it does not."""
    wanted, found = text.lower(), name.lower()
    at = found.find(wanted)
    if at < 0:
        return None
    if at == 0:
        return 0 if wanted == found else 1
    while at > 0 and found[at - 1].isalnum():
        at = found.find(wanted, at + 1)
    return BEGINS_WORD if at > 0 else 3


def split_match(text: str, name: str) -> list[tuple[str, bool]]:
    """Return `name` in parts, each with whether it is what was searched for."""
    at = name.lower().find(text.lower())
    if not text or at < 0:
        return [(name, False)]
    end = at + len(text)
    parts = [(name[:at], False), (name[at:end], True), (name[end:], False)]
    return [part for part in parts if part[0]]
