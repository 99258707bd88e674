"""The runtime's journal: what to start is read from the database, and what became of it written there."""

from typing import Any
from uuid import UUID

from roadbed.artifacts.contract import unpack
from roadbed.core.db import Database, outlast_losses
from roadbed.core.sandbox import ProcessIdentity
from roadbed.core.services import Services
from roadbed.environments.repository import instances as rows
from roadbed.environments.repository.instances import PlacedInstance
from roadbed.environments.service.ports import take_port
from roadbed.environments.service.routes import refresh_routes
from roadbed.environments.service.runtime import ports
from roadbed.environments.service.runtime.process import Ended, Launch, ProcessRuntime
from roadbed.environments.types import InstanceState
from roadbed.kit.clock import now
from roadbed.secrets.contract import resolve_all


class DatabaseJournal:
    """Implements `runtime.process.Journal`. A database that is away for a while is waited for."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._database = services.get(Database)

    async def prepare(self, instance_id: UUID) -> Launch | None:
        """Return how to start an instance now; None when it shall not run any more.

        Raises:
            RoadbedError: its artifact or a secret is not there, or no port is free.
        """
        return await outlast_losses(lambda: self._prepare(instance_id))

    async def note_started(self, instance_id: UUID, identity: ProcessIdentity, *, is_isolated: bool) -> None:
        await self._change(
            instance_id,
            {
                "state": InstanceState.RUNNING.value,
                "identity": identity.to_data(),
                "is_isolated": is_isolated,
                "exit_code": None,
                "error": None,
                "started_at": now(),
                "ended_at": None,
            },
        )

    async def note_ended(self, instance_id: UUID, ended: Ended) -> None:
        await self._change(
            instance_id,
            {
                "state": InstanceState.RESTARTING.value,
                "identity": None,
                "restarts": ended.restarts,
                "exit_code": ended.exit_code,
                "error": ended.error,
                "ended_at": now(),
            },
        )

    async def note_stopped(self, instance_id: UUID) -> None:
        await self._change(instance_id, {"state": InstanceState.STOPPED.value, "identity": None, "ended_at": now()})

    async def _change(self, instance_id: UUID, values: dict[str, Any]) -> None:
        async def write() -> None:
            async with self._database.write() as session:
                await rows.change(session, instance_id, values)

        await outlast_losses(write)

    async def _prepare(self, instance_id: UUID) -> Launch | None:
        runtime = self._services.get(ProcessRuntime)
        async with runtime.changing_artifacts:  # asked here: what is not wanted any more may be tidied away
            async with self._database.read() as session:
                placed = await rows.find(session, instance_id)
                if placed is None or not placed.instance.is_wanted:
                    return None
                written = {variable["name"]: variable["value"] for variable in placed.instance.variables}
                environment: dict[str, str] = await resolve_all(session, written)
            folder = runtime.artifact_folder(placed.instance.artifact)
            await unpack(self._services, placed.instance.artifact, folder)
        port = await self._secure_port(placed)
        return Launch(
            label=f"{placed.workload.name} {placed.version}",
            command=tuple(placed.instance.command),
            environment=environment if port is None else {**environment, "PORT": str(port)},
            folder=folder,
        )

    async def _secure_port(self, placed: PlacedInstance) -> int | None:
        """Return the instance's port, or another one when a stranger has taken it in the meantime."""
        port = placed.instance.port
        if port is None or ports.is_free(port):
            return port
        async with self._database.write() as session:
            port = await take_port(session)
            await rows.change(session, placed.instance.id, {"port": port})
        await refresh_routes(self._services)
        return port
