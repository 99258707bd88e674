"""Change requests: opened, discussed, approved, merged or closed."""

from dataclasses import dataclass
from uuid import UUID

from roadbed.approvals.contract import may_approve_own
from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession, WriteSession
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.scm.access import CHANGE_APPROVE
from roadbed.scm.errors import (
    ChangeRequestClosed,
    ChangeRequestExists,
    InvalidChangeRequest,
    MergeBlocked,
    OwnApproval,
)
from roadbed.scm.models import ApprovalRow, ChangeRequestRow, CommentRow
from roadbed.scm.repository import changes as table
from roadbed.scm.repository import repositories as repositories_table
from roadbed.scm.rules.formats import author_of
from roadbed.scm.rules.merging import find_blocks, merge_message
from roadbed.scm.rules.names import check_branch
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_change_row, repository_gone
from roadbed.scm.service.refs import changing_refs, end_change, publish_change
from roadbed.scm.types import (
    MOST_PATHS,
    ChangeRequest,
    ChangeRequestState,
    Commit,
    CommitStatus,
    Diff,
    MergeMethod,
    MergePlan,
    Repository,
    ScmHost,
)

MAX_TITLE = 200
MAX_TEXT = 20_000
SHOWN_COMMITS = 100


@dataclass(frozen=True)
class ChangeRequestWish:
    """What a change request is to bring where. Without a target it is the default branch."""

    source_branch: str
    title: str
    description: str = ""
    target_branch: str | None = None


@dataclass(frozen=True)
class ChangeOverview:
    """All that a reader of a change request decides by."""

    change: ChangeRequest
    approvals: tuple[ApprovalRow, ...]
    comments: tuple[CommentRow, ...]
    statuses: tuple[CommitStatus, ...]
    commits: tuple[Commit, ...]
    diff: Diff
    blocks: tuple[str, ...]
    conflicts: tuple[str, ...]


async def open_change_request(
    session: WriteSession, actor: Actor, repository: Repository, wish: ChangeRequestWish
) -> ChangeRequest:
    """Ask for the commits of one branch to be brought into another.

    Raises:
        InvalidChangeRequest: a branch does not exist, or there is nothing to bring.
        ChangeRequestExists: the same one is open already.
    """
    host = session.services.get(ScmHosts).of(repository)
    row = await repositories_table.find_by_id(session, repository.id, is_locked=True)
    if row is None:
        raise repository_gone(repository.id)
    target = wish.target_branch or row.default_branch
    base, head = await _check_branches(host, repository, wish.source_branch, target)
    title = _check_text(wish.title.strip(), "title", limit=MAX_TITLE, is_required=True)
    description = _check_text(wish.description, "description", limit=MAX_TEXT)
    for other in await table.list_open(session, repository.id):
        if (other.source_branch, other.target_branch) == (wish.source_branch, target):
            raise ChangeRequestExists(
                f"Change request #{other.number} brings {wish.source_branch} into {target} already.",
                hint="New commits on the branch become part of it.",
                number=other.number,
            )
    at = now()
    change = ChangeRequestRow(
        id=new_id(),
        repository_id=repository.id,
        number=row.next_number,
        title=title,
        description=description,
        source_branch=wish.source_branch,
        target_branch=target,
        base_sha=base,
        head_sha=head,
        paths=await host.list_changed_paths(repository, base, head, limit=MOST_PATHS),
        state=ChangeRequestState.OPEN,
        author=actor.label,
        author_id=actor.id,
        created_at=at,
        updated_at=at,
    )
    row.next_number += 1
    session.add(change)
    await host.keep(repository, change.number, head)
    await _record(session, actor, repository, change, "opened")
    publish_change(session, row, change, action="opened", actor=actor.label)
    return table.view(change)


async def approve_change_request(session: WriteSession, actor: Actor, repository: Repository, number: int) -> None:
    """Approve the newest state of a change request; later commits need a new approval.

    Raises:
        OwnApproval: it is the actor's own, and the settings want somebody else.
        ChangeRequestClosed: there is nothing to approve any more.
    """
    change = await _get_open(session, repository, number)
    if actor.id == change.author_id and not await may_approve_own(session, CHANGE_APPROVE):
        raise OwnApproval(
            f"Change request #{number} is your own: somebody else has to approve it.",
            hint="Ask another developer, or let an admin set ROADBED_SCM__OWN_APPROVAL.",
        )
    row = ApprovalRow(change_request_id=change.id, actor_id=actor.id, actor=actor.label, sha=change.head_sha, at=now())
    await table.save_approval(session, row)
    await _record(session, actor, repository, change, "approved")
    await _publish(session, repository, change, action="approved", actor=actor)


async def comment_change_request(
    session: WriteSession, actor: Actor, repository: Repository, number: int, body: str
) -> CommentRow:
    """Say something about a change request, in Markdown."""
    change = await get_change_row(session, repository, number)
    text = _check_text(body.strip(), "comment", limit=MAX_TEXT, is_required=True)
    comment = CommentRow(
        id=new_id(), change_request_id=change.id, actor=actor.label, actor_id=actor.id, body=text, at=now()
    )
    session.add(comment)
    await _record(session, actor, repository, change, "commented")
    return comment


async def close_change_request(session: WriteSession, actor: Actor, repository: Repository, number: int) -> None:
    """Close a change request without merging it. Its branch and commits stay."""
    change = await _get_open(session, repository, number)
    row = await repositories_table.find_by_id(session, repository.id)
    if row is None:
        raise repository_gone(repository.id)
    await end_change(session, row, change, actor, merge_sha=None)


