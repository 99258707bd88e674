"""The tables of repositories, the refs that were seen in them, change requests, statuses and webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class RepositoryRow(Base):
    """A repository. Its git data lies under its id.

    `writer` names who is changing refs right now; left behind by a crash, it tells the next start what to look at.
    """

    __tablename__ = "repositories"
    __table_args__ = (
        UniqueConstraint("owner", "name"),
        UniqueConstraint("created_by_id", "idempotency_key"),
        Index("ix_repositories_writer", "writer", postgresql_where=text("writer IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner: Mapped[str]
    name: Mapped[str]
    description: Mapped[str]
    default_branch: Mapped[str]
    is_protected: Mapped[bool]
    host: Mapped[str]
    entity_ref: Mapped[str | None]
    required_checks: Mapped[list[str]]
    has_commits: Mapped[bool]
    writer: Mapped[str | None]
    next_number: Mapped[int]
    idempotency_key: Mapped[str | None]
    created_by: Mapped[str]
    created_by_id: Mapped[str]
    created_by_run: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class RefRow(Base):
    """Where a ref was when its last event was published."""

    __tablename__ = "repository_refs"

    repository_id: Mapped[UUID] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True)
    ref: Mapped[str] = mapped_column(primary_key=True)
    sha: Mapped[str]
    seen_at: Mapped[datetime]


class ChangeRequestRow(Base):
    __tablename__ = "change_requests"
    __table_args__ = (
        UniqueConstraint("repository_id", "number"),
        Index("ix_change_requests_open", "repository_id", "source_branch", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    repository_id: Mapped[UUID] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"))
    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    source_branch: Mapped[str]
    target_branch: Mapped[str]
    base_sha: Mapped[str]
    head_sha: Mapped[str]
    paths: Mapped[list[str]]
    state: Mapped[str]
    author: Mapped[str]
    author_id: Mapped[str]
    merged_by: Mapped[str | None]
    merge_sha: Mapped[str | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApprovalRow(Base):
    """One account approves one state of a change request."""

    __tablename__ = "change_request_approvals"

    change_request_id: Mapped[UUID] = mapped_column(
        ForeignKey("change_requests.id", ondelete="CASCADE"), primary_key=True
    )
    actor_id: Mapped[str] = mapped_column(primary_key=True)
    actor: Mapped[str]
    sha: Mapped[str]
    at: Mapped[datetime]


class CommentRow(Base):
    __tablename__ = "change_request_comments"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    change_request_id: Mapped[UUID] = mapped_column(ForeignKey("change_requests.id", ondelete="CASCADE"), index=True)
    actor: Mapped[str]
    actor_id: Mapped[str]
    body: Mapped[str]
    at: Mapped[datetime]


class CommitStatusRow(Base):
    """The newest word of one context about one commit."""

    __tablename__ = "commit_statuses"

    repository_id: Mapped[UUID] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"), primary_key=True)
    sha: Mapped[str] = mapped_column(primary_key=True)
    context: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    description: Mapped[str]
    url: Mapped[str | None]
    updated_at: Mapped[datetime]


class WebhookRow(Base):
    """An address that is told what happens in a repository."""

    __tablename__ = "webhooks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    repository_id: Mapped[UUID] = mapped_column(ForeignKey("repositories.id", ondelete="CASCADE"), index=True)
    url: Mapped[str]
    secret_ref: Mapped[str | None]
    events: Mapped[list[str]]
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class WebhookDeliveryRow(Base):
    """One event for one address, and how sending it went."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"), index=True)
    event: Mapped[str]
    payload: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None]
    status: Mapped[int | None]
    error: Mapped[str | None]


class IncomingHookRow(Base):
    """A repository of another host, whose host may tell of pushes. `refused_at` is when a wrong signature was noted."""

    __tablename__ = "incoming_hooks"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    url: Mapped[str]
    secret_ref: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    refused_at: Mapped[datetime | None]


class IncomingDeliveryRow(Base):
    """A delivery that was taken, so that it is not taken twice."""

    __tablename__ = "incoming_deliveries"

    hook_id: Mapped[UUID] = mapped_column(ForeignKey("incoming_hooks.id", ondelete="CASCADE"), primary_key=True)
    delivery: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
