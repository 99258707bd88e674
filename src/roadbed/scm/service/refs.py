"""Changing refs so that no change is ever lost: intent, change, record.

Git is not part of a database transaction. So whoever changes refs first writes down that he does (`writer`), then lets
git work, then compares git's refs with those seen before and publishes what moved, in one transaction that also clears
the intent. A crash in between leaves the intent behind, and the next start, or the next change of that repository,
makes up for the missing events. All of it happens under the repository's lock.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import structlog

from roadbed.audit.contract import record as record_audit
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import Database, WriteSession
from roadbed.core.events import publish
from roadbed.core.services import Services
from roadbed.kit.clock import now
from roadbed.scm.errors import GitFailed, RepositoryMissing
from roadbed.scm.models import ChangeRequestRow, RepositoryRow
from roadbed.scm.repository import changes as changes_table
from roadbed.scm.repository import repositories as table
from roadbed.scm.rules.names import branch_ref
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.service.lookup import repository_gone
from roadbed.scm.types import MOST_PATHS, ZERO_SHA, ChangeRequestChanged, ChangeRequestState, Pushed, Repository

log = structlog.get_logger(__name__)

FIRST_CHOICE = "main"


@dataclass
class RefChange:
    """A change of refs under way.

    Args:
        repository: what is changed.
        descriptor: the lock, to be inherited by git processes that write.
        merged: number and commit of the change request that this change merges, once it did.
    """

    repository: Repository
    descriptor: int
    merged: tuple[int, str] | None = None


@dataclass(frozen=True)
class _Move:
    ref: str
    before: str
    after: str


@dataclass(frozen=True)
class _By:
    """Who moved refs: the actor for the audit record, the name that events tell, and what was merged by it."""

    actor: Actor
    pusher: str
    merged: tuple[int, str] | None = None


@asynccontextmanager
async def changing_refs(services: Services, actor: Actor, repository_id: UUID) -> AsyncIterator[RefChange]:
    """Hold the repository's lock while its refs are changed, then publish what moved. Needs no open session.

    Raises:
        RepositoryNotFound: it is gone, or its creation is not committed yet.
    """
    host, database = services.get(BuiltinHost), services.get(Database)
    host.require_here()
    async with host.locks.hold(repository_id) as descriptor:
        async with database.write() as session:
            row = await table.find_by_id(session, repository_id, is_locked=True)
            if row is None:
                raise repository_gone(repository_id)
            if row.writer is not None:
                await _record_leftovers(session, host, row)
            row.writer = actor.label
        change = RefChange(table.view(row), descriptor)
        try:
            yield change
        finally:
            # A cancelled request must not leave the record behind: what git did is done.
            await asyncio.shield(asyncio.create_task(_finish(database, host, actor, change)))


async def _finish(database: Database, host: BuiltinHost, actor: Actor, change: RefChange) -> None:
    async with database.write() as session:
        row = await table.find_by_id(session, change.repository.id, is_locked=True)
        if row is not None:
            await record_moves(session, host, row, _By(actor, actor.label, change.merged))
            row.writer = None


async def reconcile(services: Services) -> int:
    """Publish what interrupted changes of refs left unpublished; returns how many repositories were looked at."""
    async with services.get(Database).read() as session:
        interrupted = [row.id for row in await table.list_interrupted(session)]
    for repository_id in interrupted:
        await _check(services, repository_id)
    return len(interrupted)


async def check_all(services: Services) -> None:
    """Compare git's refs with those seen before in every repository, one after the other."""
    async with services.get(Database).read() as session:
        ids = await table.list_ids(session)
    for repository_id in ids:
        try:
            await _check(services, repository_id)
        except GitFailed as error:
            log.warning("scm.check_failed", repository_id=str(repository_id), error=error.message)


async def _check(services: Services, repository_id: UUID) -> None:
    host = services.get(BuiltinHost)
    async with host.locks.hold(repository_id), services.get(Database).write() as session:
        row = await table.find_by_id(session, repository_id, is_locked=True)
        if row is None:
            return
        try:
            await _record_leftovers(session, host, row)
        except RepositoryMissing as error:
            log.warning("scm.repository_missing", repository=f"{row.owner}/{row.name}", error=error.message)
        else:
            row.writer = None


async def _record_leftovers(session: WriteSession, host: BuiltinHost, row: RepositoryRow) -> None:
    moved = await record_moves(session, host, row, _By(system_actor("recovery"), row.writer or "unknown"))
    if moved:
        log.warning("scm.refs_recovered", repository=f"{row.owner}/{row.name}", writer=row.writer, moved=moved)


