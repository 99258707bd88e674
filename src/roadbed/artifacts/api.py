"""REST: artifacts and their SBOMs."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from roadbed.artifacts import repository
from roadbed.artifacts.access import ArtifactReader
from roadbed.artifacts.errors import ArtifactNotFound
from roadbed.artifacts.schemas import ArtifactOut, ArtifactPageOut, ArtifactQuery
from roadbed.artifacts.service.artifacts import get_artifact, read_sbom
from roadbed.core.db import Reading
from roadbed.core.paging import id_cursor, id_of_cursor

router = APIRouter(prefix="/artifacts", tags=["artifacts"])


@router.get("")
async def list_all(session: Reading, _: ArtifactReader, query: Annotated[ArtifactQuery, Query()]) -> ArtifactPageOut:
    """List artifacts, newest first."""
    rows = await repository.list_rows(
        session, query.to_filter(), before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = rows[: query.limit]
    return ArtifactPageOut(
        items=[ArtifactOut.model_validate(row) for row in shown],
        next_cursor=id_cursor(shown[-1].id) if len(rows) > query.limit else None,
    )


@router.get("/{digest}")
async def read_one(session: Reading, _: ArtifactReader, digest: str) -> ArtifactOut:
    """Give one artifact."""
    return ArtifactOut.model_validate(await get_artifact(session, digest))


@router.get("/{digest}/sbom")
async def download_sbom(request: Request, session: Reading, _: ArtifactReader, digest: str) -> dict[str, Any]:
    """Give the SBOM of an artifact (CycloneDX)."""
    artifact = await get_artifact(session, digest)
    sbom = await read_sbom(request.app.state.services, artifact)
    if sbom is None:
        raise ArtifactNotFound(
            f"{artifact.name} {artifact.version} has no SBOM.", hint="Let a step of its pipeline report one."
        )
    return sbom
