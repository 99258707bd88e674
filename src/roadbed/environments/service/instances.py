"""The life of an instance: added, started, found ready, made active, retired.

Each verb may be called again after a crash. Those that take a session only write; those that take `Services` act on
processes and write in transactions of their own.
"""

import asyncio
import time
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from roadbed.core.db import Database, WriteSession
from roadbed.core.loopback import Loopback
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.environments.errors import WorkloadNotReady
from roadbed.environments.repository import instances as rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.repository.instances import PlacedInstance
from roadbed.environments.rules.names import host_of
from roadbed.environments.service.health import clear_health
from roadbed.environments.service.ports import take_port
from roadbed.environments.service.routes import refresh_routes
from roadbed.environments.service.runtime import probes
from roadbed.environments.service.runtime.logs import OWN_LINE, LogSlice
from roadbed.environments.service.runtime.ports import find_stranger
from roadbed.environments.service.runtime.process import ProcessRuntime
from roadbed.environments.service.tidying import tidy
from roadbed.environments.types import InstanceState, Probe, Variable, WorkloadSpec
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.secrets.contract import SecretMask

ENDS_UNTIL_GIVEN_UP = 3
_POLL_SECONDS = 0.1
_LAST_LINES = 20
_LAST_LINE_LENGTH = 300


@dataclass(frozen=True, kw_only=True)
class InstanceWish:
    """What an instance shall run. There is one for each workload of a deployment."""

    workload_id: UUID
    deployment_id: UUID
    artifact: str
    spec: WorkloadSpec
    variables: tuple[Variable, ...]


async def add_instance(session: WriteSession, wish: InstanceWish) -> UUID:
    """Write down that an instance shall run, and return its id; `start_instance` starts it after the commit.

    Raises:
        NoFreePort: all ports for workloads are in use.
    """
    port = None if wish.spec.port is None else await take_port(session)
    row = await rows.put(
        session,
        {
            "id": new_id(),
            "workload_id": wish.workload_id,
            "deployment_id": wish.deployment_id,
            "artifact": wish.artifact,
            "command": list(wish.spec.command),
            "variables": [asdict(variable) for variable in wish.variables],
            "probes": {"ready": _probe_data(wish.spec.ready), "live": _probe_data(wish.spec.live)},
            "port": port,
            "is_wanted": True,
            "state": InstanceState.STARTING.value,
            "identity": None,
            "is_isolated": True,
            "restarts": 0,
            "exit_code": None,
            "error": None,
            "created_at": now(),
            "started_at": None,
            "ended_at": None,
        },
    )
    return row.id


def start_instance(services: Services, instance_id: UUID) -> None:
    """Have an instance run from now on; nothing happens when it does already."""
    services.get(ProcessRuntime).supervise(instance_id)


async def wait_until_ready(services: Services, instance_id: UUID) -> str:
    """Return, in words, what showed that a started instance is ready.

    Raises:
        WorkloadNotReady: it was not in time, ended again and again, or was stopped. `log` holds its last lines.
    """
    runtime = services.get(ProcessRuntime)
    seconds = services.get(Settings).environments.ready_seconds
    deadline = time.monotonic() + seconds
    async with services.get(Database).read() as session:
        placed = await rows.find(session, instance_id)
    if placed is None:
        raise WorkloadNotReady("The instance does not exist any more.", hint="Deploy again.")
    said = "it has not started yet"
    while True:
        supervisor = runtime.find(instance_id)
        if supervisor is None:
            raise _not_ready(services, placed, "was stopped before it was ready")
        if supervisor.pid is not None:
            is_ready, said = await _ask_ready(services, placed, supervisor.pid)
            if is_ready and supervisor.pid is not None:
                return said
        if supervisor.restarts >= ENDS_UNTIL_GIVEN_UP:
            raise _not_ready(services, placed, f"does not stay up: {supervisor.last_words}")
        if time.monotonic() > deadline:
            raise _not_ready(services, placed, f"was not ready within {seconds} s: {said}")
        await asyncio.sleep(_POLL_SECONDS)


async def retire_instance(services: Services, instance_id: UUID) -> None:
    """End an instance for good. Its log is kept for a while; if it was the active one, nothing answers any more."""
    async with services.get(Database).write() as session:
        placed = await rows.find(session, instance_id)
        workload = await workload_rows.lock_workload(session, placed.workload.id) if placed else None
        if workload is None:
            return
        await rows.change(session, instance_id, {"is_wanted": False})
        if workload.active_instance_id == instance_id:
            workload.active_instance_id = None
            await clear_health(session, workload.id)
    await refresh_routes(services)
    await services.get(ProcessRuntime).stop(instance_id)
    await tidy(services)


def read_log(
    services: Services,
    instance_id: UUID,
    *,
    position: int | None = None,
    before: int | None = None,
    limit: int = 500,
) -> LogSlice:
    """Return lines that an instance printed, with secret values masked.

    Args:
        services: of the server.
        instance_id: whose.
        position: where to begin, from an earlier slice; None gives the last lines.
        before: where the last lines end, for pages that go back.
        limit: at most so many lines.
    """
    found = services.get(ProcessRuntime).log_of(instance_id).read(position=position, before=before, limit=limit)
    mask = services.get(SecretMask)
    return replace(found, lines=[mask.mask(line) for line in found.lines])


def probe_of(placed: PlacedInstance, *names: str) -> Probe | None:
    """Return the first of these probes that the instance has."""
    for name in names:
        data = placed.instance.probes.get(name)
        if data is not None:
            return Probe(data["path"], data["headers"])
    return None


def host_name(placed: PlacedInstance) -> str:
    """Return the name under which the workload is reached."""
    return host_of(
        workload=placed.workload.name, environment=placed.environment.name, application=placed.application.name
    )


async def _ask_ready(services: Services, placed: PlacedInstance, pid: int) -> tuple[bool, str]:
    port = placed.instance.port
    probe = probe_of(placed, "ready")
    if port is None:
        return True, "it runs"
    if probe is None:
        is_ready, said = await probes.is_listening(port)
    else:
        is_ready, said = await probes.ask(services.get(Loopback), port=port, host=host_name(placed), probe=probe)
    stranger = await asyncio.to_thread(find_stranger, port, pid) if is_ready else None
    if stranger is not None:
        return False, f"its port {port} is held by {stranger}; the next deployment takes another one"
    return is_ready, said


def _not_ready(services: Services, placed: PlacedInstance, what: str) -> WorkloadNotReady:
    lines = read_log(services, placed.instance.id, limit=_LAST_LINES).lines
    printed = [line.strip() for line in lines if line.strip() and not line.startswith(OWN_LINE)]
    last = f" The last that it printed: {printed[-1][:_LAST_LINE_LENGTH]}" if printed else ""
    return WorkloadNotReady(
        f"{placed.workload.name} in {placed.environment.name} {what}.{last}",
        hint="Its log says more; the version before goes on serving.",
        log=lines,
    )


def _probe_data(probe: Probe | None) -> dict[str, Any] | None:
    return None if probe is None else {"path": probe.path, "headers": dict(probe.headers)}
