"""The table of artifacts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class ArtifactRow(Base):
    """One artifact. Its content is in the blob store."""

    __tablename__ = "artifacts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    version: Mapped[str]
    repository: Mapped[str] = mapped_column(index=True)
    commit: Mapped[str]
    command: Mapped[list[str]]
    run_id: Mapped[UUID | None]
    subject: Mapped[str | None] = mapped_column(index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    file_count: Mapped[int]
    sbom_digest: Mapped[str | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime]
