"""Creating a service in a real browser: by keyboard alone, and each page of it at both widths in both themes."""

import secrets
from pathlib import Path

from playwright.sync_api import Browser, Page, StorageState, expect

from tests.goldenpaths.conftest import Paths
from tests.support import RunningServer
from tests.web.browser import WatchedPage, watch


def test_service_is_created_by_keyboard_alone(
    browser: Browser, server: RunningServer, signed_in: StorageState, screenshots: Path
) -> None:
    paths = Paths(server, f"by-keyboard-{secrets.token_hex(3)}")
    paths.publish_folder("service")
    watched = watch(browser, state=signed_in)
    page = watched.page
    page.goto(server.base_url + f"/create/default/{paths.name}")
    _check(watched, screenshots / "create-questions")

    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("By Keyboard")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Use by-keyboard")).to_be_visible()
    expect(page.get_by_label("Owner")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name")).to_have_value("by-keyboard")
    expect(page.get_by_role("button", name="Use by-keyboard")).to_be_hidden()
    page.keyboard.press("Tab")
    _choose(page)
    page.keyboard.press("Tab")
    _tab_to(page, "Next")
    page.keyboard.press("Enter")

    page.wait_for_url("**page=2")
    _tab_to(page, "Extras")
    page.keyboard.press("Space")
    expect(page.get_by_label("Size")).to_be_visible()
    expect(page.get_by_label("Extras")).to_be_focused()
    _check(watched, screenshots / "create-more-questions")
    page.keyboard.press("Enter")

    page.wait_for_url("**/review?draft=*")
    expect(page.get_by_text("by-keyboard, ")).to_be_visible()
    _check(watched, screenshots / "create-review")
    _tab_to(page, "Create service")
    page.keyboard.press("Enter")

    page.wait_for_url("**/runs/*")
    run = paths.wait(page.url.rpartition("/")[2])
    assert run["state"] == "succeeded", run["error"]
    page.reload()
    expect(page.get_by_role("link", name="Open by-keyboard")).to_be_visible()
    _check(watched, screenshots / "create-run")
    page.context.close()


def _choose(page: Page) -> None:
    """Answer who owns it, in a list or, in a catalog without any owner, in a text."""
    if page.evaluate("document.activeElement.tagName") == "SELECT":
        page.keyboard.press("ArrowDown")
    else:
        page.keyboard.type("group:default/keyboard")


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until what has this name is focused."""
    for _ in range(100):
        page.keyboard.press("Tab")
        words = "element => element.innerText || [...(element.labels ?? [])].map(label => label.innerText).join()"
        if page.evaluate(f"({words})(document.activeElement)").strip() == name:
            return
    raise AssertionError(f"{name} is not reached by Tab")


def _check(watched: WatchedPage, picture: Path) -> None:
    assert watched.look_around(picture.parent, picture.name) == []
