"""When a change request may be merged, and what its commits say."""

from collections.abc import Collection, Iterable

from roadbed.kit.text import plural
from roadbed.scm.types import ChangeRequest, ChangeRequestState, CommitStatus, MergeMethod, Repository, StatusState


def find_blocks(
    repository: Repository,
    change: ChangeRequest,
    *,
    statuses: Collection[CommitStatus],
    approvals: int,
    required_approvals: int,
) -> list[str]:
    """List, for people, what stands between a change request and its merge.

    Args:
        repository: with its required checks.
        change: the change request.
        statuses: what is said about its newest commit.
        approvals: how many approve that commit.
        required_approvals: how many must.
    """
    if change.state is not ChangeRequestState.OPEN:
        return [f"It is {change.state.value}."]
    blocks = []
    known = {status.context for status in statuses}
    blocks += [f"{name} failed." for name in _names(statuses, StatusState.FAILURE, StatusState.ERROR)]
    blocks += [f"{name} has not finished." for name in _names(statuses, StatusState.PENDING)]
    blocks += [
        f"{name} is required and has not run on {change.head_sha[:7]}."
        for name in repository.required_checks
        if name not in known
    ]
    if approvals < required_approvals:
        missing = plural(required_approvals - approvals, "more approval")
        blocks.append(f"It needs {missing} of {change.head_sha[:7]}.")
    return blocks


def summarise_checks(repository: Repository, statuses: Collection[CommitStatus]) -> StatusState | None:
    """Return one state for all checks of a commit; None when nothing is said or asked."""
    states = {status.state for status in statuses}
    if states & {StatusState.FAILURE, StatusState.ERROR}:
        return StatusState.FAILURE
    missing = set(repository.required_checks) - {status.context for status in statuses}
    if StatusState.PENDING in states or missing:
        return StatusState.PENDING
    return StatusState.SUCCESS if states else None


def merge_message(change: ChangeRequest, method: MergeMethod, *, subjects: Iterable[str] = ()) -> str:
    """Return the message of the commit that a merge makes.

    Args:
        change: the change request.
        method: how it is merged.
        subjects: of the commits that a squash makes one of, oldest first.
    """
    if method is MergeMethod.MERGE:
        head = f"Merge change request #{change.number}: {change.title}"
        return "\n\n".join(part for part in (head, change.description.strip()) if part) + "\n"
    listed = "\n".join(f"* {subject}" for subject in subjects)
    parts = (f"{change.title} (#{change.number})", change.description.strip(), listed)
    return "\n\n".join(part for part in parts if part) + "\n"


def _names(statuses: Collection[CommitStatus], *states: StatusState) -> list[str]:
    return sorted(status.context for status in statuses if status.state in states)
