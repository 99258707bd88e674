"""Clone, fetch and push with the ordinary git client."""

import gzip
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from roadbed.scm.rules.pktline import FLUSH, packet
from roadbed.scm.service.host import BuiltinHost
from roadbed.scm.types import ZERO_SHA
from tests.scm.conftest import Person, Project, expire_tokens, make_person
from tests.scm.support import Workspace, clone, git_env, list_events, make_repository, refresh, url_of
from tests.support import RunningServer
from tests.waiting import wait_for


def folder_of(project: Project) -> Path:
    return project.server.services.get(BuiltinHost).folder_of(project.repository.id)


def git_processes(folder: Path) -> list[psutil.Process]:
    """Return the living processes that work in the repository's folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and process.cwd().startswith(str(folder)):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def test_first_push_of_the_creator_goes_to_main_and_is_told(project: Project) -> None:
    events = list_events(project.server, project.repository)
    assert [(event["ref"], event["before"], event["after"]) for event in events] == [
        ("refs/heads/main", ZERO_SHA, project.first_commit)
    ]
    assert events[0]["pusher"] == project.owner.actor.label
    assert events[0]["is_default_branch"] is True


def test_first_push_of_somebody_else_is_refused(
    server: RunningServer, ada: Person, bob: Person, tmp_path: Path
) -> None:
    repository = make_repository(server, by=ada.actor)
    workspace = clone(server, repository, bob.token, tmp_path)
    workspace.commit("README.md", "not mine\n")
    said = workspace.try_git("push", "origin", "HEAD:main")
    assert said.code != 0
    assert f"the first push is for who created the repository ({ada.actor.label})" in said.err


def test_first_pushed_branch_becomes_the_default_one(server: RunningServer, ada: Person, tmp_path: Path) -> None:
    repository = make_repository(server, by=ada.actor)
    workspace = clone(server, repository, ada.token, tmp_path / "one")
    workspace.commit("README.md", "# Trunk\n")
    workspace.git("push", "-q", "origin", "HEAD:trunk")
    assert refresh(server, repository).default_branch == "trunk"
    other = clone(server, repository, ada.token, tmp_path / "two")
    assert other.git("branch", "--show-current") == "trunk"


def test_branch_is_pushed_fetched_and_deleted_by_others(project: Project, bob: Person, tmp_path: Path) -> None:
    project.workspace.git("checkout", "-q", "-b", "feature/refunds")
    sha = project.workspace.commit("src/refunds.py", "REFUNDS = True\n")
    project.workspace.git("push", "-q", "-u", "origin", "feature/refunds")
    other = clone(project.server, project.repository, bob.token, tmp_path / "other")
    assert other.git("rev-parse", "origin/feature/refunds") == sha
    other.git("push", "-q", "origin", "--delete", "feature/refunds")
    moves = [
        (event["ref"], event["after"], event["pusher"]) for event in list_events(project.server, project.repository)
    ]
    assert moves[1:] == [
        ("refs/heads/feature/refunds", sha, project.owner.actor.label),
        ("refs/heads/feature/refunds", ZERO_SHA, bob.actor.label),
    ]


def test_push_to_protected_main_is_refused_with_what_to_do(project: Project) -> None:
    project.workspace.commit("src/main.py", "print(1)\n")
    said = project.workspace.try_git("push", "origin", "HEAD:main")
    assert said.code == 1
    assert "! [remote rejected] HEAD -> main (main is protected: push a branch and open a change request)" in said.err
    assert "remote:   git push origin main:my-change" in said.err
    assert "/changes/new?source=my-change" in said.err
    assert project.workspace.git("ls-remote", "origin", "main").startswith(project.first_commit)


def test_forced_push_and_deletion_of_protected_main_are_refused(project: Project) -> None:
    project.workspace.git("commit", "-q", "--amend", "-m", "Another beginning")
    forced = project.workspace.try_git("push", "--force", "origin", "HEAD:main")
    assert "main is protected: push a branch" in forced.err
    deleted = project.workspace.try_git("push", "origin", "--delete", "main")
    assert "main is protected and cannot be deleted" in deleted.err
    assert project.workspace.git("ls-remote", "origin", "main").startswith(project.first_commit)


def test_one_refused_ref_refuses_the_whole_push(project: Project) -> None:
    project.workspace.commit("a", "a\n")
    said = project.workspace.try_git("push", "origin", "HEAD:main", "HEAD:side")
    assert "HEAD -> side (not updated, because another ref of this push was refused)" in said.err
    assert "side" not in project.workspace.git("ls-remote", "origin")


def test_unprotected_main_takes_pushes_and_forced_ones(server: RunningServer, ada: Person, tmp_path: Path) -> None:
    repository = make_repository(server, by=ada.actor, is_protected=False)
    workspace = clone(server, repository, ada.token, tmp_path)
    workspace.commit("a", "1\n")
    workspace.git("push", "-q", "origin", "HEAD:main")
    workspace.commit("a", "2\n")
    workspace.git("push", "-q", "origin", "HEAD:main")
    workspace.git("reset", "-q", "--hard", "HEAD~1")
    sha = workspace.commit("a", "3\n")
    assert workspace.try_git("push", "-q", "origin", "HEAD:main").code == 1
    workspace.git("push", "-q", "--force", "origin", "HEAD:main")
    assert list_events(server, repository)[-1]["after"] == sha


@pytest.mark.parametrize("ref", ["refs/roadbed/path", "refs/changes/1", "refs/for/main"])
def test_refs_that_are_not_branches_or_tags_are_refused(project: Project, ref: str) -> None:
    said = project.workspace.try_git("push", "origin", f"HEAD:{ref}")
    assert said.code == 1
    assert "only" in said.err


def test_tags_are_pushed_and_told(project: Project) -> None:
    project.workspace.git("tag", "-a", "v1", "-m", "One")
    project.workspace.git("push", "-q", "origin", "v1")
    assert list_events(project.server, project.repository)[-1]["ref"] == "refs/tags/v1"


def test_wrong_token_is_401_and_asks_for_basic(project: Project) -> None:
    client = project.server.client()
    path = f"/git/{project.repository.full_name}.git/info/refs?service=git-upload-pack"
    for headers in ({}, {"Authorization": "Bearer rbd_wrong"}, {"Authorization": "Basic eDp3cm9uZw=="}):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
    said = project.workspace.try_git("ls-remote", url_of(project.server, project.repository, "wrong"))
    assert "Authentication failed" in said.err


def test_git_is_told_that_its_token_expired_and_forgets_it(project: Project, tmp_path: Path) -> None:
    """A credential helper that git asks and tells as on people's machines: what is refused must be erased."""
    person = make_person(project.server, "developer")
    expire_tokens(project.server, person.actor)
    host = f"{project.server.base_url}/git/{project.repository.full_name}.git"
    asked = tmp_path / "asked"
    helper = tmp_path / "helper"
    script = f'echo "$1" >> {asked}; if test "$1" = get; then echo username=x; echo password={person.token}; fi'
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(0o700)
    said = project.workspace.try_git("-c", f"credential.helper={helper}", "ls-remote", host)
    assert said.code != 0
    assert f"remote: The token 'git' of {person.actor.name} expired on" in said.err
    assert "roadbed token create" in said.err
    assert "Authentication failed" in said.err
    assert asked.read_text().split() == ["get", "erase"]


