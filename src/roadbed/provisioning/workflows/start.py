"""What is done with the PostgreSQL of workloads when Roadbed starts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from roadbed.core.actor import system_actor
from roadbed.core.db import Database
from roadbed.core.errors import RoadbedError
from roadbed.core.services import Services
from roadbed.provisioning import repository
from roadbed.provisioning.models import Resource
from roadbed.provisioning.rules.requests import database_name, label_of
from roadbed.provisioning.service import records
from roadbed.provisioning.workflows.local import DRIVER, outputs_of
from roadbed.provisioning.workflows.server import WorkloadServer

log = structlog.get_logger(__name__)

ACTOR = system_actor("provisioning")


@asynccontextmanager
async def start_again(services: Services) -> AsyncIterator[None]:
    """Start the server when it was in use before: workloads need it, and one left by a killed Roadbed is adopted."""
    server = services.get(WorkloadServer)
    if server.has_data:
        try:
            await server.start()
            await follow_port(services, port=server.port)
        except RoadbedError as error:  # Roadbed runs without it; steps that need it fail with this reason
            log.exception("workload_postgres.not_started", reason=error.message, hint=error.hint)
    yield


async def follow_port(services: Services, *, port: int) -> None:
    """Bring the outputs of resources to the port that the server has."""
    database = services.get(Database)
    async with database.read() as session:
        rows = await repository.list_of_driver(session, DRIVER)
    for row in (row for row in rows if row.outputs.get("port", port) != port):
        try:
            await _readdress(database, row, port=port)
        except RoadbedError as error:  # such as a secret that cannot be read; the others follow nonetheless
            log.exception("provisioning.not_readdressed", resource=str(row.id), reason=error.message, hint=error.hint)


async def _readdress(database: Database, row: Resource, *, port: int) -> None:
    name = database_name(label_of(row.application, row.environment, row.name), row.id)
    async with database.write() as session:
        secrets = await records.read_secrets(session, row)
        outputs = outputs_of(name, port=port, password=secrets["password"])
        await records.put_address(session, ACTOR, row.id, outputs)
