"""Use cases of approvals: ask, decide, remind, let expire. Each in one transaction with the run that it moves on."""

from collections.abc import Collection
from uuid import UUID

from roadbed.approvals import repository, rules
from roadbed.approvals.access import APPROVAL_DECIDE, APPROVAL_DECIDE_ANY, require_decider
from roadbed.approvals.errors import AlreadyDecided, ApprovalExpired, ApprovalNotFound
from roadbed.approvals.models import Approval
from roadbed.approvals.types import (
    LONGEST_COMMENT,
    WAIT_KIND,
    ApprovalFilter,
    ApprovalState,
    ApprovalView,
    ApprovalWish,
    Voter,
)
from roadbed.audit.contract import record
from roadbed.core.access import DeciderService, Permission
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.settings import Settings
from roadbed.identity.contract import count_people_who_may
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.text import ago
from roadbed.runs.contract import append_lines, find_run, resume_waits

BATCH = 100


def view_of(row: Approval) -> ApprovalView:
    return ApprovalView(
        id=row.id,
        title=row.title,
        subject=row.subject,
        detail=row.detail,
        href=row.href,
        approvers=tuple(row.approvers),
        asked_by=row.asked_by,
        askers=tuple(row.askers),
        is_four_eyes=row.is_four_eyes,
        run_id=row.run_id,
        state=rules.state_at(ApprovalState(row.state), row.expires_at, now()),
        created_at=row.created_at,
        expires_at=row.expires_at,
        reminded_at=row.reminded_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        comment=row.comment,
    )


async def ask_approval(session: WriteSession, actor: Actor, wish: ApprovalWish) -> ApprovalView:
    """Ask, or return what was asked under this key before and waits or was approved.

    After a rejection, or when nobody answered in time, the same key asks anew: a retried step wants a new answer.

    Raises:
        InvalidApprovers: one is no ref of a user or group.
    """
    approvers = rules.read_approvers(wish.approvers)
    await lock_transaction(session, f"approval:{wish.key}")
    last = await repository.find_newest(session, wish.key)
    if last is not None and view_of(last).state in (ApprovalState.WAITING, ApprovalState.APPROVED):
        return view_of(last)
    created_at = now()
    row = Approval(
        id=new_id(),
        key=wish.key,
        round=last.round + 1 if last else 1,
        title=wish.title,
        subject=wish.subject,
        detail=wish.detail,
        href=wish.href,
        approvers=list(approvers),
        asked_by=actor.label,
        askers=sorted(await _askers(session, actor, wish.run_id)),
        is_four_eyes=wish.is_four_eyes and not await may_approve_own(session, APPROVAL_DECIDE),
        run_id=wish.run_id,
        step_id=wish.step_id,
        state=ApprovalState.WAITING,
        created_at=created_at,
        expires_at=wish.expires_at,
        remind_at=rules.remind_time(created_at, wish.expires_at),
        comment="",
    )
    session.add(row)
    await session.flush()
    await record(
        session,
        actor,
        action="approvals.approval_asked",
        subject=f"approval:{row.id}",
        after=row.state,
        title=wish.title,
        about=wish.subject,
        approvers=row.approvers,
    )
    return view_of(row)


async def may_approve_own(session: ReadSession, permission: Permission) -> bool:
    """Tell whether people may now approve what they asked for, where `permission` is what approving takes."""
    setting = session.services.get(Settings).approvals.own
    if setting == "alone":
        return await count_people_who_may(session, permission) < 2
    return setting == "always"


async def _askers(session: ReadSession, actor: Actor, run_id: UUID | None) -> set[str]:
    """Return everybody who had this done: the actor, and who started the run or one of those above it."""
    askers = set(rules.identities_of(actor))
    while run_id is not None:
        run = await find_run(session, run_id)
        if run is None:
            break
        askers.add(run.initiator)
        run_id = run.parent_run_id
    return askers


async def decide(
    session: WriteSession, actor: Actor, approval_id: UUID, *, is_approved: bool, comment: str = ""
) -> ApprovalView:
    """Answer, and have the run that waits go on.

    Raises:
        ApprovalNotFound: there is none of that id.
        AlreadyDecided: it has an answer, or its run has ended.
        ApprovalExpired: the time is over.
        OwnRequest, NotAnApprover, Forbidden: the actor may not.
    """
    row = await repository.lock_approval(session, approval_id)
    if row is None:
        raise not_found(approval_id)
    approval = view_of(row)
    _require_waiting(approval)
    require_decider(session.services.get(DeciderService), actor, approval)
    row.state = ApprovalState.APPROVED if is_approved else ApprovalState.REJECTED
    row.decided_at = now()
    row.decided_by = actor.label
    row.comment = comment.strip()[:LONGEST_COMMENT]
    await record(
        session,
        actor,
        action=f"approvals.approval_{row.state}",
        subject=f"approval:{row.id}",
        before=ApprovalState.WAITING,
        after=row.state,
        title=row.title,
        about=row.subject,
        comment=row.comment,
    )
    return await _answer(session, row)


def _require_waiting(approval: ApprovalView) -> None:
    if approval.state is ApprovalState.EXPIRED:
        raise ApprovalExpired(
            f"“{approval.title}” expired {ago(approval.expires_at or approval.created_at)}, without a decision.",
            hint="Retry the run that asked: it asks again.",
        )
    if approval.state is ApprovalState.SUPERSEDED:
        raise AlreadyDecided(
            f"“{approval.title}” needs no decision any more: {approval.comment}", hint="Decide on the newer one."
        )
    if approval.state is ApprovalState.WITHDRAWN:
        raise AlreadyDecided(
            f"“{approval.title}” needs no decision any more: the run that asked has ended.", hint="Look at its run."
        )
    if approval.state is not ApprovalState.WAITING:
        raise AlreadyDecided(
            f"“{approval.title}” was {approval.state} already, by {approval.decided_by}.",
            hint="A decision stands. Cancel or retry the run to have it asked again.",
            decided_by=approval.decided_by,
            decision=approval.state.value,
        )


