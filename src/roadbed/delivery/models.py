"""The tables of pipeline runs and of what their stages report."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base


class PipelineRunRow(Base):
    """What a run is about; how it goes is in the tables of runs."""

    __tablename__ = "pipeline_runs"

    run_id: Mapped[UUID] = mapped_column(primary_key=True)
    repository_id: Mapped[UUID]
    repository: Mapped[str] = mapped_column(index=True)
    commit: Mapped[str] = mapped_column(index=True)
    branch: Mapped[str]
    is_default_branch: Mapped[bool]
    pipeline: Mapped[str]
    version: Mapped[str]
    subject: Mapped[str | None] = mapped_column(index=True)
    is_isolated: Mapped[bool]
    artifact: Mapped[str | None]
    created_at: Mapped[datetime]


class StageReportRow(Base):
    __tablename__ = "stage_reports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID] = mapped_column(index=True)
    stage: Mapped[str]
    kind: Mapped[str]
    path: Mapped[str]
    state: Mapped[str]
    summary: Mapped[dict[str, object]] = mapped_column(JSONB)
    blob: Mapped[str | None]


class TestCaseRow(Base):
    __tablename__ = "test_cases"
    __table_args__ = (Index("ix_test_cases_run", "run_id", "stage"),)
    __test__ = False  # not a test of pytest's

    id: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[UUID]
    stage: Mapped[str]
    suite: Mapped[str]
    class_name: Mapped[str]
    name: Mapped[str]
    state: Mapped[str]
    seconds: Mapped[float | None]
    message: Mapped[str]
    details: Mapped[str]
