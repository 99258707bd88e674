"""Files and commits without a clone."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from roadbed.core.actor import system_actor
from roadbed.scm.contract import (
    Author,
    FileContent,
    PathNotFound,
    RefMoved,
    Repository,
    RepositoryNotFound,
    RevisionNotFound,
    TreeChange,
    commit_files,
    export,
    list_files,
    list_tree,
    load_folder,
    read_file,
    read_tree,
)
from roadbed.scm.errors import FileTooLarge, InvalidPath
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.types import ZERO_SHA
from tests.scm.conftest import Person
from tests.scm.support import clone, list_events, make_repository, refresh
from tests.support import RunningServer

ACTOR = system_actor("tests")
AUTHOR = Author("Ada <Lovelace>", "ada@example.org")
FILES = {
    "README.md": FileContent(b"# Orders\n"),
    "bin/run": FileContent(b"#!/bin/sh\n", is_executable=True),
    'src/a b"c\\d/ü.txt': FileContent("ä\n".encode()),
    "latest": FileContent(b"bin/run", is_link=True),
    "empty": FileContent(b""),
    "data.bin": FileContent(bytes(range(256)) * 10),
}
FIRST = TreeChange("refs/heads/main", FILES, "Begin\n\nwith a body", AUTHOR, is_whole=True, expected=ZERO_SHA)


def commit(server: RunningServer, repository: Repository, change: TreeChange) -> str:
    return server.run(commit_files(server.services, ACTOR, repository.id, change))


@pytest.fixture
def repository(server: RunningServer) -> Repository:
    made = make_repository(server)
    commit(server, made, FIRST)
    return refresh(server, made)


def test_written_tree_is_cloned_as_it_was(
    server: RunningServer, repository: Repository, ada: Person, tmp_path: Path
) -> None:
    workspace = clone(server, repository, ada.token, tmp_path / "clone")
    assert load_folder(workspace.folder) == FILES
    assert workspace.git("log", "-1", "--format=%an <%ae> %cn|%s|%b") == (
        "Ada Lovelace <ada@example.org> Roadbed|Begin|with a body"
    )
    assert workspace.git("fsck", "--strict") == ""


def test_written_tree_is_read_and_exported_as_it_was(
    server: RunningServer, repository: Repository, tmp_path: Path
) -> None:
    assert server.run(read_tree(server.services, repository, "main")) == FILES
    folder = tmp_path / "export"
    folder.mkdir()
    sha = server.run(export(server.services, repository.id, "main", folder))
    assert len(sha) == 40
    assert load_folder(folder) == FILES
    assert server.run(read_file(server.services, repository, sha[:10], "README.md")) == b"# Orders\n"


def test_commit_changes_adds_and_removes_files(server: RunningServer, repository: Repository) -> None:
    change = TreeChange(
        "refs/heads/main", {"README.md": FileContent(b"# New\n")}, "Change", AUTHOR, deleted=("bin/run", "src")
    )
    commit(server, repository, change)
    paths = [entry.path for entry in server.run(list_files(server.services, repository, "main"))]
    assert sorted(paths) == ["README.md", "data.bin", "empty", "latest"]
    assert server.run(read_file(server.services, repository, "main", "README.md")) == b"# New\n"


def test_commit_is_told_as_a_push(server: RunningServer, repository: Repository) -> None:
    sha = commit(server, repository, TreeChange("refs/heads/x", {"a": FileContent(b"1")}, "X", AUTHOR))
    event = list_events(server, repository)[-1]
    assert (event["ref"], event["after"], event["pusher"]) == ("refs/heads/x", sha, "system:tests")


def test_commit_elsewhere_than_expected_is_refused(server: RunningServer, repository: Repository) -> None:
    with pytest.raises(RefMoved, match="main of shop/"):
        commit(server, repository, replace(FIRST, files={"a": FileContent(b"")}))
    late = TreeChange("refs/heads/new", {}, "X", AUTHOR, expected="1" * 40)
    with pytest.raises(RefMoved, match="does not exist"):
        commit(server, repository, late)


def test_commit_with_a_key_is_made_once(server: RunningServer, repository: Repository) -> None:
    change = TreeChange("refs/heads/main", {"a": FileContent(b"1")}, "Once", AUTHOR, key=f"run:{uuid4()}")
    first = commit(server, repository, change)
    other = commit(server, repository, TreeChange("refs/heads/main", {"b": FileContent(b"2")}, "Then", AUTHOR))
    assert commit(server, repository, change) == first
    git = server.run(server.services.get(BuiltinHost).list_branches(repository))
    assert git["main"] == other


def test_commit_that_was_made_and_not_moved_to_is_finished(server: RunningServer, repository: Repository) -> None:
    """A crash after the commit and before the branch leaves the commit under its key alone."""
    change = TreeChange("refs/heads/main", {"a": FileContent(b"1")}, "Once", AUTHOR, key=f"run:{uuid4()}")
    host = server.services.get(BuiltinHost)
    before = server.run(host.list_branches(repository))["main"]
    first = commit(server, repository, change)

    async def rewind() -> None:
        git = await host.open(repository)
        await git.run("update-ref", "refs/heads/main", before)

    server.run(rewind())
    assert commit(server, repository, change) == first
    assert server.run(host.list_branches(repository))["main"] == first


def test_commit_that_changes_nothing_is_not_made(server: RunningServer, repository: Repository) -> None:
    host = server.services.get(BuiltinHost)
    before = server.run(host.list_branches(repository))["main"]
    assert commit(server, repository, replace(FIRST, expected=None)) == before
    writes = server.run(host.open(repository))
    assert server.run(writes.text("for-each-ref", "refs/roadbed")) == ""


@pytest.mark.parametrize("path", ["../a", "/a", "a//b", "a/./b", ".git/config", "a/.GIT/x", "a/git~1", "a\nb", ""])
def test_unsound_paths_are_refused(server: RunningServer, repository: Repository, path: str) -> None:
    with pytest.raises(InvalidPath):
        commit(server, repository, TreeChange("refs/heads/main", {path: FileContent(b"")}, "X", AUTHOR))


def test_missing_things_are_named(server: RunningServer, repository: Repository) -> None:
    with pytest.raises(RevisionNotFound, match="'nope'"):
        server.run(list_tree(server.services, repository, "nope"))
    with pytest.raises(PathNotFound, match=r"no bin/nope at main"):
        server.run(read_file(server.services, repository, "main", "bin/nope"))
    with pytest.raises(PathNotFound):
        server.run(list_tree(server.services, repository, "main", "README.md"))
    with pytest.raises(FileTooLarge, match="2,560 bytes"):
        server.run(read_file(server.services, repository, "main", "data.bin", limit_bytes=100))
    with pytest.raises(RepositoryNotFound):
        server.run(commit_files(server.services, ACTOR, uuid4(), FIRST))


@pytest.mark.parametrize("revision", ["main~1", "main@{1}", ":/Begin", "-h", "main:README.md", "", "a b", "--all"])
def test_revisions_are_names_and_ids_and_no_expressions(
    server: RunningServer, repository: Repository, revision: str
) -> None:
    with pytest.raises(RevisionNotFound):
        server.run(list_tree(server.services, repository, revision))


def test_folder_tells_who_changed_each_entry_last(server: RunningServer, repository: Repository) -> None:
    change = TreeChange("refs/heads/main", {"bin/run": FileContent(b"#!/bin/bash\n")}, "Use bash", AUTHOR)
    commit(server, repository, change)
    host = server.services.get(BuiltinHost)
    sha = server.run(host.list_branches(repository))["main"]
    entries = server.run(host.list_tree(repository, sha))
    found = server.run(host.find_last_changes(repository, sha, entries))
    assert {path: commit.subject for path, commit in found.items()} == {
        **dict.fromkeys(("README.md", "src", "latest", "empty", "data.bin"), "Begin"),
        "bin": "Use bash",
    }
    inner = server.run(host.list_tree(repository, sha, "src"))
    assert list(server.run(host.find_last_changes(repository, sha, inner))) == ['src/a b"c\\d']
