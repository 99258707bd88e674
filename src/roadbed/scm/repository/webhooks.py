"""Queries on webhooks and their deliveries."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select

from roadbed.core.db import ReadSession, WriteSession
from roadbed.scm.models import WebhookDeliveryRow, WebhookRow


async def list_of(session: ReadSession, repository_id: UUID) -> Sequence[WebhookRow]:
    query = select(WebhookRow).where(WebhookRow.repository_id == repository_id).order_by(WebhookRow.id)
    return (await session.scalars(query)).all()


async def find(session: ReadSession, repository_id: UUID, webhook_id: UUID) -> WebhookRow | None:
    found: WebhookRow | None = await session.scalar(
        select(WebhookRow).where(WebhookRow.id == webhook_id, WebhookRow.repository_id == repository_id)
    )
    return found


async def remove(session: WriteSession, webhook_id: UUID) -> None:
    await session.execute(delete(WebhookRow).where(WebhookRow.id == webhook_id))


async def find_delivery(session: ReadSession, delivery_id: UUID) -> tuple[WebhookDeliveryRow, WebhookRow] | None:
    found = await session.execute(
        select(WebhookDeliveryRow, WebhookRow)
        .join(WebhookRow, WebhookRow.id == WebhookDeliveryRow.webhook_id)
        .where(WebhookDeliveryRow.id == delivery_id)
    )
    row = found.one_or_none()
    return (row[0], row[1]) if row else None


async def list_deliveries(session: ReadSession, webhook_id: UUID, *, limit: int) -> Sequence[WebhookDeliveryRow]:
    """List the newest deliveries first."""
    query = (
        select(WebhookDeliveryRow)
        .where(WebhookDeliveryRow.webhook_id == webhook_id)
        .order_by(WebhookDeliveryRow.id.desc())
        .limit(limit)
    )
    return (await session.scalars(query)).all()
