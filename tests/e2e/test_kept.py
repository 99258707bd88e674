"""What a person keeps, in a real browser: columns, a view, a star, and what they looked at last."""

from pathlib import Path

from playwright.sync_api import Browser, StorageState, expect

from tests.e2e.conftest import Organisation
from tests.support import RunningServer
from tests.web.browser import watch

WIDE = (
    "kind=Component&columns=owner,system,type,lifecycle,health,tags,description,ref,updated_at,annotation:x.example/a"
)


def test_list_is_arranged_saved_and_followed_from(
    browser: Browser, server: RunningServer, organisation: Organisation, signed_in: StorageState, screenshots: Path
) -> None:
    watched = watch(browser, state=signed_in)
    page = watched.page
    page.goto(f"{server.base_url}/catalog?owner=group:northmoor/team-checkout")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_label("System", exact=True).uncheck()
    page.get_by_label("Ref", exact=True).check()
    assert watched.look_around(screenshots, "list-columns-open") == []
    page.get_by_role("button", name="Show these columns").click()
    expect(page.get_by_role("columnheader", name="Ref")).to_be_visible()
    expect(page.get_by_role("columnheader", name="System")).to_have_count(0)

    page.get_by_text("Save this view").click()
    page.get_by_label("Name", exact=True).fill("Checkout by ref")
    page.get_by_role("button", name="Save view").click()
    expect(page.locator(".views [aria-current]")).to_contain_text("Checkout by ref")

    row = page.get_by_role("row").filter(has_text="component:northmoor/orders")
    row.hover()
    row.get_by_role("button", name="Follow orders").click()
    expect(row.get_by_role("button", name="Follow orders")).to_have_attribute("aria-pressed", "true")
    page.goto(f"{server.base_url}/catalog?{WIDE}")
    assert watched.look_around(screenshots, "list-wide") == []
    page.goto(f"{server.base_url}/catalog/views")
    assert watched.look_around(screenshots, "views") == []
    page.get_by_role("button", name="Delete Checkout by ref").click()
    expect(page.get_by_role("button", name="Restore Checkout by ref")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("The view is there again")).to_be_visible()

    page.goto(server.base_url + organisation.entity("cart"))
    expect(page.get_by_role("button", name="Follow", exact=True)).to_have_attribute("aria-pressed", "false")
    page.goto(server.base_url + "/")
    expect(page.get_by_role("region", name="Followed")).to_contain_text("Degraded")
    page.keyboard.press("/")
    last = page.locator("#palette-results").get_by_role("option").first
    expect(last).to_contain_text("cart")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{organisation.entity('cart')}")
    page.context.close()
