"""Change requests: opened, carried along with their branches, approved, merged, closed."""

from typing import Any

import pytest

from roadbed.scm.contract import (
    ChangeRequest,
    ChangeRequestState,
    ChangeRequestWish,
    MergeBlocked,
    MergeConflict,
    MergeMethod,
    StatusState,
    StatusWish,
    get_change_request,
    merge_change_request,
    open_change_request,
    set_commit_status,
)
from roadbed.scm.errors import ChangeRequestClosed, ChangeRequestExists, InvalidChangeRequest, OwnApproval
from roadbed.scm.service.changes import (
    approve_change_request,
    close_change_request,
    comment_change_request,
    get_overview,
)
from roadbed.scm.service.repositories import RepositoryChange, change_repository
from tests.scm.conftest import Person, Project
from tests.scm.support import list_events, read, write


def push_branch(project: Project, branch: str = "feature", path: str = "src/new.py", text: str = "x = 1\n") -> str:
    project.workspace.git("checkout", "-q", "-B", branch, "main" if branch != "main" else "HEAD")
    sha = project.workspace.commit(path, text, f"Add {path}")
    project.workspace.git("push", "-q", "origin", f"HEAD:{branch}")
    return sha


def open_change(project: Project, branch: str = "feature", **fields: Any) -> ChangeRequest:
    wish = ChangeRequestWish(branch, fields.pop("title", "Add a thing"), **fields)
    return write(
        project.server, lambda session: open_change_request(session, project.owner.actor, project.repository, wish)
    )


def approve(project: Project, number: int, person: Person) -> None:
    write(project.server, lambda session: approve_change_request(session, person.actor, project.repository, number))


def merge(project: Project, number: int, method: MergeMethod = MergeMethod.MERGE) -> ChangeRequest:
    return project.server.run(
        merge_change_request(project.server.services, project.owner.actor, project.repository.id, number, method=method)
    )


def get(project: Project, number: int) -> ChangeRequest:
    return read(project.server, lambda session: get_change_request(session, project.repository, number))


def say(project: Project, sha: str, context: str, state: StatusState) -> None:
    wish = StatusWish(context, state)
    write(
        project.server,
        lambda session: set_commit_status(session, project.owner.actor, project.repository, sha=sha, status=wish),
    )


def test_change_request_is_approved_and_merged_with_two_parents(project: Project, bob: Person) -> None:
    head = push_branch(project)
    change = open_change(project, description="Because.")
    assert (change.number, change.head_sha, change.target_branch) == (1, head, "main")
    approve(project, 1, bob)
    merged = merge(project, 1)
    assert merged.state is ChangeRequestState.MERGED
    assert merged.merged_by == project.owner.actor.label
    project.workspace.git("fetch", "-q", "origin")
    assert project.workspace.git("rev-parse", "origin/main") == merged.merge_sha
    assert project.workspace.git("log", "-1", "--format=%P", "origin/main") == f"{project.first_commit} {head}"
    message = project.workspace.git("log", "-1", "--format=%B", "origin/main")
    assert message == "Merge change request #1: Add a thing\n\nBecause."


def test_squash_makes_one_commit_that_lists_what_it_holds(project: Project, bob: Person) -> None:
    push_branch(project)
    project.workspace.commit("src/more.py", "y = 2\n", "Add more")
    project.workspace.git("push", "-q", "origin", "HEAD:feature")
    open_change(project, title="Add two things")
    approve(project, 1, bob)
    merged = merge(project, 1, MergeMethod.SQUASH)
    project.workspace.git("fetch", "-q", "origin")
    assert project.workspace.git("log", "-1", "--format=%P", "origin/main") == project.first_commit
    assert project.workspace.git("log", "-1", "--format=%B", "origin/main") == (
        "Add two things (#1)\n\n* Add src/new.py\n* Add more"
    )
    assert merged.state is ChangeRequestState.MERGED


def test_own_change_needs_somebody_else(project: Project, bob: Person) -> None:
    push_branch(project)
    open_change(project)
    with pytest.raises(OwnApproval, match="somebody else"):
        approve(project, 1, project.owner)
    with pytest.raises(MergeBlocked, match="It needs 1 more approval"):
        merge(project, 1)


def test_new_commits_need_a_new_approval(project: Project, bob: Person) -> None:
    push_branch(project)
    open_change(project)
    approve(project, 1, bob)
    head = project.workspace.commit("src/late.py", "z = 3\n")
    project.workspace.git("push", "-q", "origin", "HEAD:feature")
    assert get(project, 1).head_sha == head
    with pytest.raises(MergeBlocked, match="approval"):
        merge(project, 1)
    approve(project, 1, bob)
    assert merge(project, 1).state is ChangeRequestState.MERGED
    actions = [
        event["action"] for event in list_events(project.server, project.repository, "scm.change_request_changed")
    ]
    assert actions == ["opened", "approved", "updated", "approved", "merged"]


