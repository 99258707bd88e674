"""Every query on pipeline runs and their reports."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, case, delete, func, insert, select, update

from roadbed.core.db import ReadSession, WriteSession
from roadbed.delivery.models import PipelineRunRow, StageReportRow, TestCaseRow
from roadbed.delivery.types import (
    PipelineRunFilter,
    PipelineRunView,
    ReportKind,
    ReportState,
    StageReport,
    TestCase,
    TestCounts,
    TestState,
)
from roadbed.kit.ids import new_id

_BATCH = 1000


def view(row: PipelineRunRow) -> PipelineRunView:
    return PipelineRunView(**{name: getattr(row, name) for name in PipelineRunView.__dataclass_fields__})


async def find(session: ReadSession, run_id: UUID) -> PipelineRunRow | None:
    return await session.get(PipelineRunRow, run_id)


async def find_default_run(session: ReadSession, repository_id: UUID, *, commit: str, pipeline: str) -> UUID | None:
    """Return the id of the run of a commit on the default branch."""
    query = select(PipelineRunRow.run_id).where(
        PipelineRunRow.repository_id == repository_id,
        PipelineRunRow.commit == commit,
        PipelineRunRow.pipeline == pipeline,
        PipelineRunRow.is_default_branch,
    )
    return await session.scalar(query.limit(1))


async def find_of_artifact(session: ReadSession, *, commit: str, digest: str) -> PipelineRunRow | None:
    """Return the newest run of a commit that made an artifact."""
    query = (
        select(PipelineRunRow)
        .where(PipelineRunRow.commit == commit, PipelineRunRow.artifact == digest)
        .order_by(PipelineRunRow.run_id.desc())
        .limit(1)
    )
    found: PipelineRunRow | None = await session.scalar(query)
    return found


async def list_runs(
    session: ReadSession, wanted: PipelineRunFilter, *, before_id: UUID | None = None, limit: int
) -> list[PipelineRunRow]:
    """List pipeline runs, newest first, from below `before_id`."""
    query = select(PipelineRunRow).order_by(PipelineRunRow.run_id.desc()).limit(limit)
    if wanted.repository:
        query = query.where(PipelineRunRow.repository == wanted.repository)
    if wanted.commit:
        query = query.where(PipelineRunRow.commit == wanted.commit)
    if wanted.subject:
        query = query.where(PipelineRunRow.subject == wanted.subject)
    if before_id:
        query = query.where(PipelineRunRow.run_id < before_id)
    return list(await session.scalars(query))


async def set_artifact(session: WriteSession, run_id: UUID, digest: str) -> None:
    await session.execute(update(PipelineRunRow).where(PipelineRunRow.run_id == run_id).values(artifact=digest))


async def replace_reports(
    session: WriteSession, run_id: UUID, stage: str, *, reports: Iterable[StageReport], cases: Sequence[TestCase]
) -> None:
    """Keep what a stage reported, in place of what an earlier attempt did."""
    for table in (StageReportRow, TestCaseRow):
        await session.execute(delete(table).where(table.run_id == run_id, table.stage == stage))
    rows = [{"id": new_id(), "run_id": run_id, **asdict(report)} for report in reports]
    if rows:
        await session.execute(insert(StageReportRow), rows)
    for start in range(0, len(cases), _BATCH):
        batch: list[dict[str, Any]] = [
            {"id": new_id(), "run_id": run_id, "stage": stage, **asdict(one)} for one in cases[start : start + _BATCH]
        ]
        await session.execute(insert(TestCaseRow), batch)


async def list_reports(session: ReadSession, run_id: UUID) -> list[StageReport]:
    rows = await session.scalars(
        select(StageReportRow).where(StageReportRow.run_id == run_id).order_by(StageReportRow.id)
    )
    return [
        StageReport(row.stage, ReportKind(row.kind), row.path, ReportState(row.state), row.summary, row.blob)
        for row in rows
    ]


async def list_blobs(session: ReadSession) -> set[str]:
    """Return the digests of all reports that are kept whole."""
    found = await session.scalars(select(StageReportRow.blob).where(StageReportRow.blob.is_not(None)).distinct())
    return {digest for digest in found if digest is not None}


async def list_cases(
    session: ReadSession, run_id: UUID, *, stage: str | None = None, is_bad: bool | None = None, limit: int
) -> list[tuple[str, TestCase]]:
    """List tests with their stage, in the order of the reports."""
    query = select(TestCaseRow).where(TestCaseRow.run_id == run_id).order_by(TestCaseRow.id).limit(limit)
    if stage is not None:
        query = query.where(TestCaseRow.stage == stage)
    if is_bad is not None:
        query = query.where(_is_bad() if is_bad else ~_is_bad())
    return [
        (
            row.stage,
            TestCase(row.suite, row.class_name, row.name, TestState(row.state), row.seconds, row.message, row.details),
        )
        for row in await session.scalars(query)
    ]


async def count_cases(session: ReadSession, run_ids: Iterable[UUID]) -> dict[UUID, dict[str, TestCounts]]:
    """Return for each run and stage how its tests went."""
    rows = await session.execute(
        select(
            TestCaseRow.run_id,
            TestCaseRow.stage,
            func.count(),
            func.sum(case((_is_bad(), 1), else_=0)),
            func.sum(case((TestCaseRow.state == TestState.SKIPPED, 1), else_=0)),
            func.coalesce(func.sum(TestCaseRow.seconds), 0.0),
        )
        .where(TestCaseRow.run_id.in_(list(run_ids)))
        .group_by(TestCaseRow.run_id, TestCaseRow.stage)
    )
    found: dict[UUID, dict[str, TestCounts]] = {}
    for run_id, stage, total, failed, skipped, seconds in rows:
        found.setdefault(run_id, {})[stage] = TestCounts(total, int(failed), int(skipped), float(seconds))
    return found


def _is_bad() -> ColumnElement[bool]:
    return TestCaseRow.state.in_([state for state in TestState if state.is_bad])
