"""The graph of dependencies in a browser: explored with keys and exported, and read without scripts."""

from pathlib import Path

from playwright.sync_api import Browser, StorageState

from tests.e2e.conftest import Organisation
from tests.support import RunningServer
from tests.web.browser import watch


def test_graph_is_explored_with_keys_and_exported(
    browser: Browser, server: RunningServer, organisation: Organisation, signed_in: StorageState, screenshots: Path
) -> None:
    watched = watch(browser, state=signed_in)
    page = watched.page
    page.goto(server.base_url + organisation.entity("orders") + "/dependencies")
    canvas = page.get_by_role("application")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**/dependencies?selected=*")
    assert page.locator("#chosen-title").inner_text() != "orders"
    assert "shown here" in (page.locator("#graph-said").text_content() or "")
    watched.keep_picture(screenshots / "graph-chosen.png")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="PNG, as it is shown").click()
    assert download.value.path().read_bytes().startswith(b"\x89PNG")
    canvas.focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "/dependencies" not in page.url
    assert watched.problems == []
    page.context.close()


def test_graph_is_read_without_scripts(
    browser: Browser, server: RunningServer, organisation: Organisation, signed_in: StorageState
) -> None:
    watched = watch(browser, state=signed_in, scripts=False)
    page = watched.page
    page.goto(server.base_url + organisation.entity("orders") + "/dependencies")
    assert page.locator("svg.graph .node").count() > 1
    page.locator("svg.graph .node").last.click()
    assert page.locator("#chosen-title").inner_text() == page.locator("svg.graph .node[aria-current]").get_attribute(
        "data-title"
    )
    page.context.close()