def test_checks_block_until_they_pass(project: Project, bob: Person) -> None:
    head = push_branch(project)
    change = RepositoryChange(required_checks=("pipeline/lint", "pipeline/test"))
    write(
        project.server,
        lambda session: change_repository(session, project.owner.actor, project.repository, change),
    )
    open_change(project)
    approve(project, 1, bob)
    with pytest.raises(MergeBlocked, match="pipeline/lint is required and has not run"):
        merge(project, 1)
    say(project, head, "pipeline/lint", StatusState.SUCCESS)
    say(project, head[:12], "pipeline/test", StatusState.PENDING)
    with pytest.raises(MergeBlocked, match="pipeline/test has not finished"):
        merge(project, 1)
    say(project, head, "pipeline/test", StatusState.FAILURE)
    with pytest.raises(MergeBlocked, match="pipeline/test failed"):
        merge(project, 1)
    say(project, head, "pipeline/test", StatusState.SUCCESS)
    assert merge(project, 1).state is ChangeRequestState.MERGED


def test_conflicts_are_reported_by_file_and_merge_nothing(project: Project, bob: Person) -> None:
    push_branch(project, "one", "README.md", "# One\n")
    push_branch(project, "two", "README.md", "# Two\n")
    open_change(project, "one")
    open_change(project, "two")
    approve(project, 1, bob)
    approve(project, 2, bob)
    merge(project, 1)
    overview = read(project.server, lambda session: get_overview(session, project.repository, 2))
    assert overview.conflicts == ("README.md",)
    tip = project.workspace.git("ls-remote", "origin", "main")
    with pytest.raises(MergeConflict, match=r"same lines of README\.md") as caught:
        merge(project, 2)
    assert caught.value.context["paths"] == ["README.md"]
    assert project.workspace.git("ls-remote", "origin", "main") == tip
    assert get(project, 2).state is ChangeRequestState.OPEN


def test_overview_shows_commits_diff_and_comments(project: Project, bob: Person) -> None:
    push_branch(project, text="one\ntwo\n")
    open_change(project)
    write(
        project.server,
        lambda session: comment_change_request(session, bob.actor, project.repository, 1, "Looks *good*."),
    )
    overview = read(project.server, lambda session: get_overview(session, project.repository, 1))
    assert [commit.subject for commit in overview.commits] == ["Add src/new.py"]
    assert [(file.path, file.status, file.added, file.removed) for file in overview.diff.files] == [
        ("src/new.py", "added", 2, 0)
    ]
    assert [comment.body for comment in overview.comments] == ["Looks *good*."]


def test_merged_change_still_shows_its_own_diff(project: Project, bob: Person) -> None:
    push_branch(project, "one", "one.txt", "1\n")
    push_branch(project, "two", "two.txt", "2\n")
    open_change(project, "one")
    open_change(project, "two")
    for number in (1, 2):
        approve(project, number, bob)
        merge(project, number, MergeMethod.SQUASH)
    overview = read(project.server, lambda session: get_overview(session, project.repository, 2))
    assert [file.path for file in overview.diff.files] == ["two.txt"]


def test_branch_that_is_deleted_closes_its_change_request_and_keeps_its_diff(project: Project) -> None:
    push_branch(project)
    open_change(project)
    project.workspace.git("push", "-q", "origin", "--delete", "feature")
    assert get(project, 1).state is ChangeRequestState.CLOSED
    overview = read(project.server, lambda session: get_overview(session, project.repository, 1))
    assert [file.path for file in overview.diff.files] == ["src/new.py"]


def test_change_that_reached_its_target_by_push_is_merged(project: Project) -> None:
    project.workspace.git("push", "-q", "origin", "HEAD:release")
    head = push_branch(project)
    open_change(project, target_branch="release")
    project.workspace.git("push", "-q", "origin", "feature:release")
    change = get(project, 1)
    assert (change.state, change.merge_sha) == (ChangeRequestState.MERGED, head)


def test_what_makes_no_change_request_is_refused(project: Project) -> None:
    with pytest.raises(InvalidChangeRequest, match="no branch nope"):
        open_change(project, "nope")
    project.workspace.git("push", "-q", "origin", "HEAD:same")
    with pytest.raises(InvalidChangeRequest, match="no commits that main does not have"):
        open_change(project, "same")
    push_branch(project)
    with pytest.raises(InvalidChangeRequest, match="title"):
        open_change(project, title="  ")
    project.workspace.git("checkout", "-q", "--orphan", "alone")
    project.workspace.commit("alone", "1\n")
    project.workspace.git("push", "-q", "origin", "HEAD:alone")
    with pytest.raises(InvalidChangeRequest, match="no commit in common"):
        open_change(project, "alone")
    open_change(project)
    with pytest.raises(ChangeRequestExists, match="#1 brings feature into main"):
        open_change(project)


def test_closed_change_request_stays_closed(project: Project, bob: Person) -> None:
    push_branch(project)
    open_change(project)
    write(project.server, lambda session: close_change_request(session, project.owner.actor, project.repository, 1))
    with pytest.raises(ChangeRequestClosed):
        merge(project, 1)
    with pytest.raises(ChangeRequestClosed):
        approve(project, 1, bob)
    assert open_change(project).number == 2
