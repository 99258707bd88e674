"""Artifacts as the API gives them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from roadbed.artifacts.types import ArtifactFilter
from roadbed.core.paging import PageQuery


class ArtifactQuery(PageQuery):
    """Which artifacts."""

    repository: str | None = None
    commit: str | None = None
    subject: str | None = None

    def to_filter(self) -> ArtifactFilter:
        return ArtifactFilter(self.repository, self.commit, self.subject)


class ArtifactOut(BaseModel):
    """An artifact; `command` starts it from inside its tree."""

    model_config = ConfigDict(from_attributes=True)

    digest: str
    name: str
    version: str
    repository: str
    commit: str
    command: list[str]
    run_id: UUID | None
    subject: str | None
    size_bytes: int
    file_count: int
    sbom_digest: str | None
    created_at: datetime


class ArtifactPageOut(BaseModel):
    items: list[ArtifactOut]
    next_cursor: str | None
