"""The tests beside this one once more, for a server without privileges."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from roadbed.core.sandbox import (
    Mechanism,
    detect_isolation,
)
from tests.core.sandbox.support import NOBODY


def as_nobody(command: list[str], paths: list[Path]) -> list[str]:
    """Run a command without privileges, with paths shown to it that stand below closed folders."""
    closed = {folder for path in paths for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH}
    tops = {folder for folder in closed if not closed & set(folder.parents)}
    arguments = [shutil.which("bwrap") or "bwrap", "--dev-bind", "/", "/"]
    for top in tops:
        arguments += ["--perms", "0755", "--tmpfs", str(top)]
    for path in paths:
        if tops & set(path.parents):
            for parent in reversed(path.parents):
                arguments += ["--perms", "0755", "--dir", str(parent)] if tops & set(parent.parents) else []
            arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "setpriv", f"--reuid={NOBODY}"]
    return [*arguments, f"--regid={NOBODY}", "--clear-groups", *command]


def test_all_of_this_holds_for_an_unprivileged_server(place: Path) -> None:
    isolation = detect_isolation(wanted=Mechanism.UID_AND_NAMESPACE)
    if not isolation.is_isolated:
        pytest.skip("this is the unprivileged run, or such a run cannot be made here: " + isolation.reason)
    os.chown(place, NOBODY, NOBODY)
    repository = Path(__file__).parents[3]
    paths = [repository, Path(sys.prefix), Path(sys.base_prefix)]
    command = [sys.executable, "-m", "pytest", str(Path(__file__).parent), "-q", "-p", "no:randomly", "-p", "no:xdist"]
    done = subprocess.run(
        as_nobody(command, paths),
        cwd=repository,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "TMPDIR": str(place), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    if "does not work here" in done.stdout:
        pytest.skip(f"an unprivileged server isolates nothing here: {done.stdout[-500:]}")
    assert int(re.findall(r"(\d+) passed", done.stdout)[-1]) > 30, done.stdout[-6000:]
