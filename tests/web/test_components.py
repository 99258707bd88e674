"""The style page in a real browser: the policy, the width, the theme, accessibility, and what scripts add."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.web import style_page
from tests.web.browser import WatchedPage, watch


def open_page(
    browser: Browser, url: str, *, width: int = 1280, theme: str = "light", scripts: bool = True
) -> WatchedPage:
    watched = watch(browser, width=width, theme=theme, scripts=scripts)
    watched.page.goto(url, wait_until="load")
    return watched


@pytest.mark.parametrize("path", ["/components", "/404", "/401", "/home"])
def test_page_keeps_the_policy_the_width_and_wcag(
    browser: Browser, style_url: str, screenshots: Path, path: str
) -> None:
    watched = open_page(browser, style_url + path)
    assert watched.look_around(screenshots, path.strip("/")) == []
    watched.page.context.close()


def test_theme_of_the_cookie_wins_over_the_system(browser: Browser, style_url: str) -> None:
    watched = open_page(browser, style_url + "/light", theme="dark")
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 246, 243)"
    watched = open_page(browser, style_url + "/dark", theme="light")
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 25, 27)"
    assert watched.find_accessibility_problems() == []


def test_theme_is_chosen_in_the_menu_and_remembered(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components").page
    page.get_by_label("You, Ada").click()
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    assert [cookie["value"] for cookie in page.context.cookies()] == ["dark"]
    page.get_by_role("button", name="System").click()
    assert page.context.cookies() == []


def test_page_reads_without_scripts(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components", width=360, scripts=False).page
    expect(page.get_by_role("heading", name="Components")).to_be_visible()
    expect(page.get_by_role("button", name="Copy")).to_have_count(0)
    page.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("link", name="Catalog", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("summary", has_text="Actions").click()
    expect(page.get_by_role("link", name="Deploy…")).to_be_visible()


def test_slash_opens_the_palette_and_arrows_choose(browser: Browser, style_url: str) -> None:
    watched = open_page(browser, style_url + "/components")
    page = watched.page
    page.locator("main").focus()
    page.keyboard.press("/")
    page.get_by_role("combobox", name="Search or jump to").fill("ref")
    results = page.locator("#palette-results")
    expect(results.get_by_role("option").first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowDown")
    expect(results.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    assert watched.find_accessibility_problems() == []
    page.keyboard.press("Enter")
    page.wait_for_url("**/404")
    assert watched.problems == []


def test_question_mark_lists_the_keys_and_they_can_be_turned_off(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components").page
    page.locator("main").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    dialog.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()


def test_destructive_button_waits_for_the_name(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components").page
    page.get_by_role("button", name="Cancel and undo…").click()
    dialog = page.get_by_role("dialog", name="Cancel and undo Create returns")
    button = dialog.get_by_role("button", name="Cancel and undo", exact=True)
    expect(button).to_be_disabled()
    dialog.get_by_label("Type returns to confirm").fill("returns")
    expect(button).to_be_enabled()
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()


def test_log_lines_are_selected_by_keys_and_linked(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components").page
    page.locator("#L31").click()
    page.keyboard.press("Shift+ArrowDown")
    assert page.url.endswith("#L31-32")
    expect(page.locator("[data-log-range]")).to_have_text("Lines 31 to 32")
    page.get_by_label("Search in the log").fill("quota")
    expect(page.locator("[data-log-found]")).to_have_text("1 of 2")


def test_linked_log_lines_are_selected_on_arrival(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components#L35-36").page
    expect(page.locator("[data-log-lines] [aria-selected=true]")).to_have_count(2)


def test_suggestion_fills_the_field_and_a_list_grows(browser: Browser, style_url: str) -> None:
    page = open_page(browser, style_url + "/components").page
    page.get_by_role("button", name="Use refunds_db").click()
    expect(page.locator("#f-name")).to_have_value("refunds_db")
    page.get_by_role("button", name="Add another").click()
    expect(page.get_by_label("Tags, 3", exact=True)).to_be_focused()


def test_a_secret_is_never_written_into_the_page() -> None:
    assert "do-not-show" not in style_page.render("web/shell/components.html", **style_page.make_samples())


def test_strings_in_macros_are_escaped() -> None:
    page = style_page.render("web/shell/error.html", status=404, title="<b>x</b>", message="<script>alert(1)</script>")
    assert "<script>alert" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
