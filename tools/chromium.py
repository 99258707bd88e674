"""Find the Chromium that browser tests drive, and print its path; say on standard error what is done.

Order: ROADBED_TEST_CHROMIUM, PATH, the one that Playwright has downloaded; else root installs Debian's package.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

SHELL = "chromium-headless-shell"
"""Chromium without its windows, as Playwright takes it by itself: a look at a page costs less than half."""

NAMES = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def find_on_path() -> str | None:
    return next(filter(None, map(shutil.which, NAMES)), None)


def find_playwrights() -> str | None:
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install_package(name: str) -> bool:
    """Install a package of Debian's, which takes root and apt-get; False when either is missing or it fails."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    say(f"Installing Debian's package {name}.")
    for arguments in (["update", "-q"], ["install", "-q", "-y", "--no-install-recommends", name]):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        done = subprocess.run(["apt-get", *arguments], env=environment, stdout=2, check=False)
        if done.returncode:
            say(f"apt-get {arguments[0]} ended with {done.returncode}.")
            return False
    return True


def find_driver_fault() -> str | None:
    """Return what keeps Playwright's driver from starting; None when it starts."""
    done = subprocess.run(
        [sys.executable, "-m", "playwright", "--version"], capture_output=True, text=True, check=False
    )
    return (done.stderr.strip() or f"it ended with {done.returncode}") if done.returncode else None


def ensure_driver() -> str | None:
    """Return what is wrong with Playwright's driver, after giving it the library that a bare Debian lacks."""
    fault = find_driver_fault()
    if fault and "libatomic.so.1" in fault and install_package("libatomic1"):
        return find_driver_fault()
    return fault


def main() -> int:
    fault = ensure_driver()
    if fault:
        say(f"Playwright's driver does not start: {fault}")
        return 1
    path = os.environ.get("ROADBED_TEST_CHROMIUM") or find_on_path() or find_playwrights()
    if path is None and install_package(SHELL):
        path = find_on_path()
    if path is None:
        say(
            f"No Chromium for the browser tests. Install one (Debian: apt-get install {SHELL}; anywhere: "
            ".venv/bin/playwright install chromium), or name it in ROADBED_TEST_CHROMIUM."
        )
        return 1
    say(f"Browser tests use {path}.")
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
