"""Background tasks go on after a failure, and end when they are ended."""

import asyncio

import pytest
from structlog.testing import capture_logs

from roadbed.core.background import attempt
from roadbed.core.db import outlast_losses
from roadbed.core.errors import DatabaseAway

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("error", [ValueError("broken"), DatabaseAway("gone")])
async def test_failure_is_logged_and_the_work_goes_on(error: Exception) -> None:
    async def fail() -> None:
        raise error

    with capture_logs() as logs:
        await attempt(fail, "test.failed", number=7)
    level = "warning" if isinstance(error, DatabaseAway) else "error"
    assert [(line["event"], line["log_level"], line["number"]) for line in logs] == [("test.failed", level, 7)]


@pytest.mark.parametrize("error", [ValueError("broken"), DatabaseAway("gone")])
@pytest.mark.parametrize("is_outlasting", [False, True])
async def test_task_ends_although_cleaning_up_fails(error: Exception, is_outlasting: bool) -> None:
    begun = asyncio.Event()

    async def work() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            raise error

    async def repeat() -> None:
        while True:
            await attempt((lambda: outlast_losses(work)) if is_outlasting else work, "test.failed")

    task = asyncio.create_task(repeat())
    await begun.wait()
    task.cancel()
    ended, _ = await asyncio.wait([task], timeout=10)
    assert ended, "the task went on"
    assert task.exception() is error
