"""What exists outside the database: repositories, databases, processes, folders, ports, routes.

Each domain lists what it keeps by looking at the machine, with what it belongs to. What belongs to nothing is a
leftover: it has a reason, and `roadbed inventory` fails. Tests compare the inventory before and after a crash.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from roadbed.core.access import ADMINS, Permission
from roadbed.core.errors import RoadbedError
from roadbed.core.extension import ContributionKind, Registry, Slot
from roadbed.core.home import EXECUTOR_ID_FILE, Home
from roadbed.core.services import Services
from roadbed.core.settings import Settings

INVENTORY_READ = Permission("core.inventory.read", "See everything that exists outside the database", ADMINS)
SECOND_LOOK_SECONDS = 0.5
_OWN = {
    "postgres": "roadbed: its database",
    "lock": "roadbed: keeps a second server off this folder",
    EXECUTOR_ID_FILE: "roadbed",
}
NO_REASON = "Nothing in the database says what it belongs to."


@dataclass(frozen=True)
class Item:
    """Something that exists.

    Args:
        kind: `database`, `role`, `repository`, `process`, `folder`, `file`, `port`, `route`, `artifact`, `blob`.
        name: tells it from others of its kind.
        belongs_to: an entity ref, or `noun:id`; None when nothing is known that it belongs to.
        reason: why it is not explained, in words; empty for one that is.
        hint: how to remove a leftover; empty for what is explained.
        details: more about it, as far as it is known: `pid`, `workload`, `environment`, `deployment`.
    """

    kind: str
    name: str
    belongs_to: str | None
    reason: str = ""
    details: Mapping[str, str | int] = field(default_factory=dict)
    hint: str = ""

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
    home = services.get(Home).path
    items = (it if it.is_explained else _say_what_to_do(it, home) for it in found.values())
    return sorted(items, key=lambda it: (it.is_explained, it.kind, it.name))


def _say_what_to_do(item: Item, home: Path) -> Item:
    pid = item.details.get("pid")
    hints = {
        "process": f"End it with `kill {pid}`, or start the server again.",
        "port": f"End the process that listens there{f' with `kill {pid}`' if pid else ''}.",
        "route": "Start the server again: it makes all routes anew.",
        "folder": f"Look into it, then `rm -r {home / item.name}`.",
        "file": f"Look into it, then `rm {home / item.name}`.",
        "repository": f"Look into it, then `rm -r {home / 'repositories' / item.name}`.",
        "database": f'Dump what may be needed, then `DROP DATABASE "{item.name}"` on the PostgreSQL for workloads.',
        "role": f'Drop its database, then `DROP ROLE "{item.name}"` on the PostgreSQL for workloads.',
        "blob": "Nothing to do: it is deleted within an hour.",
        "artifact": "Run its pipeline again, which records it; "
        f"or `rm {home / 'blobs' / item.name.replace(':', '/').replace('/', f'/{item.name[7:9]}/', 1)}`.",
    }
    hint = item.hint or hints.get(item.kind, "Mend the reason, then look again.")
    return replace(item, reason=item.reason or NO_REASON, hint=hint)


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
    """List this server, its database, and what is in its home folder: the parts of Roadbed say what is theirs."""
    settings, postgres = services.get(Settings), services.get(Home).postgres
    items = [
        Item("process", f"pid {os.getpid()}", "roadbed", details={"pid": os.getpid()}),
        Item("port", f"{settings.host}:{settings.port}", "roadbed"),
    ]
    if postgres is not None and postgres.pid is not None:
        items.append(Item("process", f"pid {postgres.pid}", "roadbed: its database", details={"pid": postgres.pid}))
    return [*items, *await asyncio.to_thread(_list_home, services.get(Home).path)]


def _list_home(home: Path) -> list[Item]:
    reason = "No part of Roadbed keeps anything under this name."
    return [
        Item(
            "folder" if path.is_dir() else "file",
            path.name,
            _OWN.get(path.name),
            "" if path.name in _OWN else reason,
        )
        for path in sorted(home.iterdir())
    ]
