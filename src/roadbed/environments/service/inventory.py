"""What workloads keep outside the database: processes, folders, ports and routes."""

import asyncio

from roadbed.core.db import Database
from roadbed.core.inventory import Item
from roadbed.core.sandbox import Sandbox
from roadbed.core.services import Services
from roadbed.environments.repository import instances as rows
from roadbed.environments.repository.instances import PlacedInstance
from roadbed.environments.service.routes import Routes
from roadbed.environments.service.runtime import ports
from roadbed.environments.service.runtime.process import ProcessRuntime


async def list_inventory(services: Services) -> list[Item]:
    """List it by looking at the machine; processes of pipelines are among them."""
    runtime = services.get(ProcessRuntime)
    folders = await asyncio.to_thread(runtime.list_folders)
    unpacked = await asyncio.to_thread(runtime.list_unpacked)
    async with services.get(Database).read() as session:
        placed = await rows.list_placed(session)
        known = await rows.list_known_ids(session, folders)
        artifacts = {runtime.artifact_name(digest): digest for digest in await rows.list_kept_artifacts(session)}
    items = await asyncio.to_thread(_list_processes, services, placed)
    items += [Item("folder", f"instance {it}", f"instance:{it}" if it in known else None) for it in sorted(folders)]
    for name in sorted(unpacked):
        items.append(Item("folder", f"artifact {name}", f"artifact:{artifacts[name]}" if name in artifacts else None))
    for it in placed:
        if it.instance.port is not None and not await asyncio.to_thread(ports.is_free, it.instance.port):
            items.append(Item("port", f"127.0.0.1:{it.instance.port}", it.workload.component))
    components = {it.workload.id: it.workload.component for it in placed}
    for route in services.get(Routes).list_all():
        if route.port is not None:
            items.append(Item("route", f"{route.host} to {route.port}", components.get(route.workload_id)))
    return items


def _list_processes(services: Services, placed: list[PlacedInstance]) -> list[Item]:
    owners = {
        it.instance.identity["cookie"]: it.workload.component for it in placed if it.instance.identity is not None
    }
    return [
        Item("process", f"pid {pid}", owners.get(cookie, "sandbox" if is_known else None))
        for pid, cookie, is_known in services.get(Sandbox).list_processes()
    ]
