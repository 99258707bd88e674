"""What workloads keep outside the database: processes, folders, ports and routes."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.inventory import Item
from roadbed.core.sandbox import MarkedProcess, Sandbox
from roadbed.core.services import Services
from roadbed.environments.repository import instances as rows
from roadbed.environments.repository.instances import PlacedInstance
from roadbed.environments.service.routes import Routes
from roadbed.environments.service.runtime import ports
from roadbed.environments.service.runtime.ports import Listener
from roadbed.environments.service.runtime.process import ProcessRuntime
from roadbed.kit.ids import parse_id


async def list_inventory(services: Services) -> list[Item]:
    """List it by looking at the machine; processes of pipelines are among them."""
    runtime = services.get(ProcessRuntime)
    processes = await asyncio.to_thread(services.get(Sandbox).list_processes)
    folders = await asyncio.to_thread(runtime.list_folders)
    unpacked = await asyncio.to_thread(runtime.list_unpacked)
    listeners = await asyncio.to_thread(ports.list_listeners, [process.pid for process in processes])
    async with services.get(Database).read() as session:
        placed = await rows.list_placed(session)
        known = await rows.list_known_ids(session, {it for name in folders if (it := parse_id(name)) is not None})
        artifacts = {runtime.artifact_name(digest): digest for digest in await rows.list_kept_artifacts(session)}
    owned = list(_list_processes(processes, placed, services.get(Home).path))
    return [
        Item("folder", "environments", "environments"),
        *(item for _, item in owned),
        *_list_ports({process.pid: item for process, item in owned}, placed, listeners),
        *_list_instance_folders(folders, known),
        *_list_artifact_folders(unpacked, artifacts),
        *_list_routes(services.get(Routes), placed),
    ]


def _details(placed: PlacedInstance) -> dict[str, str | int]:
    return {
        "workload": placed.workload.name,
        "environment": placed.environment.name,
        "application": placed.application.name,
        "version": placed.version,
        "deployment": str(placed.instance.deployment_id),
    }


def _list_processes(
    processes: list[MarkedProcess], placed: list[PlacedInstance], home: Path
) -> Iterator[tuple[MarkedProcess, Item]]:
    owners = {it.instance.identity["cookie"]: it for it in placed if it.instance.identity is not None}
    for process in processes:
        name, details = f"pid {process.pid}", {"pid": process.pid}
        owner = owners.get(process.cookie)
        if owner is not None:
            yield process, Item("process", name, owner.workload.component, details={**details, **_details(owner)})
        elif process.workspace is not None:
            inside = process.workspace.is_relative_to(home.resolve())
            workspace = process.workspace.relative_to(home.resolve()) if inside else process.workspace
            yield process, Item("process", name, f"workspace:{workspace}", details=details)
        else:
            reason = "It runs in a sandbox of this installation, and no workload or pipeline has it."
            yield process, Item("process", name, None, reason, details)


def _list_ports(processes: dict[int, Item], placed: list[PlacedInstance], listeners: list[Listener]) -> Iterator[Item]:
    """List what workloads listen on, and the ports of workloads on which somebody else does."""
    owners = {it.instance.port: it for it in placed if it.instance.port is not None}
    for listener in listeners:
        name, process, owner = f"127.0.0.1:{listener.port}", processes.get(listener.pid), owners.get(listener.port)
        if process is not None:
            reason = "" if process.is_explained else f"Process {listener.pid} listens there, and belongs to nothing."
            yield Item("port", name, process.belongs_to, reason, process.details)
        elif owner is not None:
            place = f"{owner.workload.name} in {owner.environment.name}"
            reason = f"It is the port of {place}, and process {listener.pid} ({listener.name}) listens there."
            yield Item("port", name, None, reason, _details(owner))


def _list_instance_folders(folders: list[str], known: set[UUID]) -> Iterator[Item]:
    for name in folders:
        instance_id = parse_id(name)
        owner, reason = None, ""
        if instance_id is None:
            reason = "Its name is not the id of a workload's process: it was made by hand."
        elif instance_id in known:
            owner = f"instance:{name}"
        else:
            reason = "It is the folder of a workload's process that the database does not know."
        yield Item("folder", f"environments/instances/{name}", owner, reason)


def _list_artifact_folders(names: set[str], artifacts: dict[str, str]) -> Iterator[Item]:
    for name in sorted(names):
        digest = artifacts.get(name)
        reason = "" if digest else "It is an unpacked artifact that no workload runs."
        yield Item("folder", f"environments/artifacts/{name}", f"artifact:{digest}" if digest else None, reason)


def _list_routes(routes: Routes, placed: list[PlacedInstance]) -> Iterator[Item]:
    by_id = {it.instance.id: it for it in placed}
    for route in routes.list_all():
        if route.port is None or route.instance_id is None:
            continue
        owner = by_id.get(route.instance_id)
        reason = "" if owner else "Requests go to a workload's process that does not exist any more."
        yield Item(
            "route",
            f"{route.host} to {route.port}",
            owner.workload.component if owner else None,
            reason,
            _details(owner) if owner else {},
        )
