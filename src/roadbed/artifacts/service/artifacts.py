"""Storing artifacts, finding them, and laying them out on disk."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

from roadbed.artifacts import repository
from roadbed.artifacts.errors import ArtifactInvalid, ArtifactNotFound
from roadbed.artifacts.rules import contents_of, image_config, image_manifest, layer_of, read_components
from roadbed.artifacts.service import trees
from roadbed.artifacts.service.collecting import list_contents
from roadbed.artifacts.types import Artifact, ArtifactFilter, ArtifactMeta, SbomComponent
from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.blobs import Blob, BlobNotFound, BlobStore
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id


async def store_tree(services: Services, actor: Actor, folder: Path, meta: ArtifactMeta) -> Artifact:
    """Keep a built folder as an artifact, in a transaction of its own.

    The same tree of the same commit is one artifact.

    Raises:
        ArtifactInvalid: the folder is empty or too large, or holds something that cannot be kept; or the SBOM is none.
    """
    if meta.sbom is not None:
        _parse_sbom(meta.sbom)
    manifest, tree, sbom = await asyncio.to_thread(_store, services, folder, meta)
    async with services.get(Database).write() as session:
        if await _add_row(session, actor, meta, manifest=manifest, tree=tree, sbom=sbom):
            await record(
                session,
                actor,
                action="artifacts.artifact_stored",
                subject=f"artifact:{manifest.digest}",
                after={"repository": meta.repository, "commit": meta.commit},
                name=meta.name,
            )
    async with services.get(Database).read() as session:
        return await get_artifact(session, manifest.digest)


def _store(services: Services, folder: Path, meta: ArtifactMeta) -> tuple[Blob, trees.PackedTree, Blob | None]:
    blobs = services.get(BlobStore)
    tree = trees.pack(folder, blobs, max_bytes=services.get(Settings).artifacts.max_bytes)
    config = blobs.put(image_config(meta, diff_id=tree.diff_id))
    sbom = blobs.put(meta.sbom) if meta.sbom is not None else None
    manifest = blobs.put(image_manifest(meta, config=config, layer=tree.layer))
    return manifest, tree, sbom


async def _add_row(
    session: WriteSession,
    actor: Actor,
    meta: ArtifactMeta,
    *,
    manifest: Blob,
    tree: trees.PackedTree,
    sbom: Blob | None,
) -> bool:
    return await repository.add(
        session,
        {
            "id": new_id(),
            "digest": manifest.digest,
            "name": meta.name,
            "version": meta.version,
            "repository": meta.repository,
            "commit": meta.commit,
            "command": list(meta.command),
            "run_id": meta.run_id,
            "subject": meta.subject,
            "size_bytes": tree.size_bytes,
            "file_count": tree.file_count,
            "sbom_digest": sbom.digest if sbom else None,
            "created_by": actor.label,
            "created_at": now(),
        },
    )


async def remove_artifact(session: WriteSession, actor: Actor, artifact: Artifact) -> None:
    """Delete an artifact with its content, as far as no other one has the same; its SBOM stays with its run's reports.

    The content goes first: after a crash in between, doing it again ends it.
    """
    others = await repository.list_digests(session) - {artifact.digest}
    await asyncio.to_thread(_remove_content, session.services.get(BlobStore), artifact.digest, others)
    await repository.remove(session, artifact.digest)
    await record(
        session,
        actor,
        action="artifacts.artifact_removed",
        subject=f"artifact:{artifact.digest}",
        before={"repository": artifact.repository, "commit": artifact.commit},
        name=artifact.name,
    )


def _remove_content(blobs: BlobStore, digest: str, others: set[str]) -> None:
    try:
        wanted = contents_of(blobs.read(digest))
    except BlobNotFound:
        return
    for content in [*(wanted - list_contents(blobs, others)), digest]:
        blobs.remove(content)


async def find_artifact(session: ReadSession, digest: str) -> Artifact | None:
    row = await repository.find(session, digest)
    return repository.view(row) if row else None


async def get_artifact(session: ReadSession, digest: str) -> Artifact:
    """Return an artifact.

    Raises:
        ArtifactNotFound: there is none of this digest.
    """
    found = await find_artifact(session, digest)
    if found is None:
        raise ArtifactNotFound(
            f"There is no artifact {digest[:100]}.", hint="GET /api/v1/artifacts lists those that exist."
        )
    return found


async def list_artifacts(
    session: ReadSession, wanted: ArtifactFilter, *, before_id: UUID | None = None, limit: int = 50
) -> list[Artifact]:
    """List artifacts, newest first."""
    rows = await repository.list_rows(session, wanted, before_id=before_id, limit=limit)
    return [repository.view(row) for row in rows]


async def unpack(services: Services, digest: str, folder: Path) -> None:
    """Lay an artifact out in a folder, read-only and checked. A folder that is there already is left as it is.

    Raises:
        ArtifactInvalid: its content leads out of the folder.
        BlobNotFound, BlobDamaged: its content is not there any more, or not what it was.
    """
    await asyncio.to_thread(_unpack, services, digest, folder)


def _unpack(services: Services, digest: str, folder: Path) -> None:
    blobs = services.get(BlobStore)
    max_bytes = services.get(Settings).artifacts.max_bytes
    trees.unpack(blobs, layer_of(blobs.read(digest)), folder, max_bytes=max_bytes)


async def read_sbom(services: Services, artifact: Artifact) -> dict[str, Any] | None:
    """Return the SBOM of an artifact; None when its pipeline made none."""
    if artifact.sbom_digest is None:
        return None
    data = await asyncio.to_thread(services.get(BlobStore).read, artifact.sbom_digest)
    return _parse_sbom(data)


async def list_components(services: Services, artifact: Artifact) -> list[SbomComponent] | None:
    """Return what the SBOM of an artifact lists; None when there is no SBOM."""
    sbom = await read_sbom(services, artifact)
    return None if sbom is None else read_components(sbom)


def _parse_sbom(data: bytes) -> dict[str, Any]:
    try:
        sbom = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _not_an_sbom(str(error)) from error
    if not isinstance(sbom, dict) or sbom.get("bomFormat") != "CycloneDX":
        raise _not_an_sbom("its bomFormat is not CycloneDX")
    return sbom


def _not_an_sbom(reason: str) -> ArtifactInvalid:
    return ArtifactInvalid(f"The SBOM cannot be read: {reason}.", hint="It must be CycloneDX as JSON.")
