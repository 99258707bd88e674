"""Who may see approvals, and who may decide."""

from typing import Annotated

from roadbed.approvals import rules
from roadbed.approvals.errors import NotAnApprover, OwnRequest
from roadbed.approvals.types import ApprovalView
from roadbed.core.access import ADMINS, VIEWERS, DeciderService, Decision, Permission, requires
from roadbed.core.actor import Actor

APPROVAL_READ = Permission("approvals.approval.read", "See approvals", VIEWERS)
APPROVAL_DECIDE = Permission("approvals.approval.decide", "Decide where one is named as approver", VIEWERS)
APPROVAL_DECIDE_ANY = Permission("approvals.approval.decide_any", "Decide on every approval", ADMINS)

ApprovalReader = Annotated[Actor, requires(APPROVAL_READ)]
ApprovalDecider = Annotated[Actor, requires(APPROVAL_DECIDE)]


def may_decide(decider: DeciderService, actor: Actor, approval: ApprovalView) -> Decision:
    """Tell whether `actor` may decide on `approval`, and why."""
    if not decider.has(actor, APPROVAL_DECIDE):
        return Decision(is_allowed=False, reason=f"it needs the permission {APPROVAL_DECIDE.name}")
    return rules.decide_access(actor, approval, may_decide_any=decider.has(actor, APPROVAL_DECIDE_ANY))


def require_decider(decider: DeciderService, actor: Actor, approval: ApprovalView) -> None:
    """Refuse who may not decide on `approval`.

    Raises:
        Unauthenticated, Forbidden: without the permission to decide at all.
        OwnRequest: they asked for it themselves.
        NotAnApprover: others are named; the message says who.
    """
    decider.require(actor, APPROVAL_DECIDE)
    decision = may_decide(decider, actor, approval)
    if decision.is_allowed:
        return
    is_own = approval.is_four_eyes and rules.identities_of(actor) & set(approval.askers)
    raise (OwnRequest if is_own else NotAnApprover)(
        f"You may not decide on “{approval.title}”: {decision.reason}.",
        hint="Ask one of them to decide; the run waits.",
        approvers=list(approval.approvers),
    )
