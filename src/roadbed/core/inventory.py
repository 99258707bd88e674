"""The slot for what exists outside the database: repositories, databases, processes, folders, ports, routes.

`roadbed inventory` lists it all with what each belongs to; tests compare it before and after a crash. What belongs to
nothing is a leftover.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services


@dataclass(frozen=True)
class Item:
    """Something that exists.

    Args:
        kind: `database`, `role`, `repository`, `process`, `folder`, `port`.
        name: tells it from others of its kind.
        belongs_to: an entity ref, or `noun:id`; None when nothing is known that it belongs to.
    """

    kind: str
    name: str
    belongs_to: str | None


@dataclass(frozen=True)
class InventorySource:
    """Lists what one part of Roadbed keeps outside, by looking at it and not at its own records."""

    name: str
    list: Callable[[Services], Awaitable[list[Item]]]


INVENTORY: Slot[InventorySource] = Slot(ContributionKind.INVENTORY, InventorySource)
