"""Repositories and change requests as the API takes and gives them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.paging import PageQuery
from roadbed.scm.types import ChangeRequestState, MergeMethod, StatusState

Slug = Annotated[str, Field(min_length=1, max_length=63, examples=["orders"])]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Out(BaseModel):
    model_config = ConfigDict(from_attributes=True)


@dataclass(frozen=True)
class RepositoryPath:
    """The repository that an address names."""

    owner: str
    name: str


class RepositoryQuery(PageQuery):
    """Which repositories."""

    owner: str | None = None
    entity: str | None = Field(None, description="The ref of the entity they belong to.")
    q: str = Field("", max_length=200, description="A part of the name or description.")


class RepositoryIn(_In):
    """A new repository."""

    owner: Slug
    name: Slug
    description: str = Field("", max_length=500)
    default_branch: str = Field("main", max_length=200)
    is_protected: bool = Field(default=True, description="The default branch changes through change requests only.")
    entity_ref: str | None = None


class RepositoryPatch(_In):
    """What is to be different."""

    name: Slug | None = None
    description: str | None = Field(None, max_length=500)
    default_branch: str | None = None
    is_protected: bool | None = None
    entity_ref: str | None = None
    required_checks: list[str] | None = Field(None, max_length=50, description="Statuses that a merge waits for.")


class RepositoryOut(_Out):
    """A repository."""

    id: UUID
    owner: str
    name: str
    full_name: str
    description: str
    default_branch: str
    is_protected: bool
    host: str
    entity_ref: str | None
    required_checks: list[str]
    has_commits: bool
    created_by: str
    created_at: datetime
    updated_at: datetime
    clone_url: str


class RepositoryPageOut(BaseModel):
    items: list[RepositoryOut]
    next_cursor: str | None


class FileQuery(_In):
    """Which state of which file or folder."""

    at: str | None = Field(None, max_length=300, description="A branch, tag or commit; unset: the default branch.")
    path: str = Field("", max_length=4_096)


class BranchOut(BaseModel):
    name: str
    sha: str
    is_default: bool


class BranchesOut(BaseModel):
    items: list[BranchOut]


class TreeEntryOut(_Out):
    """A file (`blob`), folder (`tree`) or submodule (`commit`)."""

    path: str
    kind: str
    sha: str
    size_bytes: int | None


class TreeOut(BaseModel):
    items: list[TreeEntryOut]


class AuthorOut(_Out):
    name: str
    email: str


class CommitOut(_Out):
    sha: str
    parents: list[str]
    author: AuthorOut
    at: datetime
    subject: str
    body: str


class CommitsOut(BaseModel):
    items: list[CommitOut]
    next_cursor: str | None


class CommitQuery(PageQuery):
    """Of which branch, and below which path."""

    at: str | None = Field(None, max_length=300, description="A branch, tag or commit; unset: the default branch.")
    path: str = Field("", max_length=4_096, description="Only commits that changed this file or folder.")


class StatusIn(_In):
    """What to say about a commit."""

    context: str = Field(max_length=100, examples=["pipeline/test"])
    state: StatusState
    description: str = Field("", max_length=200)
    url: str | None = Field(None, max_length=2_000)


class StatusOut(_Out):
    sha: str
    context: str
    state: StatusState
    description: str
    url: str | None
    updated_at: datetime


class StatusesOut(BaseModel):
    items: list[StatusOut]


class ChangeRequestQuery(PageQuery):
    state: ChangeRequestState | None = None


class ChangeRequestIn(_In):
    """A new change request. Without a target it is for the default branch."""

    source_branch: str = Field(max_length=200, examples=["say-good-day"])
    target_branch: str | None = Field(None, max_length=200)
    title: str = Field(max_length=200, examples=["Say good day"])
    description: str = Field("", max_length=20_000)


class ChangeRequestOut(_Out):
    number: int
    title: str
    description: str
    source_branch: str
    target_branch: str
    head_sha: str
    state: ChangeRequestState
    author: str
    created_at: datetime
    updated_at: datetime
    merged_by: str | None
    merge_sha: str | None
    ended_at: datetime | None


class ChangeRequestPageOut(BaseModel):
    items: list[ChangeRequestOut]
    next_cursor: str | None


class ApprovalOut(_Out):
    actor: str
    sha: str
    at: datetime


class CommentIn(_In):
    body: str = Field(max_length=20_000, description="Markdown.", examples=["Looks *good*."])


class CommentOut(_Out):
    id: UUID
    actor: str
    body: str
    at: datetime


class FileChangeOut(_Out):
    path: str
    old_path: str | None
    status: str
    added: int
    removed: int


class ChangeRequestDetailOut(ChangeRequestOut):
    """A change request with all that it is decided by. `blocks` is empty when it can be merged."""

    approvals: list[ApprovalOut]
    comments: list[CommentOut]
    checks: list[StatusOut]
    commits: list[CommitOut]
    files: list[FileChangeOut]
    blocks: list[str]
    conflicts: list[str]


class MergeIn(_In):
    method: MergeMethod = MergeMethod.MERGE


class WebhookIn(_In):
    """An address to be told. `secret` signs what is sent and is never given back."""

    url: str = Field(max_length=2_000, examples=["https://ci.example.com/hooks/orders"])
    events: list[str] = Field(min_length=1, max_length=20, examples=[["scm.pushed"]])
    secret: str | None = Field(None, min_length=8, max_length=500)


class WebhookOut(_Out):
    id: UUID
    url: str
    events: list[str]
    created_by: str
    created_at: datetime


class WebhooksOut(BaseModel):
    items: list[WebhookOut]


class DeliveryOut(_Out):
    """How telling an address of one event went."""

    id: UUID
    event: str
    created_at: datetime
    delivered_at: datetime | None
    status: int | None
    error: str | None


class DeliveriesOut(BaseModel):
    items: list[DeliveryOut]


class IncomingHookIn(_In):
    """The repository elsewhere, as one clones it."""

    url: str = Field(max_length=2_000, examples=["https://git.example.com/shop/orders.git"])


class IncomingHookOut(_Out):
    id: UUID
    url: str
    created_by: str
    created_at: datetime
    received_at: datetime | None


class NewIncomingHookOut(IncomingHookOut):
    """What its host is to be given: where to send pushes, and the secret, which is not given again."""

    address: str
    secret: str | None


class IncomingHooksOut(BaseModel):
    items: list[IncomingHookOut]
