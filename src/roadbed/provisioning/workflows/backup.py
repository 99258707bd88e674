"""The databases of workloads in a backup: a dump of each, and the verifiers of their passwords.

So a restored database opens with the credentials that its workload has. The server gets the port that it had, unless
somebody else has that now; then the outputs of the resources follow at the next start.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from roadbed.core.home import Home
from roadbed.core.postgres import DumpFailed, PostgresUnavailable, dump_database, restore_database
from roadbed.core.settings import Settings
from roadbed.provisioning.workflows.server import DatabaseWish, WorkloadServer

FOLDER = "workload-databases"
INDEX = "databases.json"


async def write_databases(settings: Settings, home: Home, folder: Path) -> None:
    """Dump each database of a workload into `folder`; the server may be in use.

    Raises:
        DumpFailed: with what `pg_dump` said.
        PostgresUnavailable: the server cannot be reached.
    """
    server = WorkloadServer(home, settings)
    if not server.has_data:
        return
    try:
        if home.is_attached:
            server.attach()
        wishes = await server.list_wishes()
        kept = [wish for wish in wishes if await _dump(server, wish.name, folder)]
    except OSError as error:
        raise PostgresUnavailable(
            f"The PostgreSQL of workloads in {server.folder} does not answer: {error}.",
            hint="See its logs there; stop Roadbed and make the backup again.",
        ) from error
    finally:
        await server.stop()
    values = {"port": server.port, "databases": [asdict(wish) for wish in kept]}
    (folder / INDEX).write_text(json.dumps(values, indent=2))


async def _dump(server: WorkloadServer, name: str, folder: Path) -> bool:
    """Dump one database; False when it was deleted in the meantime."""
    running = await server.start()
    try:
        await dump_database(running.programs, url=running.url(name), file=folder / f"{name}.dump")
    except DumpFailed:
        if await server.has_database(name):
            raise
        return False
    return True


async def read_databases(settings: Settings, home: Home, folder: Path) -> Sequence[str]:
    """Make the databases and roles of `folder` on a new server; returns what people have to do about it."""
    values = json.loads((folder / INDEX).read_text()) if (folder / INDEX).exists() else {"databases": []}
    if not values["databases"]:
        return ()
    server = WorkloadServer(home, settings)
    try:
        running = await server.start(port=values["port"])
        for wish in (DatabaseWish(**one) for one in values["databases"]):
            await server.put_database(wish)
            file = folder / f"{wish.name}.dump"
            await restore_database(running.programs, url=running.url(wish.name), file=file, owner=wish.name)
    finally:
        await server.stop()
    if server.port == values["port"]:
        return ()
    told = f"the port {values['port']} of the workload databases, which is in use here: they are at {server.port} now."
    return (f"{told} Deploy workloads again that take host and port instead of the url",)
