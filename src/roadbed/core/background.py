"""The edge of background tasks: what is done again and again says what failed, and goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog

from roadbed.core.errors import TransactionLost

log = structlog.get_logger(__name__)


async def attempt(work: Callable[[], Awaitable[object]], failed: str, **context: Any) -> None:
    """Do a piece of work, and log it when it fails.

    Args:
        work: what to do.
        failed: the event that is logged.
        context: what it is logged with.

    Raises:
        Exception: what failed while the task was being cancelled: cleaning up may raise an error of its own, which
            stands for the cancellation then. Who goes on would never end.
    """
    try:
        await work()
    except Exception as error:
        if isinstance(error, TransactionLost):
            log.warning(failed, error=str(error), **context)
        else:
            log.exception(failed, **context)
        if is_ending():
            raise


async def repeat(work: Callable[[], Awaitable[object]], failed: str, *, seconds: float, **context: Any) -> None:
    """Do a piece of work with a pause after each time, as `attempt` does it, until cancelled."""
    while True:
        await attempt(work, failed, **context)
        await asyncio.sleep(seconds)


def is_ending() -> bool:
    """Tell whether the current task is being cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
