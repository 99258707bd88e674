"""REST: change requests."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from roadbed.core.db import Database, Reading, ReadSession, Writing
from roadbed.core.idempotency import Once
from roadbed.core.services import Services
from roadbed.scm.access import ChangeApprover, ChangeMerger, ChangeWriter, RepositoryReader
from roadbed.scm.api.repositories import Named
from roadbed.scm.schemas import (
    ApprovalOut,
    ChangeRequestDetailOut,
    ChangeRequestIn,
    ChangeRequestOut,
    ChangeRequestPageOut,
    ChangeRequestQuery,
    CommentIn,
    CommentOut,
    CommitOut,
    FileChangeOut,
    MergeIn,
    StatusOut,
)
from roadbed.scm.service import changes
from roadbed.scm.service.lookup import get_named, list_changes_page
from roadbed.scm.types import Repository

router = APIRouter(prefix="/repositories/{owner}/{name}/change-requests", tags=["change requests"])


@router.get("")
async def list_change_requests(
    session: Reading, _: RepositoryReader, named: Named, query: Annotated[ChangeRequestQuery, Query()]
) -> ChangeRequestPageOut:
    """List change requests, newest first."""
    shown, next_cursor = await list_changes_page(session, await get_named(session, named), query)
    items = [ChangeRequestOut.model_validate(change) for change in shown]
    return ChangeRequestPageOut(items=items, next_cursor=next_cursor)


@router.post("", status_code=201)
async def open_one(
    session: Writing, actor: ChangeWriter, named: Named, body: ChangeRequestIn, once: Once
) -> ChangeRequestOut:
    """Ask for the commits of one branch to be brought into another."""
    if known := await once.find(ChangeRequestOut):
        return known
    wish = changes.ChangeRequestWish(**body.model_dump())
    change = await changes.open_change_request(session, actor, await get_named(session, named), wish)
    return await once.keep(ChangeRequestOut.model_validate(change))


@router.get("/{number}")
async def get_one(session: Reading, _: RepositoryReader, named: Named, number: int) -> ChangeRequestDetailOut:
    """Return a change request with its checks, approvals, commits and changed files."""
    return await _detail(session, await get_named(session, named), number)


@router.post("/{number}/approve", status_code=201)
async def approve_one(session: Writing, actor: ChangeApprover, named: Named, number: int) -> ChangeRequestOut:
    """Approve the newest commit of a change request."""
    repository = await get_named(session, named)
    await changes.approve_change_request(session, actor, repository, number)
    return ChangeRequestOut.model_validate(await changes.get_change_request(session, repository, number))


@router.post("/{number}/comments", status_code=201)
async def comment_one(
    session: Writing, actor: ChangeWriter, named: Named, number: int, body: CommentIn, once: Once
) -> CommentOut:
    """Say something about a change request."""
    if known := await once.find(CommentOut):
        return known
    comment = await changes.comment_change_request(session, actor, await get_named(session, named), number, body.body)
    return await once.keep(CommentOut.model_validate(comment))


@router.post("/{number}/close")
async def close_one(session: Writing, actor: ChangeWriter, named: Named, number: int) -> ChangeRequestOut:
    """Close a change request without merging it."""
    repository = await get_named(session, named)
    await changes.close_change_request(session, actor, repository, number)
    return ChangeRequestOut.model_validate(await changes.get_change_request(session, repository, number))


@router.post("/{number}/merge")
async def merge_one(
    request: Request, actor: ChangeMerger, named: Named, number: int, body: MergeIn | None = None
) -> ChangeRequestOut:
    """Merge a change request whose checks pass and which has its approvals."""
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        repository = await get_named(session, named)
    method = (body or MergeIn()).method
    merged = await changes.merge_change_request(services, actor, repository.id, number, method=method)
    return ChangeRequestOut.model_validate(merged)


async def _detail(session: ReadSession, repository: Repository, number: int) -> ChangeRequestDetailOut:
    overview = await changes.get_overview(session, repository, number)
    return ChangeRequestDetailOut.model_validate(
        {
            **ChangeRequestOut.model_validate(overview.change).model_dump(),
            "approvals": [ApprovalOut.model_validate(row) for row in overview.approvals],
            "comments": [CommentOut.model_validate(row) for row in overview.comments],
            "checks": [StatusOut.model_validate(status) for status in overview.statuses],
            "commits": [CommitOut.model_validate(commit) for commit in overview.commits],
            "files": [FileChangeOut.model_validate(file) for file in overview.diff.files],
            "blocks": list(overview.blocks),
            "conflicts": list(overview.conflicts),
        }
    )
