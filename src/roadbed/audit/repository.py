"""Queries on the audit record."""

from uuid import UUID

from sqlalchemy import select, text

from roadbed.audit.models import AuditEntry
from roadbed.core.db import ReadSession, WriteSession


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


async def forbid_changes(session: WriteSession) -> None:
    """Have the database refuse to change or delete entries, whoever asks."""
    await session.execute(
        text(
            "CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'audit entries are never changed or deleted'; END $$"
        )
    )
    await session.execute(
        text(
            "CREATE OR REPLACE TRIGGER audit_entries_are_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entries "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
        )
    )
