"""The main job with the keyboard alone: sign in, create a service, watch its run, jump, decide on production."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.main_job.conftest import installation
from tests.main_job.support import Installation
from tests.waiting import wait_for
from tests.web.browser import launch_browser, watch

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery staple"
FARTHEST = 80
FOCUS = """() => {
    const element = document.activeElement;
    if (!element || element === document.body) return null;
    const box = element.getBoundingClientRect();
    const style = getComputedStyle(element);
    const label = element.labels?.length ? element.labels[0] : element;
    const name = element.getAttribute("aria-label") || label.innerText;
    return {
        name: (name || "").trim().replace(/\\s+/g, " "),
        isOutlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
        isInWindow: box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
        isMarked: element.matches(":focus-visible"),
        inDialog: element.closest("dialog[open]")?.id ?? null,
    };
}"""


class Keyboard:
    """A person without a mouse. Each thing that takes the focus on the way must be seen to have it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.met: list[str] = []

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def focus(self) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.page.evaluate(FOCUS)
        return found

    def tab(self) -> str:
        """Go one on; returns the name of what has the focus then, nothing at the end of the page."""
        self.press("Tab")
        found = self.focus()
        if found is None:
            return ""
        assert found["isMarked"], f"{found['name']!r} has the focus, and nobody sees it"
        assert found["isOutlined"], f"{found['name']!r} has the focus, and nobody sees it"
        assert found["isInWindow"], f"{found['name']!r} has the focus outside of the window"
        name: str = found["name"]
        return name

    def walk_to(self, pattern: str) -> list[str]:
        """Go on to what has a name; returns the names on the way."""
        self.met = []
        for _ in range(FARTHEST):
            self.met.append(self.tab())
            if re.fullmatch(pattern, self.met[-1]):
                return self.met
        raise AssertionError(f"{pattern} is not reached; the way is {self.met}")

    def open(self, pattern: str, address: str) -> None:
        """Go on to a link or button, and press it."""
        self.walk_to(pattern)
        self.press("Enter")
        self.page.wait_for_url(re.compile(address))
        self.page.wait_for_load_state()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("made")) as found:
        yield found


def test_main_job_is_done_with_the_keyboard_alone(made: Installation) -> None:
    with launch_browser() as browser:
        watched = watch(browser)
        watched.page.set_default_timeout(20_000)
        keyboard = Keyboard(watched.page)
        sign_in(keyboard, made)
        run_id = create(keyboard)
        look_at_the_run(keyboard, made, run_id)
        jump(keyboard)
        approve(keyboard, made)
        assert watched.problems == []
        watched.page.context.close()


def sign_in(keyboard: Keyboard, made: Installation) -> None:
    found = re.search(r"Sign in as (\S+) with the password (\S+)", made.roadbed.output)
    assert found is not None
    page = keyboard.page
    page.goto(made.roadbed.url)
    assert keyboard.focus() is not None, "one can type the name at once"
    keyboard.type(found.group(1))
    assert keyboard.walk_to("Sign in") == ["Password", "Sign in"]
    keyboard.press("Shift+Tab")
    keyboard.type(found.group(2))
    keyboard.press("Enter")
    page.wait_for_url("**/sign-in/password")
    keyboard.type(PASSWORD)
    keyboard.tab()
    keyboard.type(PASSWORD)
    keyboard.press("Enter")
    page.wait_for_url(f"{made.roadbed.url}/")
    assert keyboard.tab() == "Skip to content"
    keyboard.press("Enter")
    assert keyboard.tab() not in ("Roadbed", "Home"), "the places are skipped"


def create(keyboard: Keyboard) -> str:
    """Choose the path, answer, review, start; returns the run."""
    page = keyboard.page
    page.reload()
    keyboard.open("Create", "/create$")
    keyboard.open("Create Small service|Small service", "/create/default/small-service")
    if (keyboard.focus() or {"name": ""})["name"] != "Name":
        keyboard.walk_to("Name")
    keyboard.type("by-hand")
    assert keyboard.walk_to("Review") == ["Owner", "Greeting optional", "Fault optional", "Review"]
    for _ in range(3):
        keyboard.press("Shift+Tab")
    keyboard.type("makers")
    expect(page.get_by_label("Owner")).to_have_value("group:default/makers")
    keyboard.open("Review", "/review")
    keyboard.open("Create service", "/runs/")
    return page.url.rpartition("/")[2]


def look_at_the_run(keyboard: Keyboard, made: Installation, run_id: str) -> None:
    """Watch it, choose the log of another step, and open and leave the question whether to undo it."""
    page = keyboard.page
    assert made.ends(run_id)["state"] == "succeeded"
    expect(page.get_by_role("button", name="Undo…")).to_be_visible()
    page.reload()
    keyboard.open("Done Render the service.*", "step=")
    keyboard.walk_to("Undo…")
    keyboard.press("Enter")
    expect(page.locator("dialog[open]")).to_be_visible()
    names = [keyboard.tab() for _ in range(4)]
    assert {"Leave it", "Undo what it made"} <= set(names), names
    assert (keyboard.focus() or {"inDialog": "cancel"})["inDialog"] == "cancel", "the focus stays in the question"
    keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert (keyboard.focus() or {})["name"] == "Undo…", "the focus is where it was"


def jump(keyboard: Keyboard) -> None:
    """Open the palette, leave it, open it again, and go to the service."""
    page = keyboard.page
    palette = page.locator("#palette")
    keyboard.press("/")
    expect(palette).to_be_visible()
    keyboard.press("Escape")
    expect(palette).to_be_hidden()
    assert (keyboard.focus() or {})["name"] == "Undo…", "the focus is where it was"
    keyboard.press("/")
    keyboard.type("by-hand")
    expect(palette.get_by_role("option").first).to_be_visible()
    keyboard.press("ArrowDown")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    page.wait_for_url("**/catalog/component/default/by-hand")
    page.wait_for_load_state()


def approve(keyboard: Keyboard, made: Installation) -> None:
    """Go to the approvals, read what is decided, and let production have it."""
    page = keyboard.page
    (asked,) = wait_for(lambda: made.get("/api/v1/approvals", state="waiting")["items"], what="the question")
    page.reload()
    keyboard.open("Approvals.*", "/approvals$")
    keyboard.open("Deploy by-hand .* to production", f"/approvals/{asked['id']}$")
    decided = page.get_by_role("region", name="What is decided")
    expect(decided).to_contain_text("Health in staging")
    expect(decided).to_contain_text("2 passed")
    keyboard.walk_to("Note.*")
    keyboard.type("Seen on staging")
    assert keyboard.tab() == "Approve"
    keyboard.press("Enter")
    expect(page.get_by_text("Approved", exact=False).first).to_be_visible()
    assert made.ends(asked["run_id"])["state"] == "succeeded"
