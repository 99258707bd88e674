"""Queries on versions, their pages, files and links, and the search over them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, literal_column, select
from sqlalchemy.orm import defer

from roadbed.core.db import ReadSession, WriteSession, insert_rows
from roadbed.docs.models import DocsFile, DocsLink, DocsPage, DocsSite, DocsSubject, DocsVersion


async def find_version(session: ReadSession, site_id: UUID, name: str) -> DocsVersion | None:
    """Return the newest version of a site whose revision begins so."""
    query = (
        select(DocsVersion)
        .where(DocsVersion.site_id == site_id, DocsVersion.revision.startswith(name, autoescape=True))
        .order_by(DocsVersion.built_at.desc())
        .limit(1)
    )
    found: DocsVersion | None = await session.scalar(query)
    return found


async def get_version(session: ReadSession, version_id: UUID) -> DocsVersion | None:
    return await session.get(DocsVersion, version_id)


async def list_versions(session: ReadSession, site_id: UUID) -> list[DocsVersion]:
    """List the versions of a site, the one that was built last first."""
    query = select(DocsVersion).where(DocsVersion.site_id == site_id)
    return list(await session.scalars(query.order_by(DocsVersion.built_at.desc(), DocsVersion.id.desc())))


async def delete_version(session: WriteSession, site_id: UUID, revision: str) -> None:
    await session.execute(delete(DocsVersion).where(DocsVersion.site_id == site_id, DocsVersion.revision == revision))


async def delete_older(session: WriteSession, site_id: UUID, *, kept: int) -> None:
    """Delete all versions of a site but the newest."""
    newest = (
        select(DocsVersion.id)
        .where(DocsVersion.site_id == site_id)
        .order_by(DocsVersion.built_at.desc(), DocsVersion.id.desc())
        .limit(kept)
    )
    await session.execute(delete(DocsVersion).where(DocsVersion.site_id == site_id, DocsVersion.id.not_in(newest)))


async def add_version(
    session: WriteSession,
    version: DocsVersion,
    *,
    pages: Sequence[dict[str, Any]],
    files: Sequence[dict[str, Any]],
    links: Sequence[dict[str, Any]],
) -> None:
    """Add a version with all that belongs to it."""
    session.add(version)
    await session.flush()
    await insert_rows(session, DocsPage, pages)
    await insert_rows(session, DocsFile, files)
    await insert_rows(session, DocsLink, links)


async def find_page(session: ReadSession, version_id: UUID, path: str) -> DocsPage | None:
    query = select(DocsPage).where(DocsPage.version_id == version_id, DocsPage.path == path)
    found: DocsPage | None = await session.scalar(query.options(defer(DocsPage.words), defer(DocsPage.text)))
    return found


async def find_text(session: ReadSession, version_id: UUID, path: str) -> str | None:
    """Return the words of a page, which `find_page` leaves out."""
    query = select(DocsPage.text).where(DocsPage.version_id == version_id, DocsPage.path == path)
    found: str | None = await session.scalar(query)
    return found


async def list_pages(session: ReadSession, version_id: UUID) -> list[tuple[str, str, str]]:
    """List (path, title, source) of the pages of a version."""
    query = select(DocsPage.path, DocsPage.title, DocsPage.source).where(DocsPage.version_id == version_id)
    return [(path, title, source) for path, title, source in await session.execute(query.order_by(DocsPage.path))]


async def find_file(session: ReadSession, version_id: UUID, path: str) -> DocsFile | None:
    return await session.get(DocsFile, (version_id, path))


async def list_links(
    session: ReadSession, version_id: UUID, *, kind: str | None = None, after: int = -1, limit: int
) -> list[DocsLink]:
    query = select(DocsLink).where(DocsLink.version_id == version_id, DocsLink.position > after)
    if kind is not None:
        query = query.where(DocsLink.kind == kind)
    return list(await session.scalars(query.order_by(DocsLink.position).limit(limit)))


async def list_digests(session: ReadSession) -> set[str]:
    """Return the digests of the files of all versions."""
    return set(await session.scalars(select(DocsFile.digest).distinct()))


async def search(
    session: ReadSession, words: str, *, title: str, site_id: UUID | None = None, limit: int
) -> list[tuple[DocsSubject, str, str, str]]:
    """Find pages of the newest versions: (subject, path, title, text), the best first.

    Args:
        session: reads.
        words: a text search query, as `rules.searching` writes it.
        title: what somebody typed: a title that is or begins so comes first.
        site_id: only this site.
        limit: at most so many.
    """
    query_ = func.to_tsquery(literal_column("'simple'"), words)
    lowered = func.lower(DocsPage.title)
    rank = case((lowered == title.lower(), 0), (lowered.startswith(title.lower(), autoescape=True), 1), else_=2)
    first = (
        select(func.min(DocsSubject.ref))
        .where(DocsSubject.site_id == DocsSite.id)
        .correlate(DocsSite)
        .scalar_subquery()
    )
    query = (
        select(DocsSubject, DocsPage.path, DocsPage.title, DocsPage.text)
        .join(DocsSite, DocsSite.version_id == DocsPage.version_id)
        .join(DocsSubject, DocsSubject.ref == first)
        .where(DocsPage.words.op("@@")(query_))
        .order_by(rank, func.ts_rank(DocsPage.words, query_).desc(), DocsPage.title, DocsPage.path)
        .limit(limit)
    )
    if site_id is not None:
        query = query.where(DocsSite.id == site_id)
    return [(subject, path, name, text) for subject, path, name, text in await session.execute(query)]
