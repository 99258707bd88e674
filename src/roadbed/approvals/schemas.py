"""Approvals as the API takes and gives them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.approvals.types import LONGEST_COMMENT, ApprovalFilter, ApprovalState
from roadbed.core.paging import PageQuery


class ApprovalQuery(PageQuery):
    """Which approvals. `mine` gives what the caller could decide now."""

    state: list[ApprovalState] = Field(default_factory=list)
    subject: str | None = None
    run: UUID | None = None
    mine: bool = False

    def to_filter(self) -> ApprovalFilter:
        return ApprovalFilter(tuple(self.state), self.subject, self.run)


class DecisionIn(BaseModel):
    """Why, for those who read it later."""

    model_config = ConfigDict(extra="forbid")

    comment: str = Field("", max_length=LONGEST_COMMENT)


class ApprovalOut(BaseModel):
    """A question with its answer. `reason` says why the caller may or may not decide."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    title: str
    subject: str
    detail: str
    href: str | None
    approvers: list[str]
    is_four_eyes: bool
    asked_by: str
    run_id: UUID | None
    state: ApprovalState
    created_at: datetime
    expires_at: datetime | None
    reminded_at: datetime | None
    decided_at: datetime | None
    decided_by: str | None
    comment: str
    may_decide: bool
    reason: str


class ApprovalPageOut(BaseModel):
    items: list[ApprovalOut]
    next_cursor: str | None
