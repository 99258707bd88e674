"""Tables of golden paths: what they have created, and answers that are still being given."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class ProductRow(Base):
    """A repository that a run created. It goes with the repository.

    `call_key` names the call of the action that created it; `entity_ref` is known once it is registered.
    """

    __tablename__ = "path_products"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(index=True)
    call_key: Mapped[str] = mapped_column(unique=True)
    path_ref: Mapped[str] = mapped_column(index=True)
    version: Mapped[str]
    commit: Mapped[str]
    repository_id: Mapped[UUID] = mapped_column(index=True)
    repository: Mapped[str]
    entity_ref: Mapped[str | None] = mapped_column(index=True)
    created_by: Mapped[str]
    created_at: Mapped[datetime]


class DraftRow(Base):
    """Answers of one account to the questions of one path, while it goes through the pages of the form."""

    __tablename__ = "path_drafts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account: Mapped[str]
    path_ref: Mapped[str]
    answers: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime] = mapped_column(index=True)
