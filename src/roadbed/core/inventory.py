"""What exists outside the database: repositories, databases, processes, folders, ports, routes.

Each domain lists what it keeps by looking at the machine, with what it belongs to. What belongs to nothing is a
leftover: it has a reason, and `roadbed inventory` fails. Tests compare the inventory before and after a crash.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from roadbed.core.access import ADMINS, Permission
from roadbed.core.errors import RoadbedError
from roadbed.core.extension import ContributionKind, Registry, Slot
from roadbed.core.home import Home
from roadbed.core.services import Services
from roadbed.core.settings import Settings

INVENTORY_READ = Permission("core.inventory.read", "See everything that exists outside the database", ADMINS)
SECOND_LOOK_SECONDS = 0.5
NO_REASON = "Nothing in the database says what it belongs to."


@dataclass(frozen=True)
class Item:
    """Something that exists.

    Args:
        kind: `database`, `role`, `repository`, `process`, `folder`, `port`, `route`, `artifact`.
        name: tells it from others of its kind.
        belongs_to: an entity ref, or `noun:id`; None when nothing is known that it belongs to.
        reason: why it is not explained, in words; empty for one that is.
        details: more about it, as far as it is known: `pid`, `workload`, `environment`, `deployment`.
    """

    kind: str
    name: str
    belongs_to: str | None
    reason: str = ""
    details: Mapping[str, str | int] = field(default_factory=dict)

    @property
    def is_explained(self) -> bool:
        return self.belongs_to is not None


@dataclass(frozen=True)
class InventorySource:
    """Lists what one part of Roadbed keeps outside, by looking at it and not at its own records.

    Several sources may list the same thing; it is explained when one of them knows what it belongs to.
    """

    name: str
    list: Callable[[Services], Awaitable[list[Item]]]


INVENTORY: Slot[InventorySource] = Slot(ContributionKind.INVENTORY, InventorySource)


async def take_inventory(services: Services) -> list[Item]:
    """List everything that exists, what is not explained first.

    That is looked for once more a moment later: what is just being made or removed is no leftover.
    """
    found = await _look(services)
    doubtful = {key for key, item in found.items() if not item.is_explained}
    if doubtful:
        await asyncio.sleep(SECOND_LOOK_SECONDS)
        found = {key: item for key, item in (await _look(services)).items() if item.is_explained or key in doubtful}
    items = (it if it.is_explained else replace(it, reason=it.reason or NO_REASON) for it in found.values())
    return sorted(items, key=lambda it: (it.is_explained, it.kind, it.name))


async def _look(services: Services) -> dict[tuple[str, str], Item]:
    found: dict[tuple[str, str], Item] = {}
    for source in services.get(Registry).get(INVENTORY):
        for item in await _ask(services, source):
            key = (item.kind, item.name)
            if key not in found or item.is_explained:
                found[key] = item
    return found


async def _ask(services: Services, source: InventorySource) -> list[Item]:
    try:
        return await source.list(services)
    except (RoadbedError, OSError) as error:  # the others are listed all the same, and that this one is not is said
        return [Item("source", source.name, None, f"It could not be looked at: {error}")]


async def list_own(services: Services) -> list[Item]:
    """List this server and its database."""
    settings, postgres = services.get(Settings), services.get(Home).postgres
    items = [
        Item("process", f"pid {os.getpid()}", "roadbed", details={"pid": os.getpid()}),
        Item("port", f"{settings.host}:{settings.port}", "roadbed"),
    ]
    if postgres is not None and postgres.pid is not None:
        items.append(Item("process", f"pid {postgres.pid}", "roadbed: its database", details={"pid": postgres.pid}))
    return items
