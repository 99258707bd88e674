"""Every query on approvals."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, Text, cast, false, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from roadbed.approvals.models import Approval
from roadbed.approvals.types import ApprovalFilter, ApprovalState, Voter
from roadbed.core.db import ReadSession, WriteSession, locking


async def find_approval(session: ReadSession, approval_id: UUID) -> Approval | None:
    return await session.get(Approval, approval_id)


async def lock_approval(session: WriteSession, approval_id: UUID) -> Approval | None:
    found: Approval | None = await session.scalar(locking(select(Approval).where(Approval.id == approval_id)))
    return found


async def find_newest(session: ReadSession, key: str) -> Approval | None:
    query = select(Approval).where(Approval.key == key).order_by(Approval.round.desc()).limit(1)
    found: Approval | None = await session.scalar(query)
    return found


async def list_approvals(
    session: ReadSession, wanted: ApprovalFilter, *, before_id: UUID | None = None, limit: int
) -> list[Approval]:
    """List approvals, newest first, from below `before_id`."""
    query = _filtered(select(Approval), wanted).order_by(Approval.id.desc()).limit(limit)
    if before_id:
        query = query.where(Approval.id < before_id)
    return list(await session.scalars(query))


def _filtered(query: Select[Approval], wanted: ApprovalFilter) -> Select[Approval]:
    if wanted.states:
        query = query.where(Approval.state.in_(wanted.states))
    if wanted.subject:
        query = query.where(Approval.subject == wanted.subject)
    if wanted.run_id:
        query = query.where(Approval.run_id == wanted.run_id)
    return query


async def list_for(
    session: ReadSession, voter: Voter, wanted: ApprovalFilter, *, before_id: UUID | None, at: datetime, limit: int
) -> list[Approval]:
    """List what waits for a voter, newest first."""
    query = _filtered(_waiting_for(voter, at=at), wanted)
    if before_id is not None:
        query = query.where(Approval.id < before_id)
    return list(await session.scalars(query.order_by(Approval.id.desc()).limit(limit)))


async def count_for(session: ReadSession, voter: Voter, *, at: datetime) -> int:
    query = _waiting_for(voter, at=at)
    return await session.scalar(select(func.count()).select_from(query.subquery())) or 0


def _waiting_for(voter: Voter, *, at: datetime) -> Select[Approval]:
    named = Approval.approvers.has_any(cast(list(voter.refs), ARRAY(Text)))
    own = Approval.askers.has_any(cast(list(voter.identities), ARRAY(Text)))
    return select(Approval).where(
        Approval.state == ApprovalState.WAITING,
        or_(Approval.expires_at.is_(None), Approval.expires_at > at),
        or_(Approval.is_four_eyes == false(), ~own),
        *(() if voter.may_decide_any else (named,)),
    )


async def list_overdue(session: WriteSession, *, at: datetime, limit: int) -> list[Approval]:
    """Lock and return those that wait longer than they should."""
    query = select(Approval).where(Approval.state == ApprovalState.WAITING, Approval.expires_at <= at)
    return list(await session.scalars(locking(query.limit(limit), skip_locked=True)))


async def list_to_remind(session: WriteSession, *, at: datetime, limit: int) -> list[Approval]:
    """Lock and return those whose half time is over and nobody was reminded of."""
    query = select(Approval).where(
        Approval.state == ApprovalState.WAITING, Approval.remind_at <= at, Approval.reminded_at.is_(None)
    )
    return list(await session.scalars(locking(query.limit(limit), skip_locked=True)))


async def lock_all_of_run(session: WriteSession, run_id: UUID) -> list[Approval]:
    query = locking(select(Approval).where(Approval.run_id == run_id).order_by(Approval.id))
    return list(await session.scalars(query))


async def list_waiting_of_run(session: WriteSession, run_id: UUID) -> list[Approval]:
    query = select(Approval).where(Approval.run_id == run_id, Approval.state == ApprovalState.WAITING)
    return list(await session.scalars(locking(query)))
