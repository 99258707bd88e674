"""The driver `local` for PostgreSQL: a role and a database on the workload server of this machine."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from roadbed.core.home import Home
from roadbed.core.postgres.config import HOST
from roadbed.provisioning.rules.requests import database_name
from roadbed.provisioning.rules.scram import scram_verifier
from roadbed.provisioning.types import DEFAULT_CLASS, Change, Observation, Outputs, ResourceContext
from roadbed.provisioning.workflows.server import DatabaseWish, WorkloadServer

DRIVER = "local"
DUMPS = "dumps"
DEFAULT_CONNECTIONS = 20
_PASSWORD_BYTES = 24


class LocalPostgres:
    """Databases for development and for small installations. There is one server, so no failover.

    The definition's inputs: `connections`, how many one resource may have: a number, or one for each class.
    """

    name = DRIVER
    types = frozenset({"postgres"})

    async def plan(self, context: ResourceContext) -> Sequence[Change]:
        database = self._database(context)
        if not await self._server(context).has_database(database):
            return [Change("create", f"database and role {database}, {self._connections(context)} connections")]
        if "password" not in context.secrets or context.applied is None:
            return [Change("update", f"credentials of {database}")]
        before = connections_of(context.applied["inputs"], context.applied["class"])
        wanted = self._connections(context)
        return [Change("update", f"connections of {database}: {before} → {wanted}")] if before != wanted else []

    async def apply(self, context: ResourceContext) -> Outputs:
        database = self._database(context)
        server = self._server(context)
        password = context.secrets.get("password") or secrets.token_urlsafe(_PASSWORD_BYTES)
        connections = self._connections(context)
        await server.put_database(DatabaseWish(database, scram_verifier(password), connections))
        context.log(f"Database and role {database} on {HOST}:{server.port}, at most {connections} connections")
        return outputs_of(database, port=server.port, password=password)

    async def destroy(self, context: ResourceContext) -> str | None:
        database = self._database(context)
        dump = context.services.get(Home).folder(DUMPS) / f"{database}-{context.operation}.dump"
        await self._server(context).drop_database(database, dump=dump)
        if not dump.exists():
            context.log(f"There was no database {database}, so there is no dump")
            return None
        context.log(f"Dumped into {dump} ({dump.stat().st_size:,} bytes), then dropped with its role")
        return str(dump)

    async def observe(self, context: ResourceContext) -> Observation:
        database = self._database(context)
        exists = await self._server(context).has_database(database)
        return Observation(exists, f"The database {database} {'exists' if exists else 'does not exist'}.")

    def _server(self, context: ResourceContext) -> WorkloadServer:
        return context.services.get(WorkloadServer)

    def _database(self, context: ResourceContext) -> str:
        return database_name(context.label, context.id)

    def _connections(self, context: ResourceContext) -> int:
        return connections_of(context.inputs, context.class_)


def outputs_of(database: str, *, port: int, password: str) -> Outputs:
    """Return what a workload needs to use its database."""
    values = {"host": HOST, "port": port, "database": database, "name": database, "username": database}
    url = f"postgresql://{database}:{password}@{HOST}:{port}/{database}"
    return Outputs(values, {"password": password, "url": url})


def connections_of(inputs: Mapping[str, Any], class_: str) -> int:
    """Return how many connections a resource of a class may have."""
    given = inputs.get("connections", DEFAULT_CONNECTIONS)
    if isinstance(given, Mapping):
        given = given.get(class_, given.get(DEFAULT_CLASS, DEFAULT_CONNECTIONS))
    return int(given)
