"""Keeping and reading what stages report."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.delivery import repository as table
from roadbed.delivery.errors import PipelineRunNotFound
from roadbed.delivery.types import PipelineRunFilter, PipelineRunView, StageReport, TestCase, TestCounts
from roadbed.runs.contract import RunSummary, find_run

SHOWN_CASES = 1000


@dataclass(frozen=True)
class PipelineRunResults:
    """A pipeline run with its state and the results of its tests, by stage."""

    pipeline: PipelineRunView
    run: RunSummary
    tests: dict[str, TestCounts]

    @property
    def all_tests(self) -> TestCounts | None:
        """All stages together; None when nothing was reported."""
        counts = list(self.tests.values())
        if not counts:
            return None
        return TestCounts(
            sum(one.total for one in counts),
            sum(one.failed for one in counts),
            sum(one.skipped for one in counts),
            sum(one.seconds for one in counts),
        )


@dataclass(frozen=True)
class PipelineRunDetail:
    """All that the stages of one run reported. Failed tests are all there; of the others the first thousand."""

    results: PipelineRunResults
    reports: tuple[StageReport, ...]
    failed: tuple[tuple[str, TestCase], ...]
    others: tuple[tuple[str, TestCase], ...]


async def find_pipeline_run(session: ReadSession, run_id: UUID) -> PipelineRunView | None:
    row = await table.find(session, run_id)
    return table.view(row) if row else None


async def find_results_of_artifact(session: ReadSession, *, commit: str, digest: str) -> PipelineRunResults | None:
    """Return the newest pipeline run of a commit that made an artifact."""
    row = await table.find_of_artifact(session, commit=commit, digest=digest)
    results = await _with_results(session, [table.view(row)]) if row else []
    return results[0] if results else None


async def list_pipeline_runs(
    session: ReadSession, wanted: PipelineRunFilter, *, before_id: UUID | None = None, limit: int
) -> list[PipelineRunResults]:
    """List pipeline runs, newest first."""
    rows = await table.list_runs(session, wanted, before_id=before_id, limit=limit)
    return await _with_results(session, [table.view(row) for row in rows])


async def get_results(session: ReadSession, run_id: UUID) -> PipelineRunResults:
    """Return one pipeline run.

    Raises:
        PipelineRunNotFound: no pipeline run has that id.
    """
    found = await find_pipeline_run(session, run_id)
    results = await _with_results(session, [found]) if found else []
    if not results:
        raise PipelineRunNotFound(
            f"There is no pipeline run {run_id}.", hint="GET /api/v1/pipelines/runs lists those that exist."
        )
    return results[0]


async def get_detail(session: ReadSession, run_id: UUID) -> PipelineRunDetail:
    """Return one pipeline run with its reports and tests.

    Raises:
        PipelineRunNotFound: no pipeline run has that id.
    """
    results = await get_results(session, run_id)
    return PipelineRunDetail(
        results,
        tuple(await table.list_reports(session, run_id)),
        tuple(await table.list_cases(session, run_id, is_bad=True, limit=SHOWN_CASES)),
        tuple(await table.list_cases(session, run_id, is_bad=False, limit=SHOWN_CASES)),
    )


async def list_reports(session: ReadSession, run_id: UUID) -> list[StageReport]:
    return await table.list_reports(session, run_id)


async def _with_results(session: ReadSession, views: Sequence[PipelineRunView]) -> list[PipelineRunResults]:
    counts = await table.count_cases(session, _ids(views)) if views else {}
    found = []
    for view in views:
        run = await find_run(session, view.run_id)
        if run is not None:
            found.append(PipelineRunResults(view, run, counts.get(view.run_id, {})))
    return found


def _ids(views: Iterable[PipelineRunView]) -> list[UUID]:
    return [view.run_id for view in views]
