"""Page: the audit record."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from roadbed.audit import repository
from roadbed.audit.access import AuditReader
from roadbed.audit.schemas import AuditQuery
from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.core.paging import id_cursor, id_of_cursor

router = APIRouter()


@router.get("/audit")
async def audit_page(
    request: Request, session: Reading, _: AuditReader, query: Annotated[AuditQuery, Query()]
) -> HTMLResponse:
    """Show who did what, newest first, with filters."""
    entries = await repository.list_entries(
        session,
        subject=query.subject,
        actor=query.actor,
        action=query.action,
        before_id=id_of_cursor(query.cursor),
        limit=query.limit + 1,
    )
    shown = entries[: query.limit]
    next_cursor = id_cursor(shown[-1].id) if len(entries) > query.limit else None
    return await render(request, "audit/list.html", {"entries": shown, "query": query, "next_cursor": next_cursor})