async def merge_change_request(
    services: Services, actor: Actor, repository_id: UUID, number: int, *, method: MergeMethod
) -> ChangeRequest:
    """Bring the commits into the target branch, in a transaction of its own.

    Raises:
        ChangeRequestClosed: it is merged or closed already.
        MergeBlocked: checks or approvals are missing.
        MergeConflict: both sides changed the same lines.
    """
    database = services.get(Database)
    async with changing_refs(services, actor, repository_id) as writing:
        repository = writing.repository
        host = services.get(ScmHosts).of(repository)
        async with database.read() as session:
            change = table.view(await _get_open(session, repository, number))
            blocks = await list_blocks(session, repository, change)
        if blocks:
            raise MergeBlocked(
                f"Change request #{number} cannot be merged yet: {' '.join(blocks)}",
                hint="Its page shows what is missing.",
                reasons=blocks,
            )
        target = await host.get_commit(repository, f"refs/heads/{change.target_branch}")
        commits = await host.list_range(repository, target, change.head_sha, limit=SHOWN_COMMITS)
        subjects = [commit.subject for commit in reversed(commits)]
        plan = MergePlan(
            target=change.target_branch,
            expected=target,
            head=change.head_sha,
            method=method,
            message=merge_message(change, method, subjects=subjects),
            author=author_of(actor),
            key=f"change-request:{change.id}:{change.head_sha}",
        )
        writing.merged = (number, await host.merge(repository, plan))
    async with database.read() as session:
        return table.view(await get_change_row(session, repository, number))


async def list_blocks(session: ReadSession, repository: Repository, change: ChangeRequest) -> list[str]:
    """List what stands between a change request and its merge, conflicts aside."""
    approvals = await table.list_approvals(session, change.id)
    return find_blocks(
        repository,
        change,
        statuses=await table.list_statuses(session, repository.id, [change.head_sha]),
        approvals=sum(approval.sha == change.head_sha for approval in approvals),
        required_approvals=session.services.get(Settings).scm.required_approvals,
    )


async def get_overview(session: ReadSession, repository: Repository, number: int) -> ChangeOverview:
    """Return a change request with everything around it."""
    host = session.services.get(ScmHosts).of(repository)
    change = table.view(await get_change_row(session, repository, number))
    base, conflicts = change.base_sha, []
    if change.state is ChangeRequestState.OPEN:
        base = await host.get_commit(repository, f"refs/heads/{change.target_branch}")
        conflicts = await host.find_conflicts(repository, base, change.head_sha)
    return ChangeOverview(
        change=change,
        approvals=tuple(await table.list_approvals(session, change.id)),
        comments=tuple(await table.list_comments(session, change.id)),
        statuses=tuple(await table.list_statuses(session, repository.id, [change.head_sha])),
        commits=tuple(await host.list_range(repository, base, change.head_sha, limit=SHOWN_COMMITS)),
        diff=await host.compare(repository, base, change.head_sha),
        blocks=tuple(await list_blocks(session, repository, change)),
        conflicts=tuple(conflicts),
    )


async def get_change_request(session: ReadSession, repository: Repository, number: int) -> ChangeRequest:
    """Return a change request.

    Raises:
        ChangeRequestNotFound: there is none of that number.
    """
    return table.view(await get_change_row(session, repository, number))


async def _check_branches(host: ScmHost, repository: Repository, source: str, target: str) -> tuple[str, str]:
    branches = await host.list_branches(repository)
    for branch in (check_branch(source), check_branch(target)):
        if branch not in branches:
            raise InvalidChangeRequest(
                f"{repository.full_name} has no branch {branch}.", hint="Push the branch first: `git push -u origin …`."
            )
    base, head = branches[target], branches[source]
    if source == target or await host.is_ancestor(repository, head, base):
        raise InvalidChangeRequest(
            f"{source} has no commits that {target} does not have.", hint="Commit something on the branch and push it."
        )
    if await host.find_base(repository, base, head) is None:
        raise InvalidChangeRequest(
            f"{source} and {target} have no commit in common.", hint=f"Start the branch from {target}."
        )
    return base, head


async def _get_open(session: ReadSession, repository: Repository, number: int) -> ChangeRequestRow:
    is_writing = isinstance(session, WriteSession)
    change = await get_change_row(session, repository, number, is_locked=is_writing)
    if change.state != ChangeRequestState.OPEN:
        raise ChangeRequestClosed(
            f"Change request #{number} of {repository.full_name} is {change.state}.", hint="Open a new one."
        )
    return change


async def _publish(
    session: WriteSession, repository: Repository, change: ChangeRequestRow, *, action: str, actor: Actor
) -> None:
    row = await repositories_table.find_by_id(session, repository.id)
    if row is not None:
        publish_change(session, row, change, action=action, actor=actor.label)


async def _record(
    session: WriteSession, actor: Actor, repository: Repository, change: ChangeRequestRow, verb: str
) -> None:
    await record(
        session,
        actor,
        action=f"scm.change_request_{verb}",
        subject=f"change-request:{repository.full_name}#{change.number}",
        after={"title": change.title, "head_sha": change.head_sha},
        head_sha=change.head_sha,
    )


def _check_text(text: str, what: str, *, limit: int, is_required: bool = False) -> str:
    if (is_required and not text) or len(text) > limit or "\0" in text:
        reason = (
            "is empty" if not text else f"has more than {limit:,} characters" if len(text) > limit else "holds a NUL"
        )
        raise InvalidChangeRequest(f"The {what} {reason}.", hint=f"Write a {what} of 1 to {limit:,} characters.")
    return text


__all__ = [
    "ChangeOverview",
    "ChangeRequestWish",
    "approve_change_request",
    "close_change_request",
    "comment_change_request",
    "get_change_request",
    "get_overview",
    "list_blocks",
    "merge_change_request",
    "open_change_request",
]
