"""Removing folders that nothing needs any more: of instances that ended, and of artifacts that nothing runs."""

import asyncio
from uuid import UUID

import structlog

from roadbed.artifacts.contract import remove_unpacked
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.environments.repository import instances as rows
from roadbed.environments.service.runtime.process import ProcessRuntime
from roadbed.kit.ids import parse_id

log = structlog.get_logger(__name__)

KEPT_INSTANCES = 3
"""So many instances of each workload keep their logs, the running one among them."""


async def tidy(services: Services) -> None:
    """Remove what is not needed. What is there for a start that is under way is in the database already.

    What has another kind of name was put there by somebody, and stays.
    """
    runtime = services.get(ProcessRuntime)
    async with runtime.changing_artifacts:
        folders = {it for name in await asyncio.to_thread(runtime.list_folders) if (it := parse_id(name)) is not None}
        unpacked = {name for name in await asyncio.to_thread(runtime.list_unpacked) if name.startswith("sha256-")}
        # The folders are listed first: what is added while the database is asked is not among them.
        async with services.get(Database).read() as session:
            kept = await rows.list_kept_ids(session, latest=KEPT_INSTANCES)
            needed = {runtime.artifact_name(digest) for digest in await rows.list_kept_artifacts(session)}
        await asyncio.to_thread(_remove, runtime, folders - kept, unpacked - needed)


def _remove(runtime: ProcessRuntime, instance_ids: set[UUID], artifacts: set[str]) -> None:
    for instance_id in instance_ids:
        runtime.forget(instance_id)
    for name in artifacts:
        remove_unpacked(runtime.artifacts / name)
    if instance_ids or artifacts:
        log.info("environments.tidied", instances=len(instance_ids), artifacts=len(artifacts))
