"""Pure decisions about approvals: who may answer, when to remind, in which words."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from roadbed.approvals.errors import InvalidApprovers
from roadbed.approvals.types import ApprovalState, ApprovalView
from roadbed.core.access import Decision
from roadbed.core.actor import Actor
from roadbed.kit.refs import InvalidRef, parse_ref

APPROVER_KINDS = ("user", "group")
ADMINS_WORDS = "an admin"

_WORDS = {
    ApprovalState.WAITING: ("wait", "Waiting"),
    ApprovalState.APPROVED: ("ok", "Approved"),
    ApprovalState.REJECTED: ("bad", "Rejected"),
    ApprovalState.EXPIRED: ("no", "Expired"),
    ApprovalState.WITHDRAWN: ("no", "Withdrawn"),
    ApprovalState.SUPERSEDED: ("no", "Superseded"),
}


def state_words(state: ApprovalState) -> tuple[str, str]:
    """Return the kind and the word with which pages show a state."""
    return _WORDS[state]


def read_approvers(given: Iterable[str]) -> tuple[str, ...]:
    """Return the refs of approvers in full, each once and in order.

    Raises:
        InvalidApprovers: one is no ref of a user or group.
    """
    refs: dict[str, None] = {}
    for text in given:
        try:
            ref = parse_ref(text, default_kind="group")
        except InvalidRef as error:
            raise _invalid(text, str(error)) from error
        if ref.kind.lower() not in APPROVER_KINDS:
            raise _invalid(text, f"it is a {ref.kind.lower()}")
        refs[str(ref)] = None
    return tuple(refs)


def _invalid(text: str, reason: str) -> InvalidApprovers:
    return InvalidApprovers(
        f"{text!r} cannot approve: {reason}.", hint="Name users and groups: `group:default/checkout`, `user:ada`."
    )


def refs_of(actor: Actor) -> frozenset[str]:
    """Return the refs under which `actor` may be named as approver."""
    return actor.groups | ({actor.entity_ref} if actor.entity_ref else frozenset())


def identities_of(actor: Actor) -> frozenset[str]:
    """Return what tells one person from another: the account, and the User entity that accounts may share."""
    return frozenset({actor.label} | ({actor.entity_ref} if actor.entity_ref else set()))


def who_can(approvers: Iterable[str], *, but: str = "") -> str:
    """Return who may decide, in words: "checkout (group), ada (user) or an admin"."""
    names = []
    for text in approvers:
        ref = parse_ref(text)
        if text != but:
            names.append(f"{ref.shorten(default_kind=ref.kind)} ({ref.kind})")
    return f"{', '.join(names)} or {ADMINS_WORDS}" if names else ADMINS_WORDS


def decide_access(actor: Actor, approval: ApprovalView, *, may_decide_any: bool) -> Decision:
    """Tell whether `actor` may answer, apart from the permission to answer at all."""
    if approval.is_four_eyes and identities_of(actor) & set(approval.askers):
        others = who_can(approval.approvers, but=actor.entity_ref or "")
        return Decision(
            is_allowed=False, reason=f"you asked for it, and four eyes are wanted. It can be decided by {others}"
        )
    if refs_of(actor) & set(approval.approvers):
        return Decision(is_allowed=True, reason="you are named as approver")
    if may_decide_any:
        return Decision(is_allowed=True, reason="you may decide on every approval")
    return Decision(
        is_allowed=False, reason=f"you are not an approver. It can be decided by {who_can(approval.approvers)}"
    )


def remind_time(created_at: datetime, expires_at: datetime | None) -> datetime | None:
    """Return when to remind: after half of the time. Without an end there is no half."""
    return None if expires_at is None else created_at + (expires_at - created_at) / 2


def state_at(state: ApprovalState, expires_at: datetime | None, at: datetime) -> ApprovalState:
    """Return the state as of `at`: time ends a question before anybody has written it down."""
    is_over = state is ApprovalState.WAITING and expires_at is not None and expires_at <= at
    return ApprovalState.EXPIRED if is_over else state


def result_of(approval: ApprovalView) -> dict[str, Any] | None:
    """Return what the waiting step is told, or None while there is no answer."""
    if approval.state in (ApprovalState.APPROVED, ApprovalState.REJECTED):
        return {"decision": approval.state.value, "by": approval.decided_by, "comment": approval.comment}
    return None if approval.state is ApprovalState.WAITING else {"expired": True}
