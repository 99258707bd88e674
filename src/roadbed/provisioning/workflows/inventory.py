"""What provisioning keeps outside the database: databases and roles for workloads, their server, their last dumps."""

from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.postgres.config import HOST
from roadbed.core.services import Services
from roadbed.provisioning import repository
from roadbed.provisioning.rules.requests import database_name, label_of
from roadbed.provisioning.workflows.local import DRIVER, DUMPS
from roadbed.provisioning.workflows.server import FOLDER, WorkloadServer

SERVER = "provisioning: PostgreSQL for workloads"


async def list_inventory(services: Services) -> list[Item]:
    """List it by asking the server for workloads, which is started if it was ever used."""
    server = services.get(WorkloadServer)
    databases, roles = await server.list_databases(), await server.list_roles()
    owners = await _list_owners(services)
    items = [
        Item(kind, name, *owners.get(name, (None, "No resource has it: it was deleted, or made by hand.")))
        for kind, names in (("database", databases), ("role", roles))
        for name in names
    ]
    home = services.get(Home).path
    items += [Item("folder", name, "provisioning") for name in (FOLDER, DUMPS) if (home / name).exists()]
    if server.pid is not None:
        details: dict[str, str | int] = {"pid": server.pid, "port": server.port}
        items.append(Item("process", f"pid {server.pid}", SERVER, details=details))
        items.append(Item("port", f"{HOST}:{server.port}", SERVER, details=details))
    return items


async def _list_owners(services: Services) -> dict[str, tuple[str, str, dict[str, str | int]]]:
    """Return what each database belongs to by its name, as the arguments of an item."""
    async with services.get(Database).read() as session:
        rows = await repository.list_of_driver(session, DRIVER)
    return {
        database_name(label_of(row.application, row.environment, row.name), row.id): (
            f"resource:{row.id}",
            "",
            {"application": row.application, "environment": row.environment, "resource": row.name},
        )
        for row in rows
    }
