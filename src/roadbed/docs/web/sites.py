"""Pages: a site's pages and files at a version, and what is known of the site: builds, versions, links, reports."""

import mimetypes
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from markupsafe import Markup

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.html import render
from roadbed.docs.access import DOCS_BUILD, DocsBuilder, DocsReader
from roadbed.docs.models import DocsPage
from roadbed.docs.rules.words import builder_words, edit_href, find_neighbours, issue_href, source_href, state_words
from roadbed.docs.service import reading, reports, sites
from roadbed.docs.service.reading import Documented, OpenedSite
from roadbed.docs.types import LATEST, LinkKind, VersionSummary, docs_href
from roadbed.kit.refs import EntityRef

router = APIRouter(prefix="/docs/{kind}/{namespace}/{name}")

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
SAFE_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/svg+xml"})
_POLICY = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
_SHOWN_LINKS = 200
_SHOWN_LEVELS = (2, 3)
_MOST_HEADINGS = 60


@router.get("")
async def start_page(request: Request, session: Reading, actor: DocsReader, ref: RefOfPath) -> Response:
    """Lead to the first page; without one, show how far the build is."""
    found = await reading.get_documented(session, ref)
    if found.version is not None:
        return RedirectResponse(f"{docs_href(ref)}/{LATEST}/{found.version.home}", 303)
    return await _about(request, session, actor, found)


@router.get("/about")
async def about_page(request: Request, session: Reading, actor: DocsReader, ref: RefOfPath) -> HTMLResponse:
    """Show what is known of a site: its source and last build, its versions, links and reports."""
    return await _about(request, session, actor, await reading.get_documented(session, ref))


@router.post("/build")
async def build_site(session: Writing, actor: DocsBuilder, ref: RefOfPath) -> RedirectResponse:
    """Build a site now, and show the run."""
    run = await sites.request_build(session, actor, ref)
    return RedirectResponse(f"/runs/{run.id}", 303)


@router.post("/reports/{report_id}/settle")
async def settle_report(session: Writing, actor: DocsBuilder, ref: RefOfPath, report_id: UUID) -> RedirectResponse:
    """Take a report from the list."""
    found = await reading.get_documented(session, ref)
    await reports.settle_report(session, actor, found.subject, report_id)
    return RedirectResponse(f"{docs_href(ref)}/about", 303)


@router.get("/{version}/{path:path}")
async def page(
    request: Request, session: Reading, actor: DocsReader, ref: RefOfPath, version: str, path: str
) -> Response:
    """Show a page of a version, or give a file of it."""
    opened = await reading.open_site(session, ref, version)
    found = await reading.find_page(session, opened.version, path)
    if found is not None:
        return await _page(request, session, actor, opened, found)
    file = await reading.get_file(session, opened, path)
    return give_file(file.path, file.content)


def give_file(path: str, content: bytes) -> Response:
    """Give a file of a repository: it runs nothing here, and is shown only as an image."""
    guessed = mimetypes.guess_type(path)[0]
    if guessed in SAFE_IMAGES:
        return Response(content, media_type=guessed, headers=_POLICY)
    headers = {**_POLICY, "Content-Disposition": "attachment"}
    return Response(content, media_type="application/octet-stream", headers=headers)


@router.get("/{version}")
async def switch_version(
    session: Reading, _: DocsReader, ref: RefOfPath, version: str, page: Annotated[str, Query(max_length=1000)] = ""
) -> RedirectResponse:
    """Lead to a page in another version; to the first one when that version does not have it."""
    opened = await reading.open_site(session, ref, version)
    path = page if await reading.find_page(session, opened.version, page) is not None else opened.version.home
    name = LATEST if opened.is_latest else opened.version.name
    return RedirectResponse(f"{docs_href(ref)}/{name}/{path}", 303)


async def _page(
    request: Request, session: ReadSession, actor: Actor, opened: OpenedSite, found: DocsPage
) -> HTMLResponse:
    version = opened.version
    base = f"{opened.subject.href}/{LATEST if opened.is_latest else version.name}"
    before, after = find_neighbours(version.nav, found.path)
    headings = [heading for heading in found.headings if heading["level"] in _SHOWN_LEVELS]
    return await render(
        request,
        "docs/page.html",
        {
            "subject": opened.subject,
            "site": opened.site,
            "state": state_words(opened.site),
            "edition": version,
            "is_latest": opened.is_latest,
            "versions": await reading.list_versions(session, opened.site),
            "page": found,
            "prose": Markup(found.html),  # noqa: S704 - cleaned before it was stored
            "headings": headings[:_MOST_HEADINGS],
            "base": base,
            "before": before,
            "after": after,
            **_ways(request, actor, opened, found),
        },
    )


def _ways(request: Request, actor: Actor, opened: OpenedSite, found: DocsPage) -> dict[str, Any]:
    """Return where a page is changed, reported and shown as it was written."""
    source = opened.site.source
    own = f"{opened.subject.href}/edit/{found.path}"
    can_edit = reports.may_edit(request.app.state.services, actor, source)
    version = LATEST if opened.is_latest else opened.version.name
    issue = issue_href(
        source,
        title=f"Documentation: {found.title}",
        text=f"{found.source} at {opened.version.name}\n\n",
    )
    return {
        "edit": own if can_edit else edit_href(source, found.source),
        "report": issue or f"{opened.subject.href}/report/{found.path}?version={version}",
        "origin": source_href(source, found.source, opened.version.revision),
    }


async def _about(request: Request, session: ReadSession, actor: Actor, found: Documented) -> HTMLResponse:
    can_build = request.app.state.services.get(DeciderService).has(actor, DOCS_BUILD)
    version, site = found.version, found.site
    return await render(
        request,
        "docs/about.html",
        {
            "subject": found.subject,
            "site": site,
            "state": state_words(site),
            "edition": version,
            "builder": builder_words(version) if version else None,
            "versions": await reading.list_versions(session, site) if site else [],
            "reports": await reports.list_reports(session, site) if site else [],
            "can_build": can_build and site is not None,
            "base": f"{found.subject.href}/{LATEST}",
            "shown_links": _SHOWN_LINKS,
            **await _links(session, version),
        },
    )


async def _links(session: ReadSession, version: VersionSummary | None) -> dict[str, Any]:
    if version is None:
        return {"broken": [], "external": []}
    return {
        "broken": await reading.list_links(session, version, kind=LinkKind.BROKEN, limit=_SHOWN_LINKS),
        "external": await reading.list_links(session, version, kind=LinkKind.EXTERNAL, limit=_SHOWN_LINKS),
    }