async def _answer(session: WriteSession, row: Approval) -> ApprovalView:
    """Tell the step that waits how the question ended."""
    await session.flush()
    approval = view_of(row)
    result = rules.result_of(approval)
    assert result is not None
    await resume_waits(session, kind=WAIT_KIND, key=str(row.id), result=result)
    return approval


async def find_approval(session: ReadSession, approval_id: UUID) -> ApprovalView | None:
    row = await repository.find_approval(session, approval_id)
    return view_of(row) if row else None


async def get_approval(session: ReadSession, approval_id: UUID) -> ApprovalView:
    """Return an approval.

    Raises:
        ApprovalNotFound: there is none of that id.
    """
    found = await find_approval(session, approval_id)
    if found is None:
        raise not_found(approval_id)
    return found


async def list_approvals(
    session: ReadSession, wanted: ApprovalFilter, *, before_id: UUID | None = None, limit: int
) -> list[ApprovalView]:
    """List approvals, newest first."""
    return [view_of(row) for row in await repository.list_approvals(session, wanted, before_id=before_id, limit=limit)]


async def list_waiting_for(
    session: ReadSession,
    actor: Actor,
    *,
    wanted: ApprovalFilter | None = None,
    before_id: UUID | None = None,
    limit: int = BATCH,
) -> list[ApprovalView]:
    """List what `actor` could decide now, newest first."""
    voter = _voter(session, actor)
    if voter is None:
        return []
    found = await repository.list_for(
        session, voter, wanted or ApprovalFilter(), before_id=before_id, at=now(), limit=limit
    )
    return [view_of(row) for row in found]


async def list_waiting_of(session: ReadSession, refs: Collection[str], *, limit: int) -> list[ApprovalView]:
    """List what waits for one of these users and groups, newest first, whoever asked."""
    voter = Voter(refs=frozenset(refs), identities=frozenset(), may_decide_any=False)
    found = await repository.list_for(session, voter, ApprovalFilter(), before_id=None, at=now(), limit=limit)
    return [view_of(row) for row in found]


async def count_waiting_for(session: ReadSession, actor: Actor) -> int:
    """Count what `actor` could decide now."""
    voter = _voter(session, actor)
    return 0 if voter is None else await repository.count_for(session, voter, at=now())


def _voter(session: ReadSession, actor: Actor) -> Voter | None:
    decider = session.services.get(DeciderService)
    if not decider.has(actor, APPROVAL_DECIDE):
        return None
    return Voter(rules.refs_of(actor), rules.identities_of(actor), decider.has(actor, APPROVAL_DECIDE_ANY))


async def withdraw_of_run(session: WriteSession, run_id: UUID) -> None:
    """Close the questions of a run that has ended: nobody needs the answer."""
    for row in await repository.list_waiting_of_run(session, run_id):
        await _close(session, row, ApprovalState.WITHDRAWN)


async def supersede_of_run(session: WriteSession, run_id: UUID, *, because: str) -> bool:
    """Close the questions of a run that a newer one makes pointless; `because` names that one, for people.

    Returns False, and closes nothing, when the run was approved already: then it may go on.
    """
    rows = await repository.lock_all_of_run(session, run_id)
    if any(row.state == ApprovalState.APPROVED for row in rows):
        return False
    for row in rows:
        if row.state == ApprovalState.WAITING:
            row.comment = because
            await _close(session, row, ApprovalState.SUPERSEDED)
    return True


async def expire_overdue(session: WriteSession) -> int:
    """Close what waits longer than it should, and have its runs go on. Returns how many."""
    rows = await repository.list_overdue(session, at=now(), limit=BATCH)
    for row in rows:
        await _close(session, row, ApprovalState.EXPIRED)
    return len(rows)


async def _close(session: WriteSession, row: Approval, state: ApprovalState) -> None:
    row.state = state
    row.decided_at = now()
    await record(
        session,
        system_actor("approvals"),
        action=f"approvals.approval_{state}",
        subject=f"approval:{row.id}",
        before=ApprovalState.WAITING,
        after=state,
        title=row.title,
        about=row.subject,
        comment=row.comment,
    )
    await _answer(session, row)


async def remind(session: WriteSession) -> int:
    """Remind of what waits since half of its time: on Home, and with a line in the run's log. Returns how many."""
    rows = await repository.list_to_remind(session, at=now(), limit=BATCH)
    limit_bytes = session.services.get(Settings).runs.log_bytes
    for row in rows:
        row.reminded_at = now()
        if row.run_id is not None and row.step_id is not None and row.expires_at is not None:
            text = (
                f"Half of the time is over; it expires {ago(row.expires_at)}. Waits for {rules.who_can(row.approvers)}."
            )
            await append_lines(
                session, row.run_id, row.step_id, [(row.reminded_at, "info", text)], limit_bytes=limit_bytes
            )
    return len(rows)


def not_found(approval_id: UUID) -> ApprovalNotFound:
    return ApprovalNotFound(f"There is no approval {approval_id}.", hint="`roadbed approvals list` shows what waits.")
