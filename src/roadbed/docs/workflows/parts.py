"""What documentation keeps on disk: the environment of mkdocs, and the folders of builds at work."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.sandbox import remove_tree
from roadbed.core.services import Services
from roadbed.docs.workflows.mkdocs import FOLDER, services_folder
from roadbed.kit.ids import parse_id
from roadbed.runs.contract import find_run


@asynccontextmanager
async def open_builds(services: Services) -> AsyncIterator[None]:
    """Clear away what a killed server was building: a build that goes on begins anew."""
    await asyncio.to_thread(_clear, services)
    yield


def _clear(services: Services) -> None:
    for folder in services_folder(services).iterdir():
        remove_tree(folder)


async def list_inventory(services: Services) -> list[Item]:
    """List the folders of builds."""
    names = await asyncio.to_thread(lambda: sorted(folder.name for folder in services_folder(services).iterdir()))
    reason = "No run has this id: it was made by hand, or for a run that is not in this database."
    items = [Item("folder", FOLDER, "docs")] if (services.get(Home).path / FOLDER).is_dir() else []
    for name in names:
        owner = await _find_owner(services, name)
        items.append(Item("folder", f"{FOLDER}/workspaces/{name}", owner, "" if owner else reason))
    return items


async def _find_owner(services: Services, name: str) -> str | None:
    run_id = parse_id(name.removeprefix(".").removesuffix(".tmp"))
    if run_id is None:
        return None
    async with services.get(Database).read() as session:
        return f"run:{run_id}" if await find_run(session, run_id) else None
