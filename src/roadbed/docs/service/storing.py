"""Keeping what was built: the version with its pages, and the files they show."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from roadbed.core.blobs import Blob, BlobStore
from roadbed.core.db import Database, ReadSession
from roadbed.core.services import Services
from roadbed.docs.models import DocsSite, DocsVersion
from roadbed.docs.repository import pages as table
from roadbed.docs.repository import sites as sites_table
from roadbed.docs.types import BuiltSite, LinkKind
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

KEPT_VERSIONS = 10


async def store_site(
    services: Services, site_id: UUID, built: BuiltSite, *, files: Mapping[str, bytes], revision: str, run_id: UUID
) -> UUID | None:
    """Make a built site the newest version; None when the site is gone. A version of the same commit is replaced.

    Args:
        services: the database and the blobs.
        site_id: whose.
        built: what was built.
        files: content of its files, by address.
        revision: the commit.
        run_id: the run that built it.
    """
    blobs = await asyncio.to_thread(_put, services.get(BlobStore), files)
    async with services.get(Database).write() as session:
        site = await sites_table.lock_site(session, site_id)
        if site is None:
            return None
        await table.delete_version(session, site_id, revision)
        version = _version(site, built, blobs, revision=revision, run_id=run_id)
        await table.add_version(session, version, **_rows(version.id, built, blobs))
        site.version_id = version.id
        await session.flush()
        await table.delete_older(session, site_id, kept=KEPT_VERSIONS)
        return version.id


def _rows(version_id: UUID, built: BuiltSite, blobs: Mapping[str, Blob]) -> dict[str, list[dict[str, Any]]]:
    """Return what belongs to a version, as rows."""
    pages = [
        {
            "version_id": version_id,
            "path": page.path,
            "source": page.source,
            "title": page.title,
            "html": page.html,
            "headings": [asdict(heading) for heading in page.headings],
            "text": page.text,
        }
        for page in built.pages
    ]
    files = [
        {"version_id": version_id, "path": path, "digest": blob.digest, "size_bytes": blob.size_bytes}
        for path, blob in blobs.items()
    ]
    links = [
        {"version_id": version_id, "position": position, **asdict(link)} for position, link in enumerate(built.links)
    ]
    return {"pages": pages, "files": files, "links": links}


async def list_blobs(session: ReadSession) -> set[str]:
    """Return the digests of the files of all versions."""
    return await table.list_digests(session)


def _put(blobs: BlobStore, files: Mapping[str, bytes]) -> dict[str, Blob]:
    return {path: blobs.put(content) for path, content in files.items()}


def _version(
    site: DocsSite, built: BuiltSite, blobs: Mapping[str, Blob], *, revision: str, run_id: UUID
) -> DocsVersion:
    raw = built.raw
    return DocsVersion(
        id=new_id(),
        site_id=site.id,
        revision=revision,
        builder=raw.builder,
        fallback=raw.fallback,
        title=raw.title,
        home=built.home,
        nav=[entry.as_dict() for entry in built.nav],
        notes=list(raw.notes),
        page_count=len(built.pages),
        broken_count=sum(link.kind is LinkKind.BROKEN for link in built.links),
        external_count=sum(link.kind is LinkKind.EXTERNAL for link in built.links),
        size_bytes=sum(len(page.html.encode()) for page in built.pages)
        + sum(blob.size_bytes for blob in blobs.values()),
        run_id=run_id,
        built_at=now(),
    )
