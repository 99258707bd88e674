"""Tables of runs."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class Run(Base):
    """Something that happens. `segment` numbers the workflows that carried it; only the newest may move it.

    `parent_step_id` is the step of the parent that asked for it last: that step is undone after this run.
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_kind_id", "kind", "id"),
        Index("ix_runs_subject_id", "subject", "id"),
        Index("ix_runs_open", "state", postgresql_where=text("finished_at IS NULL")),
        UniqueConstraint("kind", "key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str]
    title: Mapped[str]
    subject: Mapped[str | None]
    state: Mapped[str]
    segment: Mapped[int]
    actor: Mapped[dict[str, Any]]
    initiator: Mapped[str] = mapped_column(index=True)
    parent_run_id: Mapped[UUID | None] = mapped_column(ForeignKey("runs.id"), index=True)
    parent_step_id: Mapped[UUID | None] = mapped_column(index=True)
    inputs: Mapped[dict[str, Any]]
    output: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any] | None]
    cancel_requested_at: Mapped[datetime | None]
    is_undo_wanted: Mapped[bool]
    log_bytes: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class RunStep(Base):
    """One step of a run's frozen plan, and how it went. `undone` is what undoing it came to: `taken` and `kept`."""

    __tablename__ = "run_steps"
    __table_args__ = (UniqueConstraint("run_id", "position"), UniqueConstraint("run_id", "key"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    position: Mapped[int]
    key: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    version: Mapped[int]
    inputs: Mapped[dict[str, Any]]
    state: Mapped[str]
    attempt: Mapped[int]
    note: Mapped[str | None]
    progress_done: Mapped[int | None]
    progress_total: Mapped[int | None]
    output: Mapped[dict[str, Any]]
    error: Mapped[dict[str, Any] | None]
    resumed: Mapped[dict[str, Any] | None]
    undone: Mapped[dict[str, Any] | None]
    line_count: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class RunWait(Base):
    """What a step waits for. The unique index makes a second wait of the same step impossible."""

    __tablename__ = "run_waits"
    __table_args__ = (
        Index("ix_run_waits_open", "kind", "key", postgresql_where=text("resolved_at IS NULL")),
        Index("ix_run_waits_until", "until", postgresql_where=text("resolved_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), index=True)
    step_id: Mapped[UUID] = mapped_column(ForeignKey("run_steps.id", ondelete="CASCADE"))
    kind: Mapped[str]
    key: Mapped[str]
    until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    resolved_at: Mapped[datetime | None]


class RunLink(Base):
    """Something a run made, with where to find it."""

    __tablename__ = "run_links"
    __table_args__ = (UniqueConstraint("run_id", "kind", "title"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    step_id: Mapped[UUID]
    kind: Mapped[str]
    title: Mapped[str]
    href: Mapped[str]
    meta: Mapped[str]


class RunLogChunk(Base):
    """Consecutive log lines of one step: `[milliseconds since the epoch, stream, text]` each."""

    __tablename__ = "run_log_chunks"

    step_id: Mapped[UUID] = mapped_column(ForeignKey("run_steps.id", ondelete="CASCADE"), primary_key=True)
    first_line: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    last_line: Mapped[int] = mapped_column(BigInteger)
    lines: Mapped[list[Any]]
