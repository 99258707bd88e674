"""A Chromium for tests, and pages that remember what went wrong in them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urljoin

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, StorageState, sync_playwright
from tools.chromium import find_on_path

from roadbed.core.access import SESSION_COOKIE

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
KEEPS_SCREENSHOTS = bool(os.environ.get("ROADBED_TEST_SCREENSHOTS"))  # they take half of the time of a look
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"
Theme = Literal["light", "dark"]
LOOKS: list[tuple[int, Theme]] = [(1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")]
AXE_LOOKS = (LOOKS[0], LOOKS[3])  # each width and each theme once: axe takes longer than all the rest
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WATCH_POLICY = """document.addEventListener("securitypolicyviolation", (event) => console.error(
    `policy: ${event.violatedDirective} blocked ${event.blockedURI} at ${event.sourceFile}:${event.lineNumber}`));"""
FIND_MISSING_ICONS = """async () => {
    const uses = [...document.querySelectorAll("svg.icon use")];
    const sprites = new Map();
    const missing = new Set();
    for (const url of uses.map((use) => new URL(use.getAttribute("href"), location))) {
        const file = url.origin + url.pathname;
        if (!sprites.has(file)) sprites.set(file, await (await fetch(url)).text());
        if (!sprites.get(file).includes(`id="${url.hash.slice(1)}"`)) missing.add(url.hash.slice(3));
    }
    return [...missing];
}"""


def find_chromium() -> str | None:
    """The browser of this machine; None leaves the choice to Playwright."""
    return os.environ.get("ROADBED_TEST_CHROMIUM") or find_on_path()


@contextmanager
def launch_browser() -> Iterator[Browser]:
    """A headless Chromium that asks nothing of the network on its own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class WatchedPage:
    """A page with the problems it met: policy violations, console errors, script errors, failed requests."""

    def __init__(self, context: BrowserContext) -> None:
        context.add_init_script(WATCH_POLICY)
        self.page: Page = context.new_page()
        self.problems: list[str] = []
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.problems.append(f"script: {error}"))
        self.page.on("requestfailed", self._note_failure)

    def open_as(self, session: str | None, url: str) -> Self:
        """Open an address as the person with this session; returns the page."""
        assert session is not None
        self.page.context.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": urljoin(url, "/")}])
        self.page.goto(url)
        return self

    def visit(self, url: str) -> None:
        """Open an address as the next of several in one window, which has their styles and scripts already."""
        self.problems.clear()
        self.page.goto(url, wait_until="load")

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page itself ended it: it went on, or closed a stream
            self.problems.append(f"failed: {request.url} · {request.failure}")

    def look_around(self, folder: Path, name: str, *, ignore: str | None = None) -> list[str]:
        """Look at the page at both widths in both themes, and keep a screenshot of each look that is wanted or wrong.

        Args:
            folder: for screenshots, made when it is missing. With ROADBED_TEST_SCREENSHOTS set all are kept.
            name: of the page, the first part of the names of the screenshots.
            ignore: words of a problem that is expected.

        Returns:
            What is wrong, a line each. The window is as wide as before afterwards.
        """
        before, found = self.page.viewport_size, []
        for width, theme in LOOKS:
            self.page.set_viewport_size({"width": width, "height": 900})
            self.page.emulate_media(color_scheme=theme)
            faults = [f"wider than the window: {overflow} px"] if (overflow := self.find_overflow()) > 0 else []
            if (width, theme) in AXE_LOOKS:
                faults += self.find_accessibility_problems()
            self.keep_picture(folder / f"{name}-{width}-{theme}.png", is_wrong=bool(faults))
            found += [f"{width} px, {theme}: {fault}" for fault in faults]
        found += [f"icon is missing: {icon}" for icon in self.find_missing_icons()]
        if before is not None:
            self.page.set_viewport_size(before)
        return [*found, *(problem for problem in self.problems if ignore is None or ignore not in problem)]

    def keep_picture(self, path: Path, *, is_wrong: bool = False) -> None:
        """Keep a screenshot when that is wanted, or when something is wrong."""
        if is_wrong or KEEPS_SCREENSHOTS:
            self.page.screenshot(path=path, full_page=True)

    def _fit_height(self) -> None:
        """Make the window as high as the page: what a sticky bar covers by chance is not what is measured."""
        size = self.page.viewport_size
        assert size is not None
        self.page.set_viewport_size(
            {"width": size["width"], "height": int(self.page.evaluate("document.documentElement.scrollHeight"))}
        )

    def find_overflow(self) -> int:
        """How many pixels the page is wider than its window, when it has had time to follow it."""
        for _ in range(40):
            if (overflow := int(self.page.evaluate(OVERFLOW))) <= 0:
                break
            self.page.wait_for_timeout(50)
        return overflow

    def find_missing_icons(self) -> list[str]:
        """Icons that the page uses and the sprite does not have."""
        found: list[str] = self.page.evaluate(FIND_MISSING_ICONS)
        return found

    def find_accessibility_problems(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA, one line each."""
        if not AXE.is_file():
            pytest.skip("axe-core is not installed: run npm ci")
        self._fit_height()
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        result: dict[str, Any] = self.page.evaluate(
            "(rules) => axe.run(document, {runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})", RULES
        )
        return [
            f"{violation['id']}: {node['html'][:160]} · {' '.join(node['failureSummary'].split())[:240]}"
            for violation in result["violations"]
            for node in violation["nodes"]
        ]


def watch(
    browser: Browser,
    *,
    width: int = 1280,
    height: int = 900,
    theme: str = "light",
    scripts: bool = True,
    state: StorageState | None = None,
) -> WatchedPage:
    """A new page in a context of its own, in the theme of the system; `state` holds the cookies of a session."""
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        java_script_enabled=scripts,
        reduced_motion="reduce",
        storage_state=state,
    )
    return WatchedPage(context)
