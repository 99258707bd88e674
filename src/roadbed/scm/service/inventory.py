"""What the git host keeps outside the database: the folder of each repository."""

import asyncio
from uuid import UUID

from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.services import Services
from roadbed.kit.ids import parse_id
from roadbed.scm.repository import repositories as table
from roadbed.scm.service.host import BuiltinHost


async def list_inventory(services: Services) -> list[Item]:
    """List what is in the folder of repositories."""
    host = services.get(BuiltinHost)
    host.require_here()
    names = await asyncio.to_thread(lambda: sorted(path.name for path in host.folder.iterdir()))
    async with services.get(Database).read() as session:
        known = await table.list_full_names(session)
    home = services.get(Home).path
    return [
        *(Item("folder", name, "scm") for name in ("repositories", "tmp") if (home / name).is_dir()),
        *(_describe(name, known) for name in names if not name.endswith(".lock")),
    ]


def _describe(name: str, known: dict[UUID, str]) -> Item:
    text, _, ending = name.partition(".")
    repository_id = parse_id(text)
    full_name = known.get(repository_id) if repository_id is not None else None
    if full_name is None:
        return Item("repository", name, None, "No repository has this id: it was deleted, or never recorded.")
    if ending != "git":
        return Item("repository", name, None, f"It was to become the folder of {full_name}, and did not.")
    return Item("repository", name, f"repository:{full_name}", details={"repository": full_name})
