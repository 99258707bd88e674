"""REST: golden paths and the runs that are started from them."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, status

from roadbed.core.db import Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.goldenpaths.access import PathReader, RunStarter
from roadbed.goldenpaths.rules.parameters import read_pages
from roadbed.goldenpaths.rules.plans import read_steps
from roadbed.goldenpaths.schemas import (
    PathDetailOut,
    PathListOut,
    PathOut,
    PlannedStepOut,
    PreviewOut,
    RunOut,
    ValidationOut,
    ValuesIn,
)
from roadbed.goldenpaths.service.paths import get_path, list_paths
from roadbed.goldenpaths.service.starting import check, preview, start
from roadbed.goldenpaths.types import GoldenPath, PlannedStep

router = APIRouter(prefix="/paths", tags=["golden paths"])


def _columns(path: GoldenPath) -> dict[str, Any]:
    return {name: getattr(path, name) for name in PathOut.model_fields}


@router.get("")
async def list_all(session: Reading, _: PathReader) -> PathListOut:
    """List golden paths, supported ones first."""
    return PathListOut(items=[PathOut.model_validate(_columns(path)) for path in await list_paths(session)])


@router.get("/{namespace}/{name}")
async def read_one(session: Reading, _: PathReader, namespace: str, name: str) -> PathDetailOut:
    """Give one golden path, with the JSON Schema of what it asks, page by page."""
    path = await get_path(session, namespace, name)
    return PathDetailOut.model_validate(
        {
            **_columns(path),
            "source": asdict(path.origin.source) if path.origin else None,
            "parameters": [page.schema for page in read_pages(path.spec)],
            "steps": read_steps(path.spec),
        }
    )


@router.post("/{namespace}/{name}/validate")
async def validate_values(session: Reading, _: PathReader, namespace: str, name: str, body: ValuesIn) -> ValidationOut:
    """Say what is wrong with values, without starting anything."""
    checked = check(await get_path(session, namespace, name), body.values)
    return ValidationOut(
        is_valid=not checked.faults, problems=[fault.as_dict() for fault in checked.faults], values=checked.values
    )


@router.post("/{namespace}/{name}/preview")
async def preview_run(session: Reading, actor: RunStarter, namespace: str, name: str, body: ValuesIn) -> PreviewOut:
    """Tell what a run with these values would do: steps, files, repositories, and what would fail."""
    seen = await preview(session, actor, await get_path(session, namespace, name), body.values)
    return PreviewOut(
        steps=[_show_step(step) for step in seen.steps],
        files=list(seen.files),
        repositories=list(seen.repositories),
        problems=list(seen.problems),
    )


@router.post("/{namespace}/{name}/runs", status_code=status.HTTP_201_CREATED)
async def start_run(
    session: Writing, actor: RunStarter, namespace: str, name: str, body: ValuesIn, once: Once
) -> RunOut:
    """Start a run that does what the path says."""
    if known := await once.find(RunOut):
        return known
    run = await start(session, actor, await get_path(session, namespace, name), body.values)
    return await once.keep(RunOut(run_id=run.id, title=run.title, state=run.state, href=f"/runs/{run.id}"))


def _show_step(step: PlannedStep) -> PlannedStepOut:
    foresight = step.foresight
    return PlannedStepOut(
        id=step.id,
        name=step.name,
        action=step.action,
        state=step.state,
        title=foresight.title if foresight else step.name,
        detail=(foresight.problem or foresight.detail) if foresight else "",
    )
