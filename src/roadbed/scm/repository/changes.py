"""Queries on change requests, their approvals and comments, and on commit statuses."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.scm.models import ApprovalRow, ChangeRequestRow, CommentRow, CommitStatusRow, RepositoryRow
from roadbed.scm.types import ChangeRequest, ChangeRequestState, CommitStatus, StatusState


async def find(
    session: ReadSession, repository_id: UUID, number: int, *, is_locked: bool = False
) -> ChangeRequestRow | None:
    query = select(ChangeRequestRow).where(
        ChangeRequestRow.repository_id == repository_id, ChangeRequestRow.number == number
    )
    found: ChangeRequestRow | None = await session.scalar(locking(query) if is_locked else query)
    return found


async def list_page(
    session: ReadSession, repository_id: UUID, *, states: Collection[str], before: int | None, limit: int
) -> Sequence[ChangeRequestRow]:
    """List the newest first, from below the number `before`."""
    query = (
        select(ChangeRequestRow)
        .where(ChangeRequestRow.repository_id == repository_id, ChangeRequestRow.state.in_(states))
        .order_by(ChangeRequestRow.number.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(ChangeRequestRow.number < before)
    return (await session.scalars(query)).all()


async def list_open(session: ReadSession, repository_id: UUID) -> Sequence[ChangeRequestRow]:
    """List and lock the open ones of a repository."""
    query = (
        select(ChangeRequestRow)
        .where(ChangeRequestRow.repository_id == repository_id, ChangeRequestRow.state == ChangeRequestState.OPEN)
        .order_by(ChangeRequestRow.number)
    )
    return (await session.scalars(locking(query))).all()


async def count_open(session: ReadSession, repository_id: UUID) -> int:
    query = select(func.count()).where(
        ChangeRequestRow.repository_id == repository_id, ChangeRequestRow.state == ChangeRequestState.OPEN
    )
    return await session.scalar(query) or 0


async def count_open_by_entity(session: ReadSession, refs: Collection[str]) -> Sequence[tuple[str, str, str, int]]:
    """Count those of each repository of entities; returns the entity, owner and name of the repository, the count."""
    is_open = (ChangeRequestRow.repository_id == RepositoryRow.id) & (ChangeRequestRow.state == ChangeRequestState.OPEN)
    query = (
        select(RepositoryRow.entity_ref, RepositoryRow.owner, RepositoryRow.name, func.count(ChangeRequestRow.id))
        .outerjoin(ChangeRequestRow, is_open)
        .where(RepositoryRow.entity_ref.in_(refs))
        .group_by(RepositoryRow.id)
        .order_by(RepositoryRow.id)
    )
    return [(ref or "", owner, name, count) for ref, owner, name, count in await session.execute(query)]


async def list_open_of_file(
    session: ReadSession, repository_id: UUID, path: str, *, target_branch: str
) -> Sequence[ChangeRequestRow]:
    """List the open ones that bring a change of a file into a branch, newest first."""
    query = (
        select(ChangeRequestRow)
        .where(
            ChangeRequestRow.repository_id == repository_id,
            ChangeRequestRow.state == ChangeRequestState.OPEN,
            ChangeRequestRow.target_branch == target_branch,
            ChangeRequestRow.paths.contains([path]),
        )
        .order_by(ChangeRequestRow.number.desc())
    )
    return (await session.scalars(query)).all()


async def list_approvals(session: ReadSession, change_request_id: UUID) -> Sequence[ApprovalRow]:
    query = select(ApprovalRow).where(ApprovalRow.change_request_id == change_request_id).order_by(ApprovalRow.at)
    return (await session.scalars(query)).all()


async def save_approval(session: WriteSession, row: ApprovalRow) -> None:
    """Keep an approval; an account's new one replaces its former one."""
    values = {
        "change_request_id": row.change_request_id,
        "actor_id": row.actor_id,
        "actor": row.actor,
        "sha": row.sha,
        "at": row.at,
    }
    statement = insert(ApprovalRow).values(values)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[ApprovalRow.change_request_id, ApprovalRow.actor_id],
            set_={"sha": row.sha, "at": row.at, "actor": row.actor},
        )
    )


async def list_comments(session: ReadSession, change_request_id: UUID) -> Sequence[CommentRow]:
    query = select(CommentRow).where(CommentRow.change_request_id == change_request_id).order_by(CommentRow.id)
    return (await session.scalars(query)).all()


async def list_statuses(session: ReadSession, repository_id: UUID, shas: Collection[str]) -> list[CommitStatus]:
    query = (
        select(CommitStatusRow)
        .where(CommitStatusRow.repository_id == repository_id, CommitStatusRow.sha.in_(shas))
        .order_by(CommitStatusRow.context)
    )
    return [view_status(row) for row in await session.scalars(query)]


async def save_status(session: WriteSession, repository_id: UUID, status: CommitStatus) -> None:
    values = {
        "state": status.state.value,
        "description": status.description,
        "url": status.url,
        "updated_at": status.updated_at,
    }
    statement = insert(CommitStatusRow).values(
        repository_id=repository_id, sha=status.sha, context=status.context, **values
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[CommitStatusRow.repository_id, CommitStatusRow.sha, CommitStatusRow.context], set_=values
        )
    )


def view(row: ChangeRequestRow) -> ChangeRequest:
    """Return what others see of a change request."""
    return ChangeRequest(
        id=row.id,
        repository_id=row.repository_id,
        number=row.number,
        title=row.title,
        description=row.description,
        source_branch=row.source_branch,
        target_branch=row.target_branch,
        base_sha=row.base_sha,
        head_sha=row.head_sha,
        state=ChangeRequestState(row.state),
        author=row.author,
        author_id=row.author_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        merged_by=row.merged_by,
        merge_sha=row.merge_sha,
        ended_at=row.ended_at,
    )


def view_status(row: CommitStatusRow) -> CommitStatus:
    return CommitStatus(
        sha=row.sha,
        context=row.context,
        state=StatusState(row.state),
        description=row.description,
        url=row.url,
        updated_at=row.updated_at,
    )
