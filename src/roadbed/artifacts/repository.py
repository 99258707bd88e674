"""Every query on artifacts."""

from typing import Any
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.artifacts.models import ArtifactRow
from roadbed.artifacts.types import Artifact, ArtifactFilter
from roadbed.core.db import ReadSession, WriteSession


def view(row: ArtifactRow) -> Artifact:
    return Artifact(
        digest=row.digest,
        name=row.name,
        version=row.version,
        repository=row.repository,
        commit=row.commit,
        command=tuple(row.command),
        run_id=row.run_id,
        subject=row.subject,
        size_bytes=row.size_bytes,
        file_count=row.file_count,
        sbom_digest=row.sbom_digest,
        created_at=row.created_at,
    )


async def find(session: ReadSession, digest: str) -> ArtifactRow | None:
    return (await session.scalars(select(ArtifactRow).where(ArtifactRow.digest == digest))).one_or_none()


async def add(session: WriteSession, values: dict[str, Any]) -> bool:
    """Add an artifact; False when it is there already."""
    statement = insert(ArtifactRow).values(values).on_conflict_do_nothing(index_elements=["digest"])
    return (await session.scalar(statement.returning(ArtifactRow.id))) is not None


async def remove(session: WriteSession, digest: str) -> None:
    await session.execute(delete(ArtifactRow).where(ArtifactRow.digest == digest))


async def list_digests(session: ReadSession) -> set[str]:
    return set(await session.scalars(select(ArtifactRow.digest)))


async def list_sbom_digests(session: ReadSession) -> set[str]:
    query = select(ArtifactRow.sbom_digest).where(ArtifactRow.sbom_digest.is_not(None))
    return {digest for digest in await session.scalars(query) if digest is not None}


async def list_rows(
    session: ReadSession, wanted: ArtifactFilter, *, before_id: UUID | None = None, limit: int
) -> list[ArtifactRow]:
    """List artifacts, newest first, from below `before_id`."""
    query = select(ArtifactRow).order_by(ArtifactRow.id.desc()).limit(limit)
    if wanted.repository:
        query = query.where(ArtifactRow.repository == wanted.repository)
    if wanted.commit:
        query = query.where(ArtifactRow.commit == wanted.commit)
    if wanted.subject:
        query = query.where(ArtifactRow.subject == wanted.subject)
    if wanted.run_id:
        query = query.where(ArtifactRow.run_id == wanted.run_id)
    if before_id:
        query = query.where(ArtifactRow.id < before_id)
    return list(await session.scalars(query))
