"""Blobs that nothing refers to: what an interrupted pipeline stored, and what removed things leave."""

import asyncio
from datetime import datetime, timedelta

import structlog

from roadbed.artifacts import repository
from roadbed.artifacts.rules import contents_of
from roadbed.core.blobs import BLOB_USERS, BlobStore, StoredBlob
from roadbed.core.db import Database, ReadSession
from roadbed.core.extension import Registry
from roadbed.core.services import Services
from roadbed.kit.clock import now

log = structlog.get_logger(__name__)

KEPT_UNUSED = timedelta(days=3)
"""A blob is stored before the row that refers to it, at most by the 25 hours that a stage may take."""


async def list_used(session: ReadSession) -> set[str]:
    """Return the digests of all that the recorded artifacts consist of.

    Raises:
        BlobNotFound, BlobDamaged: a manifest cannot be read, so what it refers to is not known.
    """
    sboms, digests = await repository.list_sbom_digests(session), await repository.list_digests(session)
    return sboms | digests | await asyncio.to_thread(list_contents, session.services.get(BlobStore), digests)


def list_contents(blobs: BlobStore, digests: set[str]) -> set[str]:
    """Return the digests of what these artifacts' manifests name."""
    return {content for digest in digests for content in contents_of(blobs.read(digest))}


async def list_unused(services: Services) -> list[StoredBlob]:
    """List the blobs that nothing refers to, or not yet."""
    stored = await asyncio.to_thread(services.get(BlobStore).list_all)
    # Listed first: what is recorded while the database is asked is not among them.
    async with services.get(Database).read() as session:
        used = set().union(*[await user.list_digests(session) for user in services.get(Registry).get(BLOB_USERS)])
    return [blob for blob in stored if blob.digest not in used]


async def collect_unused(services: Services) -> None:
    """Delete the blobs that nothing refers to and nobody can be about to refer to."""
    before = now() - KEPT_UNUSED
    old = [blob for blob in await list_unused(services) if blob.written_at < before]
    removed = await asyncio.to_thread(_remove, services.get(BlobStore), old, before)
    if removed:
        log.info("artifacts.blobs_collected", count=len(removed), size_bytes=sum(blob.size_bytes for blob in removed))


def _remove(blobs: BlobStore, old: list[StoredBlob], before: datetime) -> list[StoredBlob]:
    return [blob for blob in old if blobs.remove_older(blob.digest, before=before)]
