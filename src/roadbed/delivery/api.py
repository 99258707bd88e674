"""REST: pipeline runs, their results, and starting one."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query

from roadbed.core.db import Reading, Writing
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.delivery.access import PipelineReader, PipelineStarter
from roadbed.delivery.schemas import (
    PipelineRunDetailOut,
    PipelineRunOut,
    PipelineRunPageOut,
    PipelineRunQuery,
    PipelineStartIn,
    StageReportOut,
    TestCaseOut,
    TestCountsOut,
)
from roadbed.delivery.service.reports import PipelineRunResults, get_detail, get_results, list_pipeline_runs
from roadbed.delivery.service.starting import ensure_pipeline_run
from roadbed.scm.contract import get_repository

router = APIRouter(tags=["pipelines"])


def _values(results: PipelineRunResults) -> dict[str, Any]:
    view, tests = results.pipeline, results.all_tests
    known = {name: getattr(view, name) for name in PipelineRunOut.model_fields if hasattr(view, name)}
    return {
        **known,
        "state": results.run.state.value,
        "tests": None if tests is None else TestCountsOut.model_validate(tests),
        "finished_at": results.run.finished_at,
    }


@router.get("/pipelines/runs")
async def list_all(
    session: Reading, _: PipelineReader, query: Annotated[PipelineRunQuery, Query()]
) -> PipelineRunPageOut:
    """List pipeline runs, newest first."""
    found = await list_pipeline_runs(
        session, query.to_filter(), before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    return PipelineRunPageOut(
        items=[PipelineRunOut(**_values(results)) for results in shown],
        next_cursor=id_cursor(shown[-1].pipeline.run_id) if len(found) > query.limit else None,
    )


@router.get("/pipelines/runs/{run_id}")
async def read_one(session: Reading, _: PipelineReader, run_id: UUID) -> PipelineRunDetailOut:
    """Give one pipeline run with its reports and tests."""
    detail = await get_detail(session, run_id)
    return PipelineRunDetailOut(
        **_values(detail.results),
        reports=[StageReportOut.model_validate(report) for report in detail.reports],
        cases=[
            TestCaseOut(stage=stage, **{name: getattr(case, name) for name in case.__dataclass_fields__})
            for stage, case in (*detail.failed, *detail.others)
        ],
    )


@router.post("/repositories/{owner}/{name}/pipeline-runs", status_code=201)
async def start(
    session: Writing, actor: PipelineStarter, owner: str, name: str, body: PipelineStartIn
) -> PipelineRunOut:
    """Run the pipeline of a repository for a commit. The same commit again gives the run that is there."""
    repository = await get_repository(session, owner, name)
    branch = body.branch or repository.default_branch
    run = await ensure_pipeline_run(session, actor, repository, commit=body.commit, branch=branch)
    await session.flush()
    return PipelineRunOut(**_values(await get_results(session, run.id)))
