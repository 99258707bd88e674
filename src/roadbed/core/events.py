"""Events: what happened, told to whoever subscribed, at least once and in order for each aggregate.

An event is written in the transaction of the change it tells of (transactional outbox), with one delivery row for each
consumer. A delivery is handled in a transaction of its own which also marks it done, so a consumer that only writes to
the database acts exactly once; others must be idempotent by `event.id`. A failing consumer is retried with backoff,
holds back only later events of the same aggregate for itself, and is listed by `list_failing`.

Events of one aggregate are ordered by `position`: writing them takes a transaction lock on the aggregate, so positions
are given in commit order. They are written as the last part of their transaction, in the order of aggregates, so that
two which publish about the same things never wait for each other.
"""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, Select, bindparam, delete, func, select, text
from sqlalchemy.orm import Mapped, aliased, mapped_column

from roadbed.core.db import Base, ReadSession, WriteSession, lock_transaction, locking
from roadbed.core.extension import ContributionKind, Registry, Slot
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

CHANNEL = "roadbed_events"
_OUTBOX = "events"


@dataclass(frozen=True, kw_only=True)
class Event:
    """Base of all events: frozen dataclasses of JSON values, named in the past tense (`catalog.entity_changed`)."""

    name: ClassVar[str]

    @property
    def aggregate(self) -> str:
        """What the event is about; events of one aggregate arrive in order."""
        raise NotImplementedError


EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True)
class Envelope(Generic[EventT]):
    """An event on its way: the same `id` at each attempt."""

    id: UUID
    at: datetime
    event: EventT


@dataclass(frozen=True)
class Consumer(Generic[EventT]):
    """A subscription. `name` is stored and must stay the same; `handle` runs in a transaction of its own.

    With `needs_host` it runs only on the host (core.replica).
    """

    name: str
    event: type[EventT]
    handle: Callable[[WriteSession, Envelope[EventT]], Awaitable[None]]
    needs_host: bool = False


CONSUMERS: Slot[Consumer[Any]] = Slot(ContributionKind.CONSUMER, Consumer)


class EventRow(Base):
    __tablename__ = "events"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=True), unique=True)
    name: Mapped[str]
    aggregate: Mapped[str]
    payload: Mapped[dict[str, Any]]
    at: Mapped[datetime] = mapped_column(index=True)


class DeliveryRow(Base):
    """One event for one consumer. `done_at` is null until it was handled."""

    __tablename__ = "event_deliveries"
    __table_args__ = (
        Index(
            "ix_event_deliveries_pending", "consumer", "aggregate", "position", postgresql_where=text("done_at IS NULL")
        ),
    )

    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), primary_key=True)
    consumer: Mapped[str] = mapped_column(primary_key=True)
    aggregate: Mapped[str]
    position: Mapped[int] = mapped_column(BigInteger)
    attempts: Mapped[int] = mapped_column(default=0)
    next_attempt_at: Mapped[datetime]
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]


def _select_next_delivery() -> Select[DeliveryRow, EventRow]:
    elder = aliased(DeliveryRow)
    is_waited_for = select(elder.event_id).where(
        elder.consumer == DeliveryRow.consumer,
        elder.aggregate == DeliveryRow.aggregate,
        elder.position < DeliveryRow.position,
        elder.done_at.is_(None),
    )
    query = (
        select(DeliveryRow, EventRow)
        .join(EventRow, EventRow.id == DeliveryRow.event_id)
        .where(DeliveryRow.consumer == bindparam("consumer"), *_IS_DUE, ~is_waited_for.exists())
        .order_by(DeliveryRow.position)
        .limit(1)
    )
    return locking(query, of=DeliveryRow, skip_locked=True)


# Asked all the time: putting such a query together takes longer than running it.
_IS_DUE = (DeliveryRow.done_at.is_(None), DeliveryRow.next_attempt_at <= bindparam("at"))
_DUE_CONSUMERS = select(DeliveryRow.consumer).where(*_IS_DUE).distinct()
_NEXT_DELIVERY = _select_next_delivery()


@dataclass(frozen=True)
class FailingDelivery:
    """A delivery that failed and will be tried again at `next_attempt_at`."""

    consumer: str
    event_name: str
    aggregate: str
    attempts: int
    error: str
    next_attempt_at: datetime


def publish(session: WriteSession, event: Event) -> None:
    """Have `event` written with this transaction, to be delivered after its commit."""
    outbox: list[Event] = session.info.setdefault(_OUTBOX, [])
    if not outbox:
        session.before_commit.append(partial(_write_outbox, session, outbox))
    outbox.append(event)


async def _write_outbox(session: WriteSession, outbox: list[Event]) -> None:
    for event in sorted(outbox, key=lambda one: one.aggregate):
        await _write(session, event)


async def _write(session: WriteSession, event: Event) -> None:
    await lock_transaction(session, f"event:{event.aggregate}")
    row = EventRow(id=new_id(), name=event.name, aggregate=event.aggregate, payload=asdict(event), at=now())
    session.add(row)
    await session.flush()  # the database gives the position that the deliveries are ordered by
    for consumer in session.services.get(Registry).get(CONSUMERS):
        if consumer.event is type(event):
            session.add(
                DeliveryRow(
                    event_id=row.id,
                    consumer=consumer.name,
                    aggregate=row.aggregate,
                    position=row.position,
                    attempts=0,
                    next_attempt_at=row.at,
                )
            )
    await session.execute(select(func.pg_notify(CHANNEL, event.name)))


async def list_due_consumers(session: ReadSession) -> list[str]:
    """List the consumers that have a delivery whose time has come."""
    return list(await session.scalars(_DUE_CONSUMERS, {"at": now()}))


async def take_next(session: WriteSession, consumer: str) -> tuple[DeliveryRow, EventRow] | None:
    """Lock and return the next due delivery of `consumer`: the oldest of an aggregate none of whose elders is open."""
    row = (await session.execute(_NEXT_DELIVERY, {"consumer": consumer, "at": now()})).one_or_none()
    return (row[0], row[1]) if row else None


async def list_failing(session: ReadSession) -> list[FailingDelivery]:
    """List the first 100 deliveries that failed and are not done yet, oldest first."""
    rows = await session.execute(
        select(DeliveryRow, EventRow.name)
        .join(EventRow, EventRow.id == DeliveryRow.event_id)
        .where(DeliveryRow.done_at.is_(None), DeliveryRow.attempts > 0)
        .order_by(DeliveryRow.position)
        .limit(100)
    )
    return [
        FailingDelivery(row.consumer, name, row.aggregate, row.attempts, row.last_error or "", row.next_attempt_at)
        for row, name in rows
    ]


async def measure_lag(session: ReadSession) -> tuple[int, float]:
    """Return how many deliveries are open, and the age in seconds of the oldest."""
    count, oldest = (
        await session.execute(
            select(func.count(), func.min(EventRow.at))
            .select_from(DeliveryRow)
            .join(EventRow, EventRow.id == DeliveryRow.event_id)
            .where(DeliveryRow.done_at.is_(None))
        )
    ).one()
    return count, (now() - oldest).total_seconds() if count else 0.0


async def purge(session: WriteSession, *, before: datetime) -> None:
    """Delete events older than `before` whose deliveries are all done."""
    is_open = select(DeliveryRow.event_id).where(DeliveryRow.event_id == EventRow.id, DeliveryRow.done_at.is_(None))
    await session.execute(delete(EventRow).where(EventRow.at < before, ~is_open.exists()))
