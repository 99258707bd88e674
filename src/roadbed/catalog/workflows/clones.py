"""The clones of git locations, one a location: where they are, to whom they belong, and removing them."""

import asyncio
import shutil
from pathlib import Path
from uuid import UUID

from roadbed.catalog.repository import locations as location_rows
from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.services import Services

FOLDER = "catalog"
INDEX_FOLDER = "index"
"""Where the snapshot of the index is, beside the clones."""


def clone_of(services: Services, location_id: UUID) -> Path:
    """Return the folder of a location's clone, whether it exists or not."""
    return services.get(Home).folder(FOLDER) / f"{location_id}.git"


async def remove_forgotten(services: Services) -> None:
    """Remove the clones of locations that were deleted."""
    for clone, location_id in await _look(services):
        if location_id is None and clone.suffix == ".git":
            await asyncio.to_thread(shutil.rmtree, clone)


async def list_inventory(services: Services) -> list[Item]:
    """List the clones."""
    reason = "No location has this id: it was deleted, and its clone goes within a minute; or it was made by hand."
    return [
        Item("folder", FOLDER, "catalog"),
        *(
            Item("folder", f"{FOLDER}/{clone.name}", f"location:{owner}" if owner else None, "" if owner else reason)
            for clone, owner in await _look(services)
        ),
    ]


async def _look(services: Services) -> list[tuple[Path, UUID | None]]:
    """Return what is in the folder with its location. The folder is read first: a new location is known by then."""
    found = await asyncio.to_thread(lambda: sorted(services.get(Home).folder(FOLDER).iterdir()))
    async with services.get(Database).read() as session:
        known = {str(one): one for one in await location_rows.list_ids(session)}
    return [(path, known.get(path.stem)) for path in found if path.name != INDEX_FOLDER]
