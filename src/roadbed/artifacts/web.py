"""Pages: one artifact."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from roadbed.artifacts.access import ArtifactReader
from roadbed.artifacts.service.artifacts import get_artifact, list_components
from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.runs.contract import find_run

router = APIRouter()

_SHOWN_COMPONENTS = 500


@router.get("/artifacts/{digest}")
async def artifact_page(request: Request, session: Reading, _: ArtifactReader, digest: str) -> HTMLResponse:
    """Show what an artifact is, where it comes from, and what is in it."""
    artifact = await get_artifact(session, digest)
    components = await list_components(request.app.state.services, artifact)
    context = {
        "artifact": artifact,
        "components": None if components is None else components[:_SHOWN_COMPONENTS],
        "component_count": len(components or ()),
        "run": await find_run(session, artifact.run_id) if artifact.run_id else None,
        "subject_href": "/catalog/" + artifact.subject.replace(":", "/", 1) if artifact.subject else None,
    }
    return await render(request, "artifacts/artifact.html", context)
