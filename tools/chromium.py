"""Find the Chromium that browser tests drive, and print its path; say on standard error what is done.

Order: ROADBED_TEST_CHROMIUM, PATH, the one that Playwright has downloaded; else root installs Debian's package.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def find_on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def find_playwrights() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install_package() -> str | None:
    """Install Debian's package, which takes root and apt-get; None when either is missing or it fails."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    say("No Chromium found: installing Debian's package chromium.")
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", "chromium"]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["apt-get", *arguments], env=environment, stdout=2, check=False)
        if done.returncode:
            say(f"apt-get {arguments[0]} ended with {done.returncode}.")
            return None
    return find_on_path()


def main() -> int:
    path = os.environ.get("ROADBED_TEST_CHROMIUM") or find_on_path() or find_playwrights() or install_package()
    if path is None:
        say(
            "No Chromium for the browser tests. Install one (Debian: apt-get install chromium; anywhere: "
            ".venv/bin/playwright install chromium), or name it in ROADBED_TEST_CHROMIUM."
        )
        return 1
    say(f"Browser tests use {path}.")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
