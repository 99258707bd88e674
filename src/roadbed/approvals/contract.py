"""What other domains may use of approvals.

What an approval decides is told by who asks for it: a panel at the place below is loaded with the `ApprovalView`.
"""

from roadbed.approvals.access import APPROVAL_DECIDE, APPROVAL_READ
from roadbed.approvals.service import (
    ask_approval,
    decide,
    find_approval,
    list_waiting_for,
    list_waiting_of,
    may_approve_own,
    supersede_of_run,
)
from roadbed.approvals.types import PLACE_DECIDED, ApprovalState, ApprovalView, ApprovalWish
from roadbed.approvals.workflows import wait_for_approval

__all__ = [
    "APPROVAL_DECIDE",
    "APPROVAL_READ",
    "PLACE_DECIDED",
    "ApprovalState",
    "ApprovalView",
    "ApprovalWish",
    "ask_approval",
    "decide",
    "find_approval",
    "list_waiting_for",
    "list_waiting_of",
    "may_approve_own",
    "supersede_of_run",
    "wait_for_approval",
]
