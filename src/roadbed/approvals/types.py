"""What other domains see of approvals."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

WAIT_KIND = "approval"
LONGEST_COMMENT = 4_000
PLACE_DECIDED = "approvals.approval.decided"
"""`<dt>` and `<dd>` of the card that says what is decided."""


class ApprovalState(StrEnum):
    """Where a question is. All but the first are ends."""

    WAITING = "waiting"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"


@dataclass(frozen=True)
class ApprovalWish:
    """A question.

    Args:
        key: names it: the id of the step that asks. Asked again it is the same one, unless that was not approved.
        title: what is decided, for people: "Deploy orders 3.4.0 to production".
        subject: what it is about: an entity ref, or `noun:id`.
        approvers: refs of users and groups; a plain name is a group. Empty: admins alone.
        run_id: the run that waits.
        step_id: its step, whose log tells of the reminder.
        detail: one sentence on what changes.
        href: where more of it is seen.
        expires_at: when nobody needs the answer any more.
        is_four_eyes: who asked may not answer.
    """

    key: str
    title: str
    subject: str
    approvers: tuple[str, ...] = ()
    run_id: UUID | None = None
    step_id: UUID | None = None
    detail: str = ""
    href: str | None = None
    expires_at: datetime | None = None
    is_four_eyes: bool = True


@dataclass(frozen=True)
class ApprovalView:
    """An approval as other domains see it. `askers` are labels of actors and refs of users."""

    id: UUID
    title: str
    subject: str
    detail: str
    href: str | None
    approvers: tuple[str, ...]
    asked_by: str
    askers: tuple[str, ...]
    is_four_eyes: bool
    run_id: UUID | None
    state: ApprovalState
    created_at: datetime
    expires_at: datetime | None
    reminded_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    comment: str

    @property
    def page(self) -> str:
        return f"/approvals/{self.id}"


@dataclass(frozen=True)
class ApprovalFilter:
    """Which approvals; what is empty does not limit."""

    states: tuple[ApprovalState, ...] = ()
    subject: str | None = None
    run_id: UUID | None = None


@dataclass(frozen=True)
class Voter:
    """Who decides: the refs by which approvers are named, the identities that may not decide what they asked for."""

    refs: frozenset[str]
    identities: frozenset[str]
    may_decide_any: bool
