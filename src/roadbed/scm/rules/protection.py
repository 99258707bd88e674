"""What a push may do to which ref."""

from roadbed.core.actor import Actor
from roadbed.scm.rules.names import branch_ref
from roadbed.scm.rules.pktline import PushCommand
from roadbed.scm.types import ZERO_SHA, Repository

ROADBED_REFS = "refs/roadbed/"
_OPEN_REFS = ("refs/heads/", "refs/tags/")


def judge_push(
    repository: Repository, actor: Actor, commands: tuple[PushCommand, ...], *, is_empty: bool
) -> dict[str, str]:
    """Return why refs of a push are refused, before git sees its objects; empty when it may go on.

    Nobody pushes to a protected branch, programs neither: what changes it goes through a change request.

    Args:
        repository: where to.
        actor: who pushes.
        commands: what is asked for.
        is_empty: there is no branch yet; then the repository's creator may push the first commits.
    """
    reasons = {command.ref: _refuse(repository, actor, command, is_empty=is_empty) for command in commands}
    return {ref: reason for ref, reason in reasons.items() if reason is not None}


def _refuse(repository: Repository, actor: Actor, command: PushCommand, *, is_empty: bool) -> str | None:
    if command.ref.startswith(ROADBED_REFS):
        return "refs/roadbed/ is written by Roadbed only"
    if not command.ref.startswith(_OPEN_REFS):
        return "only branches (refs/heads/) and tags (refs/tags/) can be pushed"
    if not repository.is_protected or command.ref != branch_ref(repository.default_branch):
        return None
    if command.new == ZERO_SHA:
        return f"{repository.default_branch} is protected and cannot be deleted"
    if not is_empty:
        return f"{repository.default_branch} is protected: push a branch and open a change request"
    if actor.id != repository.created_by_id:
        return f"the first push is for who created the repository ({repository.created_by})"
    return None


def explain_refusal(repository: Repository, reasons: dict[str, str], *, new_change_url: str) -> str:
    """Return what the client shows above git's own list of refused refs."""
    lines = [f"Roadbed did not accept this push to {repository.full_name}:"]
    lines += [f"  {ref.removeprefix('refs/heads/')}: {reason}" for ref, reason in reasons.items()]
    if branch_ref(repository.default_branch) in reasons:
        lines += [
            "Push your commits to a branch instead:",
            f"  git push origin {repository.default_branch}:my-change",
            f"Then open a change request: {new_change_url}",
        ]
    return "\n".join(lines)
