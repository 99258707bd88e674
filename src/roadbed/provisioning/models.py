"""The table of resources."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class Resource(Base):
    """One resource. Its identity is (application, environment, type, name); all else can change by a plan.

    `applied` is class, params and definition as the driver saw them last; `why` how the definition was chosen.
    """

    __tablename__ = "resources"
    __table_args__ = (UniqueConstraint("application", "environment", "type", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    application: Mapped[str]
    environment: Mapped[str]
    environment_type: Mapped[str]
    type: Mapped[str]
    name: Mapped[str]
    resource_class: Mapped[str]
    params: Mapped[dict[str, Any]]
    definition: Mapped[str]
    definition_version: Mapped[str]
    driver: Mapped[str]
    inputs: Mapped[dict[str, Any]]
    state: Mapped[str]
    applied: Mapped[dict[str, Any] | None]
    outputs: Mapped[dict[str, Any]]
    why: Mapped[list[Any]]
    error: Mapped[dict[str, Any] | None]
    created_by_run: Mapped[UUID]
    run_id: Mapped[UUID | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
