"""REST: reading the audit record."""

from typing import Annotated

from fastapi import APIRouter, Query

from roadbed.audit import repository
from roadbed.audit.access import AuditReader
from roadbed.audit.schemas import AuditEntryOut, AuditPageOut, AuditQuery
from roadbed.core.db import Reading
from roadbed.core.paging import id_cursor, id_of_cursor

router = APIRouter(tags=["audit"])


@router.get("/audit")
async def list_audit_entries(session: Reading, _: AuditReader, query: Annotated[AuditQuery, Query()]) -> AuditPageOut:
    """List who did what, newest first."""
    entries = await repository.list_entries(
        session,
        subject=query.subject,
        actor=query.actor,
        action=query.action,
        before_id=id_of_cursor(query.cursor),
        limit=query.limit + 1,
    )
    shown = entries[: query.limit]
    return AuditPageOut(
        items=[AuditEntryOut.model_validate(entry) for entry in shown],
        next_cursor=id_cursor(shown[-1].id) if len(entries) > query.limit else None,
    )
