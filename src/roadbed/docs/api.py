"""REST: documented entities, versions, pages, links, search, builds and reports."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from roadbed.core.db import Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.core.paging import number_cursor, number_of_cursor
from roadbed.docs.access import DocsBuilder, DocsReader
from roadbed.docs.schemas import (
    BuildOut,
    DocsQuery,
    LinkOut,
    LinkQuery,
    LinksOut,
    MatchesOut,
    MatchOut,
    PageOut,
    PagesOut,
    PageSummaryOut,
    ReportIn,
    ReportOut,
    ReportsOut,
    RunbookOut,
    SectionOut,
    SiteOut,
    SitePageOut,
    VersionOut,
    VersionsOut,
    cursor_of_subject,
    subject_of_cursor,
)
from roadbed.docs.service import reading, reports, sites
from roadbed.docs.service.reading import Documented
from roadbed.docs.service.runbooks import get_runbook
from roadbed.docs.types import LATEST, runbook_href
from roadbed.kit.refs import EntityRef

router = APIRouter(prefix="/docs", tags=["docs"])

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
Version = Annotated[str, Query(max_length=60, description="`latest`, or the beginning of a commit.")]


def _show(found: Documented) -> SiteOut:
    subject, site = found.subject, found.site
    return SiteOut(
        ref=str(subject.ref),
        title=subject.title,
        owner=subject.owner,
        techdocs_ref=subject.techdocs_ref,
        href=subject.href,
        source=site.source.label if site else None,
        folder=site.source.folder if site else None,
        state=site.state if site else None,
        error=site.error if site else subject.problem,
        run_id=site.run_id if site else None,
        version=VersionOut.of(found.version) if found.version else None,
    )


@router.get("")
async def list_sites(session: Reading, _: DocsReader, query: Annotated[DocsQuery, Query()]) -> SitePageOut:
    """List documented entities by title."""
    after, limit = subject_of_cursor(query.cursor), query.limit
    found = await reading.list_documented(session, text=query.q, after=after, limit=limit + 1)
    shown = found[:limit]
    return SitePageOut(
        items=[_show(documented) for documented in shown],
        next_cursor=cursor_of_subject(shown[-1].subject) if len(found) > limit else None,
        total=await reading.count_documented(session, text=query.q),
    )


@router.get("/search")
async def search(
    session: Reading,
    _: DocsReader,
    q: Annotated[str, Query(max_length=200, description="Words in title or text.")],
    limit: Annotated[int, Query(ge=1, le=100)] = 25,
) -> MatchesOut:
    """Find pages in the newest versions, titles first."""
    found = await reading.search_pages(session, q, limit=limit)
    return MatchesOut(items=[MatchOut(**{**vars(match), "ref": str(match.ref), "href": match.href}) for match in found])


@router.get("/{kind}/{namespace}/{name}")
async def read_site(session: Reading, _: DocsReader, ref: RefOfPath) -> SiteOut:
    """Give the documentation of an entity: its state and its newest version."""
    return _show(await reading.get_documented(session, ref))


@router.get("/{kind}/{namespace}/{name}/runbook")
async def read_runbook(session: Reading, _: DocsReader, ref: RefOfPath) -> RunbookOut:
    """Tell where the runbook of an entity is, and its sections."""
    runbook, address = await get_runbook(session, ref)
    return RunbookOut(
        href=runbook_href(ref),
        address=address,
        is_external=runbook.is_external,
        sections=[SectionOut(title=title, href=href) for href, title in runbook.sections],
    )


@router.post("/{kind}/{namespace}/{name}/builds", status_code=202)
async def build_site(session: Writing, actor: DocsBuilder, ref: RefOfPath) -> BuildOut:
    """Build a site now, also when nothing changed."""
    return BuildOut(run_id=(await sites.request_build(session, actor, ref)).id)


@router.get("/{kind}/{namespace}/{name}/versions")
async def list_versions(session: Reading, _: DocsReader, ref: RefOfPath) -> VersionsOut:
    """List the versions of a site that are kept."""
    found = await reading.get_documented(session, ref)
    versions = await reading.list_versions(session, found.site) if found.site else []
    return VersionsOut(items=[VersionOut.of(version) for version in versions])


@router.get("/{kind}/{namespace}/{name}/pages")
async def list_pages(session: Reading, _: DocsReader, ref: RefOfPath, version: Version = LATEST) -> PagesOut:
    """List the pages of a version."""
    opened = await reading.open_site(session, ref, version)
    found = await reading.list_pages(session, opened.version)
    return PagesOut(
        revision=opened.version.revision,
        nav=[entry.as_dict() for entry in opened.version.nav],
        items=[PageSummaryOut(path=path, title=title, source=source) for path, title, source in found],
    )


@router.get("/{kind}/{namespace}/{name}/pages/{path:path}")
async def read_page(session: Reading, _: DocsReader, ref: RefOfPath, path: str, version: Version = LATEST) -> PageOut:
    """Give a page of a version."""
    opened = await reading.open_site(session, ref, version)
    page = await reading.get_page(session, opened, path)
    return PageOut(
        revision=opened.version.revision,
        path=page.path,
        title=page.title,
        source=page.source,
        html=page.html,
        headings=page.headings,
        text=await reading.get_text(session, opened, path),
    )


@router.get("/{kind}/{namespace}/{name}/links")
async def list_links(
    session: Reading, _: DocsReader, ref: RefOfPath, query: Annotated[LinkQuery, Query()], version: Version = LATEST
) -> LinksOut:
    """List the links of a version that lead nowhere, or out of it."""
    opened = await reading.open_site(session, ref, version)
    after = number_of_cursor(query.cursor)
    found = await reading.list_links(
        session, opened.version, kind=query.kind, after=-1 if after is None else after, limit=query.limit + 1
    )
    shown = found[: query.limit]
    return LinksOut(
        items=[LinkOut.model_validate(link) for link in shown],
        next_cursor=number_cursor(shown[-1].position) if len(found) > query.limit else None,
    )


@router.get("/{kind}/{namespace}/{name}/reports")
async def list_reports(session: Reading, _: DocsReader, ref: RefOfPath) -> ReportsOut:
    """List the problems that were reported and are not settled, newest first."""
    found = await reading.get_documented(session, ref)
    listed = await reports.list_reports(session, found.site) if found.site else []
    return ReportsOut(items=[ReportOut.of(report) for report in listed])


@router.post("/{kind}/{namespace}/{name}/reports", status_code=201)
async def report_problem(session: Writing, actor: DocsReader, ref: RefOfPath, body: ReportIn, once: Once) -> ReportOut:
    """Say what is wrong with a page."""
    if known := await once.find(ReportOut):
        return known
    opened = await reading.open_site(session, ref, body.version)
    page = await reading.get_page(session, opened, body.page)
    report = ReportOut.of(await reports.report_problem(session, actor, opened, page, body.text))
    return await once.keep(report)


@router.post("/{kind}/{namespace}/{name}/reports/{report_id}/settle")
async def settle_report(session: Writing, actor: DocsBuilder, ref: RefOfPath, report_id: UUID) -> ReportOut:
    """Take a report from the list: it was mended, or is none."""
    found = await reading.get_documented(session, ref)
    return ReportOut.of(await reports.settle_report(session, actor, found.subject, report_id))
