"""Reading documentation: the list, a site with its versions, pages, files, links, and the search."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from roadbed.core.blobs import BlobStore
from roadbed.core.db import ReadSession
from roadbed.docs.errors import PageNotFound, VersionNotFound
from roadbed.docs.models import DocsLink, DocsPage
from roadbed.docs.repository import pages as table
from roadbed.docs.repository import sites as sites_table
from roadbed.docs.rules.outline import find_excerpt
from roadbed.docs.rules.searching import split_words, write_query
from roadbed.docs.service.sites import no_site
from roadbed.docs.types import (
    LATEST,
    LinkKind,
    PageMatch,
    SiteSummary,
    SubjectSummary,
    VersionSummary,
)
from roadbed.kit.refs import EntityRef


@dataclass(frozen=True)
class Documented:
    """An entity with its site and the newest version of that, as far as there is one."""

    subject: SubjectSummary
    site: SiteSummary | None
    version: VersionSummary | None


@dataclass(frozen=True)
class OpenedSite:
    """A site somebody reads, at one version; `is_latest` when they asked for no other."""

    subject: SubjectSummary
    site: SiteSummary
    version: VersionSummary
    is_latest: bool


@dataclass(frozen=True)
class FileContent:
    path: str
    content: bytes


async def find_documented(session: ReadSession, ref: EntityRef) -> Documented | None:
    """Return the documentation of an entity; None when it asks for none."""
    row = await sites_table.find_subject(session, str(ref))
    if row is None:
        return None
    subject = sites_table.view_subject(row)
    site = await sites_table.find_site(session, row.site_id) if row.site_id else None
    if site is None:
        return Documented(subject, None, None)
    version = await table.get_version(session, site.version_id) if site.version_id else None
    return Documented(subject, sites_table.view_site(site), sites_table.view_version(version) if version else None)


async def get_documented(session: ReadSession, ref: EntityRef) -> Documented:
    """Return the documentation of an entity.

    Raises:
        SiteNotFound: it asks for none.
    """
    found = await find_documented(session, ref)
    if found is None:
        raise no_site(ref, None)
    return found


async def list_documented(
    session: ReadSession, *, text: str = "", after: tuple[str, str] | None = None, limit: int
) -> list[Documented]:
    """List documented entities by title."""
    found = await sites_table.list_subjects(session, text=text, after=after, limit=limit)
    return [
        Documented(
            sites_table.view_subject(subject),
            sites_table.view_site(site) if site else None,
            sites_table.view_version(version) if version else None,
        )
        for subject, site, version in found
    ]


async def count_documented(session: ReadSession, *, text: str = "") -> int:
    return await sites_table.count_subjects(session, text=text)


async def count_states(session: ReadSession) -> dict[str, int]:
    """Return how many sites are in each state."""
    return await sites_table.count_states(session)


async def open_site(session: ReadSession, ref: EntityRef, version: str = LATEST) -> OpenedSite:
    """Open the documentation of an entity at a version: `latest`, or the beginning of a commit.

    Raises:
        SiteNotFound: there is none.
        VersionNotFound: it was not built yet, or not at this commit.
    """
    found = await get_documented(session, ref)
    if found.site is None:
        raise no_site(ref, found.subject.problem)
    if version == LATEST:
        if found.version is None:
            raise VersionNotFound(
                f"The documentation of {ref} was not built yet.", hint="Its page says how far the build is."
            )
        return OpenedSite(found.subject, found.site, found.version, is_latest=True)
    row = await table.find_version(session, found.site.id, version) if len(version) >= 7 else None
    if row is None:
        raise VersionNotFound(
            f"The documentation of {ref} has no version {version[:60]!r}.",
            hint="The newest ten are kept; its page lists them.",
        )
    return OpenedSite(found.subject, found.site, sites_table.view_version(row), is_latest=False)


async def list_versions(session: ReadSession, site: SiteSummary) -> list[VersionSummary]:
    """List the versions of a site, newest first."""
    return [sites_table.view_version(row) for row in await table.list_versions(session, site.id)]


async def find_page(session: ReadSession, version: VersionSummary, path: str) -> DocsPage | None:
    return await table.find_page(session, version.id, path)


async def get_page(session: ReadSession, opened: OpenedSite, path: str) -> DocsPage:
    """Return a page.

    Raises:
        PageNotFound: the version has none of this address.
    """
    page = await find_page(session, opened.version, path)
    if page is None:
        raise _no_page(opened, path)
    return page


def _no_page(opened: OpenedSite, path: str) -> PageNotFound:
    return PageNotFound(
        f"The documentation of {opened.subject.ref} has no page {path[:200]!r}.",
        hint="It may have been renamed since. The list of pages shows what there is.",
    )


async def list_pages(session: ReadSession, version: VersionSummary) -> list[tuple[str, str, str]]:
    """List (path, title, source) of the pages of a version."""
    return await table.list_pages(session, version.id)


async def get_file(session: ReadSession, opened: OpenedSite, path: str) -> FileContent:
    """Return a file that pages of a version show or offer.

    Raises:
        PageNotFound: the version has none of this address.
        BlobNotFound, BlobDamaged.
    """
    row = await table.find_file(session, opened.version.id, path)
    if row is None:
        raise _no_page(opened, path)
    return FileContent(path, await asyncio.to_thread(session.services.get(BlobStore).read, row.digest))


async def list_links(
    session: ReadSession, version: VersionSummary, *, kind: LinkKind | None = None, after: int = -1, limit: int
) -> list[DocsLink]:
    """List the links of a version that lead nowhere, or out of it."""
    return await table.list_links(session, version.id, kind=kind, after=after, limit=limit)


async def search_pages(
    session: ReadSession, text: str, *, site: SiteSummary | None = None, limit: int
) -> Sequence[PageMatch]:
    """Find pages in the newest versions by words in title and text, titles first."""
    query = write_query(text)
    if query is None:
        return []
    words = split_words(text)
    found = await table.search(session, query, title=text.strip(), site_id=site.id if site else None, limit=limit)
    return [
        PageMatch(
            ref=sites_table.view_subject(subject).ref,
            subject=subject.title,
            path=path,
            title=title,
            excerpt=find_excerpt(content, words),
        )
        for subject, path, title, content in found
    ]


async def get_text(session: ReadSession, opened: OpenedSite, path: str) -> str:
    """Return the words of a page.

    Raises:
        PageNotFound: the version has none of this address.
    """
    text = await table.find_text(session, opened.version.id, path)
    if text is None:
        raise _no_page(opened, path)
    return text
