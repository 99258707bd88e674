"""The tutorials, as a reader follows them: each command of their pages, in one shell, against a first start."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.folders import make_home
from tests.main_job.support import ROOT, cancel_hello
from tests.process import ROADBED, RoadbedProcess

PAGES = [ROOT / "docs/tutorials" / name for name in ("first-steps.md", "your-own-service.md")]
BLOCK = re.compile(r"^```shell\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> str:
    """Return what a page has its reader type, except the start of the server."""
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    return "\n".join(block for block in blocks if block.strip() != "make run")


def follow(script: str, folder: Path) -> tuple[bool, str]:
    """Run a script; return whether it came to its end in time, and what it did and said."""
    shell = subprocess.Popen(
        ["bash", "-x", "-c", script],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if not name.startswith("ROADBED_")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        said, _ = shell.communicate(timeout=900)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        said, _ = shell.communicate()
    return shell.returncode == 0, said


@pytest.mark.slow
def test_tutorials_work_as_they_are_written(tmp_path: Path) -> None:
    home = make_home(tmp_path, ".roadbed")
    (tmp_path / ".venv").symlink_to(ROADBED.parents[1])
    server = RoadbedProcess(home).start("--sample")
    try:
        token = server.token()
        with server.client(token) as client:
            cancel_hello(client)  # no page asks for it
        script = "set -euo pipefail\n" + "\n".join(commands(page) for page in PAGES)
        done, said = follow(script.replace("http://127.0.0.1:8400", server.url), tmp_path)
        assert done, said[-6000:]
        assert "did you mean lifecycle?" in said
        assert "It needs 1 more approval" in said
        with server.client(token) as client:
            page = client.get("/api/v1/environments/tips/production").json()
        assert [workload["health"] for workload in page["workloads"]] == ["healthy"]
    finally:
        assert server.stop() == 0, server.output