def test_bearer_token_lets_git_in(project: Project) -> None:
    host = f"{project.server.base_url}/git/{project.repository.full_name}.git"
    header = f"http.extraHeader=Authorization: Bearer {project.owner.token}"
    assert project.workspace.git("-c", header, "ls-remote", host, "main").startswith(project.first_commit)


def test_viewer_clones_and_cannot_push(project: Project, viewer: Person, tmp_path: Path) -> None:
    workspace = clone(project.server, project.repository, viewer.token, tmp_path / "viewer")
    workspace.commit("a", "a\n")
    said = workspace.try_git("push", "origin", "HEAD:mine")
    assert said.code != 0
    assert "scm.repository.write" in said.err


def test_missing_repository_says_so(project: Project) -> None:
    missing = url_of(project.server, project.repository, project.owner.token).replace(project.repository.name, "nope")
    said = project.workspace.try_git("clone", missing, "elsewhere")
    assert "There is no repository shop/nope" in said.err


def test_dumb_protocol_is_refused(project: Project) -> None:
    client = project.server.client(project.owner.token)
    base = f"/git/{project.repository.full_name}.git"
    assert client.get(f"{base}/info/refs").status_code == 422
    assert client.get(f"{base}/HEAD").status_code == 404
    assert client.get(f"{base}/objects/info/packs").status_code == 404