async def record_moves(session: WriteSession, host: BuiltinHost, row: RepositoryRow, by: _By) -> int:
    """Compare git's refs with those seen before; publish, audit and remember what moved. Returns how many did.

    Args:
        session: the transaction; `row` is locked in it.
        host: where the refs are.
        row: the repository.
        by: who did it.
    """
    refs = await host.list_refs(table.view(row))
    seen = await table.list_refs(session, row.id)
    moves = [_Move(ref, seen.get(ref, ZERO_SHA), sha) for ref, sha in refs.items() if seen.get(ref) != sha]
    moves += [_Move(ref, sha, ZERO_SHA) for ref, sha in seen.items() if ref not in refs]
    if moves:
        row.has_commits = True
        row.updated_at = now()
        await _adopt_default_branch(host, row, refs)
        gone = [move.ref for move in moves if move.after == ZERO_SHA]
        moved = {move.ref: move.after for move in moves if move.after != ZERO_SHA}
        await table.save_refs(session, row.id, moved, gone=gone)
        for move in moves:
            await _publish_move(session, row, move, by)
    if moves or by.merged:
        await _follow_changes(session, host, row, moves, by)
    return len(moves)


async def _publish_move(session: WriteSession, row: RepositoryRow, move: _Move, by: _By) -> None:
    event = Pushed(
        repository_id=str(row.id),
        owner=row.owner,
        repository=row.name,
        ref=move.ref,
        before=move.before,
        after=move.after,
        pusher=by.pusher,
        is_default_branch=move.ref == branch_ref(row.default_branch),
    )
    publish(session, event)
    await record_audit(
        session,
        by.actor,
        action="scm.ref_moved",
        subject=f"repository:{row.owner}/{row.name}",
        before=None if move.before == ZERO_SHA else move.before,
        after=None if move.after == ZERO_SHA else move.after,
        ref=move.ref,
        from_commit=move.before,
        to_commit=move.after,
        pusher=by.pusher,
    )


async def _adopt_default_branch(host: BuiltinHost, row: RepositoryRow, refs: dict[str, str]) -> None:
    """Let the first branch that is pushed be the default one, when it has another name than was expected."""
    prefix = branch_ref("")
    branches = [ref.removeprefix(prefix) for ref in refs if ref.startswith(prefix)]
    if branches and row.default_branch not in branches:
        row.default_branch = FIRST_CHOICE if FIRST_CHOICE in branches else branches[0]
        await host.set_head(table.view(row), row.default_branch)


async def _follow_changes(
    session: WriteSession, host: BuiltinHost, row: RepositoryRow, moves: list[_Move], by: _By
) -> None:
    """Carry open change requests along with their branches."""
    by_ref = {move.ref: move for move in moves}
    for change in await changes_table.list_open(session, row.id):
        source = by_ref.get(branch_ref(change.source_branch))
        target = by_ref.get(branch_ref(change.target_branch))
        if source is not None and source.after not in (ZERO_SHA, change.head_sha):
            change.head_sha, change.updated_at = source.after, now()
            change.paths = await host.list_changed_paths(
                table.view(row), change.base_sha, change.head_sha, limit=MOST_PATHS
            )
            await host.keep(table.view(row), change.number, change.head_sha)
            publish_change(session, row, change, action="updated", actor=by.pusher)
        if by.merged is not None and by.merged[0] == change.number:
            change.base_sha = target.before if target else change.base_sha
            await end_change(session, row, change, by.actor, merge_sha=by.merged[1])
        elif target is not None and await _contains(host, row, target.after, change.head_sha):
            change.base_sha = target.before
            await end_change(session, row, change, by.actor, merge_sha=target.after)
        elif any(move is not None and move.after == ZERO_SHA for move in (source, target)):
            await end_change(session, row, change, by.actor, merge_sha=None)


async def _contains(host: BuiltinHost, row: RepositoryRow, tip: str, sha: str) -> bool:
    return tip != ZERO_SHA and await host.is_ancestor(table.view(row), sha, tip)


async def end_change(
    session: WriteSession, row: RepositoryRow, change: ChangeRequestRow, actor: Actor, *, merge_sha: str | None
) -> None:
    """Mark a change request as merged by `merge_sha`, or as closed without one."""
    change.state = ChangeRequestState.CLOSED if merge_sha is None else ChangeRequestState.MERGED
    change.ended_at = change.updated_at = now()
    change.merge_sha = merge_sha
    change.merged_by = actor.label if merge_sha else None
    await record_audit(
        session,
        actor,
        action=f"scm.change_request_{change.state}",
        subject=f"change-request:{row.owner}/{row.name}#{change.number}",
        before={"state": ChangeRequestState.OPEN},
        after={"state": change.state, "merge_sha": merge_sha},
        head_sha=change.head_sha,
        merge_sha=merge_sha,
    )
    publish_change(session, row, change, action=change.state, actor=actor.label)


def publish_change(
    session: WriteSession, row: RepositoryRow, change: ChangeRequestRow, *, action: str, actor: str
) -> None:
    """Tell that a change request changed."""
    event = ChangeRequestChanged(
        repository_id=str(row.id),
        owner=row.owner,
        repository=row.name,
        number=change.number,
        action=action,
        state=change.state,
        source_branch=change.source_branch,
        target_branch=change.target_branch,
        head_sha=change.head_sha,
        actor=actor,
    )
    publish(session, event)
