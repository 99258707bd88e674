"""The runner of the static checks."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools import check

ROOT = Path(__file__).resolve().parents[2]


def test_every_failure_is_shown_and_the_code_is_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing = (sys.executable, "-c", "print('two faults'); raise SystemExit(2)")
    monkeypatch.setattr(check, "CHECKS", {"one": failing, "two": (sys.executable, "-c", ""), "three": failing})
    monkeypatch.setattr(sys, "argv", ["check.py"])
    assert check.main() == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines.count("two faults") == 2
    assert [line.split()[:2] for line in lines[-3:]] == [["one", "failed"], ["two", "ok"], ["three", "failed"]]


def test_unknown_check_is_refused_with_the_names() -> None:
    done = subprocess.run(
        [sys.executable, "tools/check.py", "spelling"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "import-linter" in done.stderr
