"""Queries on the audit record."""

from uuid import UUID

from sqlalchemy import select

from roadbed.audit.models import AuditEntry
from roadbed.core.db import ReadSession


async def list_entries(
    session: ReadSession,
    *,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    before_id: UUID | None = None,
    limit: int,
) -> list[AuditEntry]:
    """List entries, newest first, from below `before_id`. `action` may end in `*`."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if subject:
        query = query.where(AuditEntry.subject == subject)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if action:
        is_prefix = action.endswith("*")
        query = query.where(
            AuditEntry.action.startswith(action[:-1], autoescape=True) if is_prefix else AuditEntry.action == action
        )
    if before_id:
        query = query.where(AuditEntry.id < before_id)
    return list(await session.scalars(query))
