"""Tables of environments."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class Application(Base):
    """What is deployed together. Bound to an entity's uid; `name` is its part of addresses."""

    __tablename__ = "applications"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    entity_uid: Mapped[UUID] = mapped_column(unique=True)
    entity_ref: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class Environment(Base):
    """One application's environment of a type. `set_id` is what it is equal to."""

    __tablename__ = "environments"
    __table_args__ = (UniqueConstraint("application_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    application_id: Mapped[UUID] = mapped_column(ForeignKey("applications.id", ondelete="CASCADE"))
    name: Mapped[str]
    type: Mapped[str]
    order: Mapped[int]
    set_id: Mapped[str | None] = mapped_column(ForeignKey("deployment_sets.id"))
    created_at: Mapped[datetime]


class DeploymentSet(Base):
    """Everything that runs in an environment; `id` is the digest of `content`."""

    __tablename__ = "deployment_sets"

    id: Mapped[str] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Deployment(Base):
    """One attempt to change what runs of a component. `wanted` is the entry of the set that it leads to.

    `has_begun`: it came to its turn, and everything older gave way.
    """

    __tablename__ = "deployments"
    __table_args__ = (Index("ix_deployments_environment_id_id", "environment_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    run_id: Mapped[UUID] = mapped_column(ForeignKey("runs.id"), unique=True)
    component: Mapped[str] = mapped_column(index=True)
    wanted: Mapped[dict[str, Any]]
    has_begun: Mapped[bool]
    set_id: Mapped[str | None] = mapped_column(ForeignKey("deployment_sets.id"))
    former_set_id: Mapped[str | None] = mapped_column(ForeignKey("deployment_sets.id"))
    artifact: Mapped[str]
    commit: Mapped[str]
    version: Mapped[str]
    repository: Mapped[str]
    state: Mapped[str]
    by: Mapped[str]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class Workload(Base):
    """A workload in an environment. Its active instance is the one that requests go to."""

    __tablename__ = "workloads"
    __table_args__ = (UniqueConstraint("environment_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    environment_id: Mapped[UUID] = mapped_column(ForeignKey("environments.id", ondelete="CASCADE"))
    name: Mapped[str]
    component: Mapped[str] = mapped_column(index=True)
    active_instance_id: Mapped[UUID | None]
    health: Mapped[str]
    health_summary: Mapped[str]
    health_since: Mapped[datetime | None]
    created_at: Mapped[datetime]


class Instance(Base):
    """One process of a workload, over its restarts. `is_wanted` says whether it shall run."""

    __tablename__ = "workload_instances"
    __table_args__ = (
        UniqueConstraint("deployment_id", "workload_id"),
        Index("ix_workload_instances_wanted", "is_wanted", postgresql_where=text("is_wanted")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    workload_id: Mapped[UUID] = mapped_column(ForeignKey("workloads.id", ondelete="CASCADE"), index=True)
    deployment_id: Mapped[UUID] = mapped_column(ForeignKey("deployments.id", ondelete="CASCADE"))
    artifact: Mapped[str]
    command: Mapped[list[str]]
    variables: Mapped[list[Any]]
    probes: Mapped[dict[str, Any]]
    port: Mapped[int | None]
    is_wanted: Mapped[bool]
    state: Mapped[str]
    identity: Mapped[dict[str, Any] | None]
    is_isolated: Mapped[bool]
    restarts: Mapped[int]
    exit_code: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
