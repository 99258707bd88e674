"""What can go wrong with approvals."""

from roadbed.core.errors import Conflict, Expired, Forbidden, Invalid, NotFound


class ApprovalNotFound(NotFound):
    code = "approvals.approval_not_found"


class AlreadyDecided(Conflict):
    """Somebody else was faster, or the run that asked has ended."""

    code = "approvals.already_decided"


class ApprovalExpired(Expired):
    """The time to decide is over."""

    code = "approvals.approval_expired"


class NotAnApprover(Forbidden):
    """The decision is for others; the message names them."""

    code = "approvals.not_an_approver"


class OwnRequest(Forbidden):
    """Who asked may not decide, as four eyes are wanted."""

    code = "approvals.own_request"


class InvalidApprovers(Invalid):
    """An approver is neither a user nor a group."""

    code = "approvals.invalid_approvers"
