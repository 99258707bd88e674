"""What the artifacts domain keeps outside the database: the manifest of each artifact among the blobs."""

import asyncio

from roadbed.artifacts import repository
from roadbed.artifacts.rules import is_manifest
from roadbed.core.blobs import BlobNotFound, BlobStore
from roadbed.core.db import Database
from roadbed.core.inventory import Item
from roadbed.core.services import Services

_MANIFEST_BYTES = 8_192


async def list_inventory(services: Services) -> list[Item]:
    """List the artifacts that are stored. What a crash left of one is without a row in the database."""
    found = await asyncio.to_thread(_list_manifests, services.get(BlobStore))
    async with services.get(Database).read() as session:
        known = await repository.list_digests(session)
    reason = "It was stored and not recorded: its pipeline was interrupted, and did not go on."
    return [
        Item("folder", "blobs", "artifacts"),
        *(
            Item(
                "artifact", digest, f"artifact:{digest}" if digest in known else None, "" if digest in known else reason
            )
            for digest in found
        ),
    ]


def _list_manifests(blobs: BlobStore) -> list[str]:
    return [blob.digest for blob in blobs.list_up_to(_MANIFEST_BYTES) if _is_manifest(blobs, blob.digest)]


def _is_manifest(blobs: BlobStore, digest: str) -> bool:
    try:
        return is_manifest(blobs.read(digest))
    except BlobNotFound:  # removed since it was listed
        return False
