"""Delivers events to their consumers: one task for each consumer, so that a slow or failing one holds up nobody else.

A consumer is woken by the NOTIFY of its event, and by one query a second for all of them: it finds what is to be tried
again, and what a lost notification left behind (a pooler, a dropped connection).
"""

import asyncio
from dataclasses import fields
from datetime import timedelta
from typing import Any

import structlog

from roadbed.core.background import attempt, repeat
from roadbed.core.db import Database
from roadbed.core.events import (
    CHANNEL,
    CONSUMERS,
    Consumer,
    DeliveryRow,
    Envelope,
    EventRow,
    list_due_consumers,
    purge,
    take_next,
)
from roadbed.core.extension import Registry
from roadbed.core.listen import listen
from roadbed.kit.clock import now

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0
FIRST_RETRY_SECONDS = 1.0
LONGEST_RETRY_SECONDS = 300.0
PURGE_AFTER = timedelta(days=14)
PURGE_EVERY_SECONDS = 3600.0


class Dispatcher:
    """Runs the consumers of one process. Several processes share the work by row locks."""

    def __init__(self, database: Database, registry: Registry, *, is_host: bool) -> None:
        self._database = database
        self._consumers = [one for one in registry.get(CONSUMERS) if is_host or not one.needs_host]
        self._wakers = {consumer.name: asyncio.Event() for consumer in self._consumers}
        self._tasks: list[asyncio.Task[None]] = []
        names = [consumer.name for consumer in self._consumers]
        if len(names) != len(set(names)):
            raise ValueError(f"two consumers share a name: {sorted(names)}")

    def start(self) -> None:
        polling = repeat(self._wake_due, "events.poll_failed", seconds=POLL_SECONDS)
        purging = repeat(self._purge_old, "events.purge_failed", seconds=PURGE_EVERY_SECONDS)
        self._tasks.append(asyncio.create_task(listen(self._database, CHANNEL, self._wake), name="events: listen"))
        self._tasks.append(asyncio.create_task(polling, name="events: poll"))
        self._tasks.append(asyncio.create_task(purging, name="events: purge"))
        for consumer in self._consumers:
            self._tasks.append(asyncio.create_task(self._consume(consumer), name=f"events: {consumer.name}"))

    async def stop(self) -> None:
        """Let each delivery that is being handled end or roll back, then stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    def _wake(self, event_name: str) -> None:
        """Wake the consumers of an event; after a (re)connection, which names none, the poll finds what was missed."""
        for consumer in self._consumers:
            if consumer.event.name == event_name:
                self._wakers[consumer.name].set()

    async def _wake_due(self) -> None:
        async with self._database.read() as session:
            due = await list_due_consumers(session)
        for name in due:
            if name in self._wakers:
                self._wakers[name].set()

    async def _consume(self, consumer: Consumer[Any]) -> None:
        waker = self._wakers[consumer.name]
        while True:
            await waker.wait()
            waker.clear()
            await attempt(lambda: self._deliver(consumer), "events.delivery_failed", consumer=consumer.name)

    async def _deliver(self, consumer: Consumer[Any]) -> None:
        while await self._deliver_next(consumer):
            pass

    async def _deliver_next(self, consumer: Consumer[Any]) -> bool:
        """Handle one delivery. Returns False when none is due."""
        delivery: DeliveryRow | None = None
        try:
            async with self._database.write() as session:
                taken = await take_next(session, consumer.name)
                if taken is None:
                    return False
                delivery, row = taken
                await consumer.handle(session, _envelope(consumer, row))
                delivery.done_at = now()
        except Exception as error:
            if delivery is None:
                raise
            log.warning(
                "events.consumer_failed", consumer=consumer.name, event_id=str(delivery.event_id), error=repr(error)
            )
            await self._record_failure(consumer.name, delivery, error)
        return True

    async def _record_failure(self, name: str, failed: DeliveryRow, error: Exception) -> None:
        async with self._database.write() as session:
            delivery = await session.get_one(DeliveryRow, (failed.event_id, name), with_for_update=True)
            delivery.attempts += 1
            delay = min(FIRST_RETRY_SECONDS * 2 ** (delivery.attempts - 1), LONGEST_RETRY_SECONDS)
            delivery.next_attempt_at = now() + timedelta(seconds=delay)
            delivery.last_error = f"{type(error).__name__}: {error}"[:2000]

    async def _purge_old(self) -> None:
        async with self._database.write() as session:
            await purge(session, before=now() - PURGE_AFTER)


def _envelope(consumer: Consumer[Any], row: EventRow) -> Envelope[Any]:
    known = {field.name for field in fields(consumer.event)}
    return Envelope(
        row.id, row.at, consumer.event(**{key: value for key, value in row.payload.items() if key in known})
    )
