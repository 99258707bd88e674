"""Watching the active instances: are they up, do they answer."""

import asyncio
from uuid import UUID

import structlog

from roadbed.catalog.contract import Health
from roadbed.core.db import Database, outlast_losses
from roadbed.core.loopback import Loopback
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.environments.repository import instances as rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.repository.instances import PlacedWorkload
from roadbed.environments.rules.health import judge
from roadbed.environments.rules.names import host_of
from roadbed.environments.service.health import set_health
from roadbed.environments.service.runtime import probes
from roadbed.environments.service.runtime.process import ProcessRuntime, Supervisor
from roadbed.environments.types import Probe

log = structlog.get_logger(__name__)


class HealthWatch:
    """Looks at every active instance again and again, and has supervised what shall run."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._runtime = services.get(ProcessRuntime)
        self._failures: dict[UUID, int] = {}

    async def run(self) -> None:
        """Look until cancelled. A database that is away is waited for."""
        seconds = self._services.get(Settings).environments.watch_seconds
        while True:
            await outlast_losses(self.look)
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """Look once."""
        async with self._services.get(Database).read() as session:
            wanted = await rows.list_wanted(session)
            placed = await rows.list_workloads(session)
        for instance in wanted:
            self._runtime.supervise(instance.id)
        active = [workload for workload in placed if workload.instance is not None and workload.instance.is_wanted]
        seen = await asyncio.gather(*(self._look_at(workload) for workload in active))
        self._failures = {
            workload.instance.id: failures
            for workload, (_, _, failures) in zip(active, seen, strict=True)
            if workload.instance is not None and failures
        }
        for workload, (health, summary, _) in zip(active, seen, strict=True):
            if workload.workload.health != health.value or workload.workload.health_since is None:
                await self._change(workload, health, summary)

    async def _look_at(self, placed: PlacedWorkload) -> tuple[Health, str, int]:
        """Return the health of a workload, why, and how many probes in a row failed."""
        assert placed.instance is not None
        supervisor = self._runtime.find(placed.instance.id)
        failures = self._failures.get(placed.instance.id, 0)
        if supervisor is None or supervisor.pid is None:
            return judge(is_up=False, is_answering=False, failures=failures), _why_down(supervisor), failures
        is_answering, said = await self._ask(placed)
        failures = 0 if is_answering else failures + 1
        is_up = supervisor.pid is not None  # it may have ended while it was asked
        return judge(is_up=is_up, is_answering=is_answering, failures=failures), said, failures

    async def _ask(self, placed: PlacedWorkload) -> tuple[bool, str]:
        assert placed.instance is not None
        data = placed.instance.probes.get("live") or placed.instance.probes.get("ready")
        if placed.instance.port is None:
            return True, "It runs"
        if data is None:
            return await probes.is_listening(placed.instance.port)
        host = host_of(
            workload=placed.workload.name, environment=placed.environment.name, application=placed.application.name
        )
        probe = Probe(data["path"], data["headers"])
        return await probes.ask(self._services.get(Loopback), port=placed.instance.port, host=host, probe=probe)

    async def _change(self, placed: PlacedWorkload, health: Health, summary: str) -> None:
        assert placed.instance is not None
        async with self._services.get(Database).write() as session:
            workload = await workload_rows.lock_workload(session, placed.workload.id)
            if workload is not None and workload.active_instance_id == placed.instance.id:  # else it was of before
                await set_health(session, workload.id, health, summary)
        log.info(
            "environments.health_changed",
            workload=placed.workload.name,
            environment=placed.environment.name,
            before=placed.workload.health,
            after=health.value,
            summary=summary,
        )


def _why_down(supervisor: Supervisor | None) -> str:
    if supervisor is None or not supervisor.restarts:
        return "It is being started"
    return f"{supervisor.last_words[:1].upper()}{supervisor.last_words[1:]} and is started again"
