"""Pipeline runs and their results as the API takes and gives them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.paging import PageQuery
from roadbed.delivery.types import PipelineRunFilter, ReportKind, ReportState, TestState


class PipelineRunQuery(PageQuery):
    """Which pipeline runs. `repository` is `owner/name`, `subject` the ref of a component."""

    repository: str | None = None
    commit: str | None = None
    subject: str | None = None

    def to_filter(self) -> PipelineRunFilter:
        return PipelineRunFilter(self.repository, self.commit, self.subject)


class PipelineStartIn(BaseModel):
    """What to run the pipeline for: a commit id, or a branch, whose newest commit is taken."""

    model_config = ConfigDict(extra="forbid")

    commit: str = Field(min_length=1, max_length=300)
    branch: str | None = Field(None, description="The branch it counts for; the default branch when absent.")


class TestCountsOut(BaseModel):
    __test__ = False  # not a test of pytest's

    model_config = ConfigDict(from_attributes=True)

    total: int
    passed: int
    failed: int
    skipped: int
    seconds: float


class PipelineRunOut(BaseModel):
    """A pipeline run. `tests` is null when no stage reported any."""

    run_id: UUID
    repository: str
    commit: str
    branch: str
    pipeline: str
    version: str
    subject: str | None
    state: str
    is_isolated: bool
    artifact: str | None
    tests: TestCountsOut | None
    created_at: datetime
    finished_at: datetime | None


class PipelineRunPageOut(BaseModel):
    items: list[PipelineRunOut]
    next_cursor: str | None


class StageReportOut(BaseModel):
    """What a stage left behind. `not_checked` means that the question could not be answered."""

    model_config = ConfigDict(from_attributes=True)

    stage: str
    kind: ReportKind
    path: str
    state: ReportState
    summary: dict[str, Any]


class TestCaseOut(BaseModel):
    __test__ = False  # not a test of pytest's

    stage: str
    suite: str
    class_name: str
    name: str
    state: TestState
    seconds: float | None
    message: str
    details: str


class PipelineRunDetailOut(PipelineRunOut):
    """A pipeline run with its reports and its tests, the failed ones first."""

    reports: list[StageReportOut]
    cases: list[TestCaseOut]
