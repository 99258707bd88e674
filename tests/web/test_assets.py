"""The tool that fills the static folder: what it says when something is missing, and that its output fits."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.web.style_page import ROOT, STATIC

TOOL = ROOT / "tools" / "assets.py"
VENDOR = ("@tabler/core/dist/css/tabler.min.css", "htmx.org/dist/htmx.min.js", "cytoscape/dist/cytoscape.min.js")
LICENCES = ("@tabler/icons/LICENSE", "htmx.org/LICENSE", "cytoscape/LICENSE")


def run_tool(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(TOOL), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def test_missing_packages_are_named_with_the_next_step(tmp_path: Path) -> None:
    answer = run_tool("--node-modules", str(tmp_path))
    assert answer.returncode == 1
    assert answer.stderr.startswith("@tabler/core/dist/css/tabler.min.css is not in ")
    assert answer.stderr.endswith("Run: npm ci\n")


def test_unknown_icons_are_named_with_their_place_and_nothing_is_written(tmp_path: Path) -> None:
    for name in (*VENDOR, *LICENCES):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("not the real one")
    before = (STATIC / "vendor" / "tabler.min.css").read_text()
    answer = run_tool("--node-modules", str(tmp_path))
    assert answer.returncode == 1
    assert re.search(r"^tools/icons\.txt:\d+: there is no icon named 'rocket'$", answer.stderr, re.MULTILINE)
    assert (STATIC / "vendor" / "tabler.min.css").read_text() == before


def test_pages_stay_within_their_budgets() -> None:
    if not (ROOT / "node_modules").is_dir():
        pytest.skip("node_modules is not there: run npm ci")
    answer = run_tool("--check")
    assert answer.returncode == 0, answer.stderr


def test_sprite_holds_plain_shapes_only() -> None:
    sprite = (STATIC / "icons.svg").read_text()
    assert 'id="i-circle-check-filled" viewBox="0 0 24 24" fill="currentColor"' in sprite
    assert "<script" not in sprite
    assert "style=" not in sprite


@pytest.mark.parametrize(
    "path", sorted((ROOT / "src" / "roadbed").rglob("templates/**/*.html")), ids=lambda path: path.name
)
def test_template_breaks_no_rule_of_the_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for forbidden in (
        r"<style\b",
        r"<script(?![^>]*\bsrc=)",
        r"\sstyle\s*=",
        r"\son[a-z]+\s*=\s*[\"']",
        r"\bhx-on\b",
        r"hx-trigger=[\"'][^\"']*\[",
    ):
        assert not re.search(forbidden, text), f"{path.name} has {forbidden}"
    assert len(text.splitlines()) <= 150, f"{path.name} is longer than 150 lines: split it"
