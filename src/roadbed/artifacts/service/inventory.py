"""What the artifacts domain keeps outside the database: the manifest of each artifact, and blobs that nothing needs."""

import asyncio
from collections.abc import Iterable, Iterator

from roadbed.artifacts import repository
from roadbed.artifacts.rules import is_manifest
from roadbed.artifacts.service.collecting import KEPT_UNUSED, list_unused
from roadbed.core.blobs import BlobNotFound, BlobStore, StoredBlob
from roadbed.core.db import Database
from roadbed.core.inventory import Item
from roadbed.core.services import Services
from roadbed.kit.clock import now

_MANIFEST_BYTES = 8_192
NOT_RECORDED = "artifacts: not recorded yet, or not any more"


async def list_inventory(services: Services) -> list[Item]:
    """List the artifacts that are stored, and what a crash left of one or of a report.

    A blob that nothing refers to belongs to a pipeline that is at work, until it is too old for that.
    """
    unused = await list_unused(services)
    stray = await asyncio.to_thread(_find_manifests, services.get(BlobStore), unused)
    async with services.get(Database).read() as session:
        known = await repository.list_digests(session)
    reason = "It was stored and not recorded: its pipeline was interrupted, and did not go on."
    return [
        Item("folder", "blobs", "artifacts"),
        *(Item("artifact", digest, f"artifact:{digest}") for digest in sorted(known)),
        *(Item("artifact", digest, None, reason) for digest in sorted(stray - known)),
        *_list_others(blob for blob in unused if blob.digest not in stray),
    ]


def _list_others(blobs: Iterable[StoredBlob]) -> Iterator[Item]:
    before = now() - KEPT_UNUSED
    for blob in blobs:
        is_young = blob.written_at >= before
        reason = "" if is_young else f"Nothing refers to it, and it was written on {blob.written_at:%Y-%m-%d}."
        yield Item("blob", blob.digest, NOT_RECORDED if is_young else None, reason, {"size_bytes": blob.size_bytes})


def _find_manifests(blobs: BlobStore, unused: list[StoredBlob]) -> set[str]:
    small = (blob.digest for blob in unused if blob.size_bytes <= _MANIFEST_BYTES)
    return {digest for digest in small if _is_manifest(blobs, digest)}


def _is_manifest(blobs: BlobStore, digest: str) -> bool:
    try:
        return is_manifest(blobs.read(digest))
    except BlobNotFound:  # removed since it was listed
        return False
