"""Finding the Chromium of browser tests: which one is taken, and what is said when there is none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def find(path: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the tool on a machine that has only what is in `path`, and no browser of Playwright's."""
    environment = {name: value for name, value in os.environ.items() if name != "ROADBED_TEST_CHROMIUM"}
    environment |= {"PATH": path, "PLAYWRIGHT_BROWSERS_PATH": "/nonexistent", **more}
    return subprocess.run(
        [sys.executable, "tools/chromium.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def put(folder: Path, name: str) -> str:
    program = folder / name
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return str(program)


def test_chromium_on_path_is_taken_and_said(tmp_path: Path) -> None:
    put(tmp_path, "google-chrome")
    put(tmp_path, "chromium")
    program = put(tmp_path, "chromium-headless-shell")
    done = find(str(tmp_path))
    assert (done.returncode, done.stdout) == (0, f"{program}\n"), done.stderr
    assert f"Browser tests use {program}." in done.stderr


def test_named_chromium_goes_before_the_one_on_path(tmp_path: Path) -> None:
    put(tmp_path, "chromium")
    assert find(str(tmp_path), ROADBED_TEST_CHROMIUM="/opt/own/chrome").stdout == "/opt/own/chrome\n"


@pytest.mark.parametrize("has_apt", [False, True])
def test_without_any_it_says_how_to_get_one(tmp_path: Path, has_apt: bool) -> None:
    if has_apt:
        apt = Path(put(tmp_path, "apt-get"))
        apt.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\nexit 100\n')
    done = find(str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert "apt-get install chromium-headless-shell" in done.stderr
    assert "ROADBED_TEST_CHROMIUM" in done.stderr
    is_root = os.geteuid() == 0
    assert ("apt-get update ended with 100." in done.stderr) is (has_apt and is_root)
    assert (tmp_path / "asked").exists() is (has_apt and is_root)
