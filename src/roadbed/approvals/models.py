"""The table of approvals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class Approval(Base):
    """One question with its answer. `round` counts the questions of one key: after a rejection it may be asked anew."""

    __tablename__ = "approvals"
    __table_args__ = (
        UniqueConstraint("key", "round"),
        Index("ix_approvals_waiting", "expires_at", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str]
    round: Mapped[int]
    title: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    detail: Mapped[str]
    href: Mapped[str | None]
    approvers: Mapped[list[str]]
    asked_by: Mapped[str]
    askers: Mapped[list[str]]
    is_four_eyes: Mapped[bool]
    run_id: Mapped[UUID | None] = mapped_column(index=True)
    step_id: Mapped[UUID | None]
    state: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    comment: Mapped[str]
