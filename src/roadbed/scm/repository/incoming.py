"""Queries on incoming webhooks and the deliveries that were taken."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.scm.models import IncomingDeliveryRow, IncomingHookRow


async def list_all(session: ReadSession) -> Sequence[IncomingHookRow]:
    return (await session.scalars(select(IncomingHookRow).order_by(IncomingHookRow.url, IncomingHookRow.id))).all()


async def find(session: ReadSession, hook_id: UUID, *, is_locked: bool = False) -> IncomingHookRow | None:
    query = select(IncomingHookRow).where(IncomingHookRow.id == hook_id)
    return (await session.scalars(locking(query) if is_locked else query)).one_or_none()


async def remove(session: WriteSession, hook_id: UUID) -> None:
    await session.execute(delete(IncomingHookRow).where(IncomingHookRow.id == hook_id))


async def add_delivery(session: WriteSession, hook_id: UUID, delivery: str, *, at: datetime) -> bool:
    """Remember a delivery, and tell whether it is new."""
    row = {"hook_id": hook_id, "delivery": delivery, "received_at": at}
    statement = insert(IncomingDeliveryRow).values(row).on_conflict_do_nothing().returning(IncomingDeliveryRow.delivery)
    return (await session.scalar(statement)) is not None


async def forget_deliveries(session: WriteSession, hook_id: UUID, *, before: datetime) -> None:
    old = IncomingDeliveryRow.received_at < before
    await session.execute(delete(IncomingDeliveryRow).where(IncomingDeliveryRow.hook_id == hook_id, old))
