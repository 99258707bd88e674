"""Pages: what waits for a decision, one approval, and its part on the page of the run that waits."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.approvals import rules
from roadbed.approvals.access import APPROVAL_READ, ApprovalDecider, ApprovalReader, may_decide
from roadbed.approvals.service import count_waiting_for, decide, get_approval, list_approvals, list_waiting_for
from roadbed.approvals.types import PLACE_DECIDED, ApprovalFilter, ApprovalState, ApprovalView
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, ReadSession, Writing
from roadbed.core.html import Renderer, render
from roadbed.core.needs import Need
from roadbed.core.paging import PageQuery, id_cursor, id_of_cursor
from roadbed.core.services import Services
from roadbed.kit.refs import parse_ref
from roadbed.kit.text import ago, name_actor
from roadbed.runs.contract import RunSummary, find_run

router = APIRouter()

View = Literal["mine", "waiting", "decided"]
_ENDS = tuple(state for state in ApprovalState if state is not ApprovalState.WAITING)


class InboxQuery(PageQuery):
    """Which part of the inbox."""

    view: View = "mine"


class _WaitingRun(Protocol):
    @property
    def id(self) -> UUID: ...


def _show(session: ReadSession, actor: Actor, approval: ApprovalView) -> dict[str, Any]:
    decision = may_decide(session.services.get(DeciderService), actor, approval)
    is_open = approval.state is ApprovalState.WAITING
    return {
        "approval": approval,
        "state": rules.state_words(approval.state),
        "waits_for": rules.who_can(approval.approvers),
        "is_open": is_open,
        "may_decide": is_open and decision.is_allowed,
        "reason": decision.reason,
        "subject_href": _href_of(approval.subject),
    }


def _href_of(subject: str) -> str | None:
    """Return the page of what is decided on: an entity, or a run."""
    if subject.startswith("run:"):
        return f"/runs/{subject.removeprefix('run:')}"
    if "/" not in subject:
        return None
    ref = parse_ref(subject)
    return f"/catalog/{ref.kind}/{ref.namespace}/{ref.name}".lower()


@router.get("/approvals")
async def inbox_page(
    request: Request, session: Reading, actor: ApprovalReader, query: Annotated[InboxQuery, Query()]
) -> HTMLResponse:
    """Show what waits for the reader, what waits at all, and what was decided."""
    found: Sequence[ApprovalView]
    if query.view == "mine":
        found = await list_waiting_for(session, actor, limit=query.limit)
    else:
        wanted = ApprovalFilter(states=(ApprovalState.WAITING,) if query.view == "waiting" else _ENDS)
        found = await list_approvals(session, wanted, before_id=id_of_cursor(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    next_page = f"?view={query.view}&cursor={id_cursor(shown[-1].id)}" if len(found) > query.limit else None
    context = {
        "view": query.view,
        "rows": [_show(session, actor, approval) for approval in shown],
        "mine_count": len(shown) if query.view == "mine" else await count_waiting_for(session, actor),
        "next_page": next_page,
    }
    return await render(request, "approvals/list.html", context)


@router.get("/approvals/{approval_id}")
async def approval_page(request: Request, session: Reading, actor: ApprovalReader, approval_id: UUID) -> HTMLResponse:
    """Show one approval: what is decided, who may, and the form for those."""
    approval = await get_approval(session, approval_id)
    run: RunSummary | None = await find_run(session, approval.run_id) if approval.run_id else None
    renderer: Renderer = request.app.state.services.get(Renderer)
    decided = await renderer.panels(request, PLACE_DECIDED, approval)
    context = {**_show(session, actor, approval), "run": run, "decided": decided}
    return await render(request, "approvals/approval.html", context)


@router.post("/approvals/{approval_id}/decide")
async def decide_from_page(
    session: Writing,
    actor: ApprovalDecider,
    approval_id: UUID,
    decision: Annotated[Literal["approve", "reject"], Form()],
    note: Annotated[str, Form()] = "",
    back: Literal["run", "approval"] = "approval",
) -> RedirectResponse:
    """Approve or reject, and go back to where the form was."""
    approval = await decide(session, actor, approval_id, is_approved=decision == "approve", comment=note)
    is_from_run = back == "run" and approval.run_id is not None
    return RedirectResponse(f"/runs/{approval.run_id}" if is_from_run else approval.page, 303)


async def load_run_panel(request: Request, run: _WaitingRun) -> Mapping[str, Any] | None:
    """Return what the page of a run shows of its open approvals; None when there are none."""
    services: Services = request.app.state.services
    actor = await current_actor(request)
    if not services.get(DeciderService).has(actor, APPROVAL_READ):
        return None
    async with services.get(Database).read() as session:
        wanted = ApprovalFilter(states=(ApprovalState.WAITING,), run_id=run.id)
        found = await list_approvals(session, wanted, limit=10)
        rows = [_show(session, actor, approval) for approval in found]
    return {"rows": [row for row in rows if row["is_open"]]} if any(row["is_open"] for row in rows) else None


async def find_needs(session: ReadSession, actor: Actor, /) -> list[Need]:
    """Return what the actor could decide now, for Home."""
    return [
        Need(
            state=("wait", "Approval"),
            title=approval.title,
            href=approval.page,
            at=approval.created_at,
            meta=_need_meta(approval),
            action="Decide",
        )
        for approval in await list_waiting_for(session, actor, limit=20)
    ]


def _need_meta(approval: ApprovalView) -> str:
    parts = [f"asked by {name_actor(approval.asked_by)}"]
    if approval.expires_at is not None:
        parts.append(f"expires {ago(approval.expires_at)}")
    if approval.reminded_at is not None:
        parts.append("reminder: half of the time is over")
    return " · ".join(parts)


async def count_mine(services: Services, actor: Actor) -> int:
    """Return the number beside "Approvals" in the rail."""
    async with services.get(Database).read() as session:
        return await count_waiting_for(session, actor)
