"""The table of audit entries. A trigger of the database refuses changes and deletions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class AuditEntry(Base):
    """One change of state."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_subject_id", "subject", "id"),
        Index("ix_audit_entries_actor_id", "actor", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    actor_id: Mapped[str]
    action: Mapped[str]
    subject: Mapped[str]
    before_digest: Mapped[str | None]
    after_digest: Mapped[str | None]
    detail: Mapped[dict[str, Any]]
    address: Mapped[str | None]
    trace_id: Mapped[str | None]
