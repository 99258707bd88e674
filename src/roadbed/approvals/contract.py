"""What other domains may use of approvals."""

from roadbed.approvals.access import APPROVAL_DECIDE, APPROVAL_READ
from roadbed.approvals.service import (
    ask_approval,
    decide,
    find_approval,
    list_waiting_for,
    may_approve_own,
    supersede_of_run,
)
from roadbed.approvals.types import ApprovalState, ApprovalView, ApprovalWish
from roadbed.approvals.workflows import wait_for_approval

__all__ = [
    "APPROVAL_DECIDE",
    "APPROVAL_READ",
    "ApprovalState",
    "ApprovalView",
    "ApprovalWish",
    "ask_approval",
    "decide",
    "find_approval",
    "list_waiting_for",
    "may_approve_own",
    "supersede_of_run",
    "wait_for_approval",
]