def test_push_of_more_than_ten_megabytes_arrives_whole(project: Project, bob: Person, tmp_path: Path) -> None:
    data = os.urandom(12_000_000)
    (project.workspace.folder / "big.bin").write_bytes(data)
    sha = project.workspace.commit("note", "big\n")
    project.workspace.git("push", "-q", "origin", "HEAD:big")
    other = clone(project.server, project.repository, bob.token, tmp_path / "other")
    other.git("checkout", "-q", "big")
    assert (other.folder / "big.bin").read_bytes() == data
    assert other.git("rev-parse", "HEAD") == sha


def test_push_over_the_limit_is_refused_with_the_limit(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    host = project.server.services.get(BuiltinHost)
    monkeypatch.setattr(host, "settings", host.settings.model_copy(update={"max_push_bytes": 100_000}))
    (project.workspace.folder / "big.bin").write_bytes(os.urandom(300_000))
    project.workspace.commit("note", "big\n")
    said = project.workspace.try_git("push", "origin", "HEAD:big")
    assert said.code != 0
    assert "larger than 100,000 bytes" in said.err


def test_packed_request_bodies_are_unpacked(project: Project) -> None:
    want = packet(f"want {project.first_commit} multi_ack_detailed ofs-delta agent=test\n".encode())
    body = want + FLUSH + packet(b"done\n")
    client = project.server.client(project.owner.token)
    path = f"/git/{project.repository.full_name}.git/git-upload-pack"
    headers = {"Content-Type": "application/x-git-upload-pack-request", "Content-Encoding": "gzip"}
    answer = client.post(path, content=gzip.compress(body), headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-git-upload-pack-result"
    assert b"PACK" in answer.content
    broken = client.post(path, content=b"\x1f\x8b\x08nonsense", headers=headers)
    assert broken.status_code == 422
    bomb = client.post(path, content=gzip.compress(bytes(64_000_000)), headers=headers)
    assert bomb.status_code == 413


def test_five_clients_push_different_branches_and_nothing_is_lost(project: Project, tmp_path: Path) -> None:
    clones = [
        clone(project.server, project.repository, project.owner.token, tmp_path / f"c{number}") for number in range(5)
    ]
    shas = [workspace.commit(f"file-{number}", "x\n") for number, workspace in enumerate(clones)]
    with ThreadPoolExecutor(5) as pool:
        said = list(pool.map(lambda pair: pair[1].try_git("push", "origin", f"HEAD:b{pair[0]}"), enumerate(clones)))
    assert [one.code for one in said] == [0] * 5, said
    events = {event["ref"]: event["after"] for event in list_events(project.server, project.repository)}
    assert all(events[f"refs/heads/b{number}"] == sha for number, sha in enumerate(shas))


def test_five_clients_push_the_same_branch_and_the_losers_are_told(project: Project, tmp_path: Path) -> None:
    project.workspace.git("push", "-q", "origin", "HEAD:shared")
    clones = [
        clone(project.server, project.repository, project.owner.token, tmp_path / f"c{number}") for number in range(5)
    ]
    shas = [workspace.commit(f"file-{number}", f"{number}\n") for number, workspace in enumerate(clones)]
    with ThreadPoolExecutor(5) as pool:
        said = list(pool.map(lambda workspace: workspace.try_git("push", "origin", "HEAD:shared"), clones))
    winners = [number for number, one in enumerate(said) if one.code == 0]
    assert len(winners) == 1, said
    assert all("rejected" in one.err or "failed to" in one.err for one in said if one.code != 0)
    tip = project.workspace.git("ls-remote", "origin", "shared").split()[0]
    assert tip == shas[winners[0]]
    shared = [event for event in list_events(project.server, project.repository) if event["ref"].endswith("shared")]
    assert [event["after"] for event in shared] == [project.first_commit, tip]


def test_hooks_in_the_folder_are_not_executed(project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    hooks = folder_of(project) / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction", "proc-receive"):
        (hooks / name).write_text(f"#!/bin/sh\necho {name} >> {marker}\nexit 1\n")
        (hooks / name).chmod(0o755)
    project.workspace.commit("a", "a\n")
    project.workspace.git("push", "-q", "origin", "HEAD:quiet")
    assert not marker.exists()


def test_configuration_in_the_folder_cannot_start_programs(project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    with (folder_of(project) / "config").open("a") as config:
        config.write(f"[core]\n\thooksPath = {tmp_path}\n\tfsmonitor = touch {marker}\n")
    project.workspace.commit("a", "a\n")
    project.workspace.git("push", "-q", "origin", "HEAD:quiet")
    assert not marker.exists()


def test_damaged_objects_are_refused(project: Project) -> None:
    """A tree with the folder `.git` in it would write into a victim's own repository."""
    workspace = project.workspace
    blob = workspace.try_git("hash-object", "-w", "--stdin", stdin=b"[core]\n").out.strip()
    inner = b"100644 config\0" + bytes.fromhex(blob)
    tree = workspace.try_git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=inner).out.strip()
    outer = b"40000 .git\0" + bytes.fromhex(tree)
    bad = workspace.try_git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=outer).out.strip()
    commit = workspace.git("commit-tree", bad, "-m", "Evil")
    said = workspace.try_git("push", "origin", f"{commit}:refs/heads/evil")
    assert said.code != 0
    assert "hasDotgit" in said.err
    assert "evil" not in workspace.git("ls-remote", "origin")


@pytest.fixture
def slow_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let the server's git wait before it reads a push, until the yielded file exists."""
    gate, real = tmp_path / "gate", shutil.which("git")
    wrapper = tmp_path / "bin" / "git"
    wrapper.parent.mkdir()
    wrapper.write_text(
        f'#!/bin/sh\nif [ "$1" = http-backend ] && [ "$REQUEST_METHOD" = POST ]; then\n'
        f'  while [ ! -e {gate} ]; do sleep 0.02; done\nfi\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}{os.pathsep}{os.environ['PATH']}")
    yield gate
    gate.touch()


def test_client_that_vanishes_leaves_no_process_and_no_lock(project: Project, slow_git: Path, tmp_path: Path) -> None:
    project.workspace.commit("a", "a\n")
    client = subprocess.Popen(
        ["git", "push", "origin", "HEAD:lost"],
        cwd=project.workspace.folder,
        env=git_env(project.workspace.folder) | {"PATH": os.environ["PATH"].partition(os.pathsep)[2]},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    wait_for(lambda: bool(git_processes(folder_of(project))))
    os.killpg(client.pid, signal.SIGKILL)
    client.communicate()
    wait_for(lambda: not git_processes(folder_of(project)))
    slow_git.touch()
    project.workspace.git("push", "-q", "origin", "HEAD:found")
    refs = project.workspace.git("ls-remote", "origin")
    assert "found" in refs
    assert "lost" not in refs


def test_client_that_vanishes_while_sending_leaves_nothing(project: Project) -> None:
    host, _, port = project.server.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"POST /git/{project.repository.full_name}.git/git-receive-pack HTTP/1.1\r\nHost: x\r\n"
            f"Authorization: Bearer {project.owner.token}\r\nContent-Length: 1000000\r\n\r\n0123".encode()
        )
    temporary = project.server.home / "tmp"
    wait_for(lambda: not list(temporary.iterdir()))
    wait_for(lambda: not git_processes(folder_of(project)))
    project.workspace.git("ls-remote", "origin")


def test_repository_is_found_without_its_ending(project: Project, tmp_path: Path) -> None:
    folder = tmp_path / "short"
    folder.mkdir()
    workspace = Workspace(folder, url_of(project.server, project.repository, project.owner.token).removesuffix(".git"))
    workspace.git("clone", "-q", workspace.url, ".")
    assert (folder / "README.md").exists()
