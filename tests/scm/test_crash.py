"""kill -9 of the server in the middle of a push: nothing is lost, nothing told twice, nothing left running."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.folders import make_home
from tests.process import RoadbedProcess
from tests.scm.support import Workspace, git_env
from tests.waiting import wait_for

SCRIPT = """#!/bin/sh
if [ "$1" = http-backend ] && [ "$PATH_INFO" != "${PATH_INFO%git-receive-pack}" ] && [ -e FOLDER/armed ]; then
  GIT "$@"
  touch FOLDER/updated
  while [ ! -e FOLDER/gate ]; do sleep 0.02; done
  exit 0
fi
exec GIT "$@"
"""


@pytest.fixture
def stop_point(tmp_path: Path) -> Path:
    """A folder in which `armed` makes the server's git stop after it moved a ref, until there is a `gate`."""
    folder = tmp_path / "point"
    folder.mkdir()
    wrapper = folder / "bin" / "git"
    wrapper.parent.mkdir()
    real = shutil.which("git")
    assert real
    wrapper.write_text(SCRIPT.replace("FOLDER", str(folder)).replace("GIT", real))
    wrapper.chmod(0o755)
    return folder


@pytest.fixture
def roadbed(tmp_path: Path, stop_point: Path) -> Iterator[RoadbedProcess]:
    home = make_home(tmp_path)
    roadbed = RoadbedProcess(home, {"PATH": f"{stop_point / 'bin'}{os.pathsep}{os.environ['PATH']}"})
    yield roadbed
    (stop_point / "gate").touch()
    if roadbed.process is not None:
        roadbed.stop()


def moves(roadbed: RoadbedProcess, token: str) -> list[tuple[str, str]]:
    """Return each told move of a ref of shop/orders and who pushed it, oldest first."""
    asked = {"action": "scm.ref_moved", "subject": "repository:shop/orders"}
    with roadbed.client(token) as client:
        entries = client.get("/api/v1/audit", params=asked).json()["items"]
    return [(entry["detail"]["ref"], entry["detail"]["pusher"]) for entry in reversed(entries)]


@pytest.mark.slow
def test_push_that_a_crash_interrupted_is_told_at_the_next_start(
    roadbed: RoadbedProcess, stop_point: Path, tmp_path: Path
) -> None:
    roadbed.start()
    token = roadbed.token()
    with roadbed.client(token) as client:
        made = client.post("/api/v1/repositories", json={"owner": "shop", "name": "orders"})
    assert made.status_code == 201, made.text
    folder = tmp_path / "clone"
    folder.mkdir()
    workspace = Workspace(folder, made.json()["clone_url"].replace("http://", f"http://x:{token}@"))
    workspace.git("clone", "-q", workspace.url, ".")
    workspace.commit("README.md", "# Orders\n")
    workspace.git("push", "-q", "origin", "HEAD:main")
    (stop_point / "armed").touch()
    client_process = subprocess.Popen(
        ["git", "push", "-q", "origin", "HEAD:late"],
        cwd=folder,
        env=git_env(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for((stop_point / "updated").exists)
    assert moves(roadbed, token) == [("refs/heads/main", "service:local-admin")]
    roadbed.kill()
    client_process.wait(30)
    (stop_point / "armed").unlink()
    (stop_point / "gate").touch()
    unfinished = roadbed.home / "repositories" / "01a21f69-ecec-7124-9f2f-f92cc54c1e4a.a039.new"  # killed in `git init`
    unfinished.mkdir()
    roadbed.start()
    assert not unfinished.exists()
    told = [("refs/heads/main", "service:local-admin"), ("refs/heads/late", "service:local-admin")]
    assert moves(roadbed, token) == told
    repositories = str(roadbed.home / "repositories")
    wait_for(lambda: not [p for p in psutil.process_iter(["cwd"]) if (p.info["cwd"] or "").startswith(repositories)])
    url = f"{roadbed.url}/git/shop/orders.git".replace("http://", f"http://x:{token}@")
    workspace.git("push", "-q", url, "HEAD:after")
    assert moves(roadbed, token) == [*told, ("refs/heads/after", "service:local-admin")]
    assert not list((roadbed.home / "tmp").iterdir())
