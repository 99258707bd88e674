"""No change of refs is lost: what a crash left unpublished is published once."""

from roadbed.core.db import WriteSession
from roadbed.scm.models import RepositoryRow
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.service.refs import reconcile
from tests.scm.conftest import Project
from tests.scm.support import list_events, write


def crash_after_ref_update(project: Project, ref: str, *, writer: str | None) -> str:
    """Leave behind what a server leaves that is killed after git moved a ref and before the event was written."""
    host = project.server.services.get(BuiltinHost)
    repository = project.current()

    async def move() -> str:
        git = await host.open(repository)
        tree = await git.text("rev-parse", "main^{tree}")
        sha = await git.text("commit-tree", tree, "-p", "main", "-m", "Unpublished")
        await git.run("update-ref", ref, sha)
        return sha

    async def intend(session: WriteSession) -> None:
        row = await session.get_one(RepositoryRow, project.repository.id)
        row.writer = writer

    write(project.server, intend)
    return project.server.run(move())


def test_start_publishes_what_a_crash_left_and_only_once(project: Project) -> None:
    sha = crash_after_ref_update(project, "refs/heads/late", writer="user:eve")
    assert project.server.run(reconcile(project.server.services)) == 1
    assert project.server.run(reconcile(project.server.services)) == 0
    late = [event for event in list_events(project.server, project.repository) if event["ref"] == "refs/heads/late"]
    assert [(event["after"], event["pusher"]) for event in late] == [(sha, "user:eve")]


def test_next_push_publishes_what_a_crash_left_under_its_own_name(project: Project) -> None:
    sha = crash_after_ref_update(project, "refs/heads/late", writer="user:eve")
    project.workspace.git("push", "-q", "origin", "HEAD:mine")
    events = list_events(project.server, project.repository)[1:]
    assert [(event["ref"], event["after"], event["pusher"]) for event in events] == [
        ("refs/heads/late", sha, "user:eve"),
        ("refs/heads/mine", project.first_commit, project.owner.actor.label),
    ]


def test_intent_without_a_change_publishes_nothing(project: Project) -> None:
    async def intend(session: WriteSession) -> None:
        (await session.get_one(RepositoryRow, project.repository.id)).writer = "user:eve"

    write(project.server, intend)
    before = list_events(project.server, project.repository)
    assert project.server.run(reconcile(project.server.services)) == 1
    assert list_events(project.server, project.repository) == before
