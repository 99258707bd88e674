"""The one sandbox of the running server.

Whoever keeps workloads adopts them and then calls `sweep`, once and before workflows are launched: a sweep that does
not know the workloads would end them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from roadbed.core.home import Home
from roadbed.core.sandbox.detection import detect_isolation
from roadbed.core.sandbox.runner import Sandbox
from roadbed.core.services import Services

log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_sandbox(services: Services) -> AsyncIterator[None]:
    """Find out which isolation works here and provide the `Sandbox`."""
    home = services.get(Home)
    isolation = await asyncio.to_thread(detect_isolation)
    report = log.info if isolation.is_isolated else log.warning
    report("sandbox.ready", mechanism=isolation.mechanism.value, reason=isolation.reason)
    services.put(Sandbox, Sandbox(isolation, hidden=(home.path,), scope=home.executor_id))
    yield
