"""REST: approvals and their decisions."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from roadbed.approvals.access import ApprovalDecider, ApprovalReader, may_decide
from roadbed.approvals.schemas import ApprovalOut, ApprovalPageOut, ApprovalQuery, DecisionIn
from roadbed.approvals.service import decide, get_approval, list_approvals, list_waiting_for
from roadbed.approvals.types import ApprovalState, ApprovalView
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.paging import id_cursor, id_of_cursor

router = APIRouter(prefix="/approvals", tags=["approvals"])


def _show(session: ReadSession, actor: Actor, approval: ApprovalView) -> ApprovalOut:
    decision = may_decide(session.services.get(DeciderService), actor, approval)
    is_open = approval.state is ApprovalState.WAITING
    reason = decision.reason if is_open else f"it is {approval.state}"
    values = {name: getattr(approval, name) for name in ApprovalOut.model_fields if hasattr(approval, name)}
    return ApprovalOut.model_validate({**values, "may_decide": is_open and decision.is_allowed, "reason": reason})


@router.get("")
async def list_all(
    session: Reading, actor: ApprovalReader, query: Annotated[ApprovalQuery, Query()]
) -> ApprovalPageOut:
    """List approvals, newest first; with `mine` those that the caller could decide now."""
    wanted, before_id, limit = query.to_filter(), id_of_cursor(query.cursor), query.limit + 1
    if query.mine:
        found = await list_waiting_for(session, actor, wanted=wanted, before_id=before_id, limit=limit)
    else:
        found = await list_approvals(session, wanted, before_id=before_id, limit=limit)
    shown = found[: query.limit]
    next_cursor = id_cursor(shown[-1].id) if len(found) > query.limit else None
    return ApprovalPageOut(items=[_show(session, actor, approval) for approval in shown], next_cursor=next_cursor)


@router.get("/{approval_id}")
async def read_one(session: Reading, actor: ApprovalReader, approval_id: UUID) -> ApprovalOut:
    """Give one approval, and whether the caller may decide."""
    return _show(session, actor, await get_approval(session, approval_id))


@router.post("/{approval_id}/approve")
async def approve(
    session: Writing, actor: ApprovalDecider, approval_id: UUID, body: DecisionIn | None = None
) -> ApprovalOut:
    """Approve; the run that waits goes on."""
    return await _decide(session, actor, approval_id, body, is_approved=True)


@router.post("/{approval_id}/reject")
async def reject(
    session: Writing, actor: ApprovalDecider, approval_id: UUID, body: DecisionIn | None = None
) -> ApprovalOut:
    """Reject; the step that waits fails with the comment."""
    return await _decide(session, actor, approval_id, body, is_approved=False)


async def _decide(
    session: Writing, actor: Actor, approval_id: UUID, body: DecisionIn | None, *, is_approved: bool
) -> ApprovalOut:
    comment = body.comment if body else ""
    return _show(session, actor, await decide(session, actor, approval_id, is_approved=is_approved, comment=comment))
