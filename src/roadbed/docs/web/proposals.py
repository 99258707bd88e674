"""Pages: say that something is wrong with a page, and propose how to change it."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.core.db import Database, Reading, Writing
from roadbed.core.html import render
from roadbed.core.services import Services
from roadbed.docs.access import DocsReader
from roadbed.docs.service import reading, reports
from roadbed.docs.types import LATEST, docs_href
from roadbed.kit.refs import EntityRef

router = APIRouter(prefix="/docs/{kind}/{namespace}/{name}")

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
Version = Annotated[str, Query(max_length=60)]


@router.get("/report/{path:path}")
async def report_form(
    request: Request, session: Reading, _: DocsReader, ref: RefOfPath, path: str, version: Version = LATEST
) -> HTMLResponse:
    """Ask what is wrong with a page."""
    opened = await reading.open_site(session, ref, version)
    page = await reading.get_page(session, opened, path)
    field: dict[str, Any] = {
        "name": "text",
        "id": "text",
        "kind": "multiline",
        "label": "What is wrong",
        "help": "The owners find it on Home, with the page and its version.",
        "is_required": True,
        "attrs": {"maxlength": reports.LONGEST_REPORT, "rows": 8},
    }
    context = {"subject": opened.subject, "page": page, "edition": version, "fields": [field]}
    return await render(request, "docs/report.html", context)


@router.post("/report/{path:path}")
async def report_problem(
    session: Writing,
    actor: DocsReader,
    ref: RefOfPath,
    path: str,
    text: Annotated[str, Form()] = "",
    version: Version = LATEST,
) -> RedirectResponse:
    """Keep a report, and go back to the page."""
    opened = await reading.open_site(session, ref, version)
    page = await reading.get_page(session, opened, path)
    await reports.report_problem(session, actor, opened, page, text)
    return RedirectResponse(f"{docs_href(ref)}/about#reports", 303)


@router.get("/edit/{path:path}")
async def edit_form(request: Request, actor: DocsReader, ref: RefOfPath, path: str) -> HTMLResponse:
    """Show the text of a page as it is now, to be changed."""
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        opened = await reading.open_site(session, ref)
        page = await reading.get_page(session, opened, path)
    text, base = await reports.read_for_edit(services, actor, opened.site.source, page.source)
    field: dict[str, Any] = {
        "name": "text",
        "id": "text",
        "kind": "multiline",
        "label": page.source,
        "value": text,
        "mono": True,
        "is_required": True,
        "attrs": {"rows": 24, "spellcheck": "true"},
    }
    context = {"subject": opened.subject, "page": page, "base": base, "fields": [field]}
    return await render(request, "docs/edit.html", context)


@router.post("/edit/{path:path}")
async def propose_change(
    request: Request,
    actor: DocsReader,
    ref: RefOfPath,
    path: str,
    base: Annotated[str, Form(max_length=64)],
    text: Annotated[str, Form()],
) -> RedirectResponse:
    """Open a change request with the new text, and show it."""
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        opened = await reading.open_site(session, ref)
        page = await reading.get_page(session, opened, path)
    repository, change = await reports.propose_change(
        services, actor, opened.site.source, path=page.source, text=text, base=base
    )
    return RedirectResponse(f"/repositories/{repository.full_name}/changes/{change.number}", 303)
