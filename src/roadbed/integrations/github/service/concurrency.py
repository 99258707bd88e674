"""Several requests at a time, as many as a host likes from one client."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")

AT_ONCE = 8


async def run_all(calls: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Return the results of all calls, in their order. The first failure ends those that have not ended."""
    waiting = list(enumerate(calls))[::-1]
    results: dict[int, T] = {}

    async def work() -> None:
        while waiting:
            number, call = waiting.pop()
            results[number] = await call()

    tasks = [asyncio.create_task(work()) for _ in range(min(AT_ONCE, len(calls)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [results[number] for number in range(len(calls))]
