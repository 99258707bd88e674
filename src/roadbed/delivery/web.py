"""Pages: the results of a pipeline run, and its parts on the pages of runs, entities and approvals."""

from collections.abc import Mapping
from typing import Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from roadbed.approvals.contract import ApprovalView
from roadbed.catalog.contract import EntitySummary
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.db import Database, Reading
from roadbed.core.html import render
from roadbed.core.services import Services
from roadbed.delivery.access import PIPELINE_READ, PipelineReader
from roadbed.delivery.rules.words import STATES, TESTS, count_words, report_words
from roadbed.delivery.service.reports import (
    PipelineRunDetail,
    PipelineRunResults,
    find_pipeline_run,
    find_results_of_artifact,
    get_detail,
    get_results,
    list_pipeline_runs,
    list_reports,
)
from roadbed.delivery.types import PIPELINE_KIND, PipelineRunFilter, ReportKind, ReportState, StageReport, TestCase
from roadbed.environments.contract import find_deployment_of_run
from roadbed.runs.contract import state_words

router = APIRouter()

_SHOWN_RUNS = 5


class _Run(Protocol):
    @property
    def id(self) -> UUID: ...

    @property
    def kind(self) -> str: ...


@router.get("/runs/{run_id}/tests")
async def results_page(request: Request, session: Reading, _: PipelineReader, run_id: UUID) -> HTMLResponse:
    """Show what the stages of a pipeline run reported: tests, coverage, checks, SBOM."""
    detail = await get_detail(session, run_id)
    results = detail.results
    context = {
        "pipeline": results.pipeline,
        "run": results.run,
        "state": state_words(results.run.state),
        "tests": None if results.all_tests is None else count_words(results.all_tests),
        "stages": [
            {"stage": stage, "words": count_words(counts), "is_bad": counts.failed > 0, "seconds": counts.seconds}
            for stage, counts in results.tests.items()
        ],
        "failed": [_show_case(stage, case) for stage, case in detail.failed],
        "others": [_show_case(stage, case) for stage, case in detail.others],
        "more": _count_more(detail),
        "checks": [check for report in detail.reports for check in _checks(report)],
        "reports": [
            _show_report(report)
            for report in detail.reports
            if report.kind not in (ReportKind.JUNIT, ReportKind.SCAN) or report.state is ReportState.UNREADABLE
        ],
    }
    return await render(request, "delivery/results.html", context)


def _show_case(stage: str, case: TestCase) -> dict[str, Any]:
    return {"stage": stage, "case": case, "state": TESTS[case.state]}


def _count_more(detail: PipelineRunDetail) -> int:
    tests = detail.results.all_tests
    return 0 if tests is None else tests.total - len(detail.failed) - len(detail.others)


def _checks(report: StageReport) -> list[dict[str, Any]]:
    return [
        {
            "stage": report.stage,
            "name": check["name"],
            "detail": check["detail"],
            "state": STATES[ReportState(check["state"])],
        }
        for check in report.summary.get("checks", ())
    ]


def _show_report(report: StageReport) -> dict[str, Any]:
    return {
        "stage": report.stage,
        "path": report.path,
        "words": report_words(report),
        "reason": report.summary.get("reason"),
        "state": STATES[report.state],
    }


async def load_run_facts(request: Request, run: _Run) -> Mapping[str, Any] | None:
    """Return what stands under the heading of a pipeline's run."""
    if run.kind != PIPELINE_KIND or not await _may_read(request):
        return None
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        if await find_pipeline_run(session, run.id) is None:
            return None
        return _show_results(await get_results(session, run.id))


async def load_entity_runs(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the newest pipeline runs of a component; None when it never had one."""
    if not await _may_read(request):
        return None
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        wanted = PipelineRunFilter(subject=str(entity.ref))
        found = await list_pipeline_runs(session, wanted, limit=_SHOWN_RUNS)
    return {"rows": [_show_results(results) for results in found]} if found else None


async def load_decided(request: Request, approval: ApprovalView) -> Mapping[str, Any] | None:
    """Return what the pipeline found in what shall be deployed; None for approvals of anything else."""
    if approval.run_id is None or not await _may_read(request):
        return None
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        deployment = await find_deployment_of_run(session, approval.run_id)
        if deployment is None:
            return None
        results = await find_results_of_artifact(session, commit=deployment.commit, digest=deployment.artifact)
        reports = await list_reports(session, results.run.id) if results else []
    scans = [report for report in reports if report.kind is ReportKind.SCAN]
    return {
        **(_show_results(results) if results else {"pipeline": None}),
        "has_failed_tests": results is not None and results.all_tests is not None and results.all_tests.failed > 0,
        "checks": [check for report in scans for check in _checks(report)],
    }


async def _may_read(request: Request) -> bool:
    actor = await current_actor(request)
    services: Services = request.app.state.services
    return services.get(DeciderService).has(actor, PIPELINE_READ)


def _show_results(results: PipelineRunResults) -> dict[str, Any]:
    tests = results.all_tests
    return {
        "pipeline": results.pipeline,
        "run": results.run,
        "state": state_words(results.run.state),
        "tests": None if tests is None else count_words(tests),
    }
