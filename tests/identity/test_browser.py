"""The pages of identity in a real browser: signing in, and each page wide and narrow, light and dark."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.identity.people import PASSWORD, create_account, new_name, new_person
from tests.support import RunningServer
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

PAGES = {
    "account": "/account",
    "password": "/account/password",
    "tokens": "/account/tokens",
    "accounts": "/platform/accounts",
    "new-account": "/platform/accounts/new",
    "program": "/platform/accounts/local-admin",
    "roles": "/platform/roles",
    "role": "/platform/roles/developer",
    "role-admin": "/platform/roles/admin",
    "new-role": "/platform/roles/new",
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def screenshots() -> Path:
    folder = Path(os.environ.get("ROADBED_TEST_ARTIFACTS", ROOT / "test-artifacts")) / "identity"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def check(watched: WatchedPage, path: Path) -> None:
    """Keep a screenshot and fail on whatever is wrong with the page."""
    assert watched.find_overflow() <= 0, watched.page.url
    assert watched.find_missing_icons() == [], watched.page.url
    assert watched.find_accessibility_problems() == [], watched.page.url
    watched.keep_picture(path)
    assert watched.problems == [], watched.page.url


def test_person_signs_in_chooses_a_password_and_makes_a_token(
    server: RunningServer, browser: Browser, screenshots: Path
) -> None:
    account = create_account(server, name=new_name("ada"), roles=["developer"])
    watched = watch(browser)
    page = watched.page
    page.goto(f"{server.base_url}/account/tokens")
    page.get_by_label("Name").fill(account["name"])
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("The name or the password is not right.")).to_be_visible()
    watched.problems.clear()  # the browser notes the answer 401
    page.get_by_label("Password").fill(account["one_time_password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Choose a password")).to_be_visible()
    check(watched, screenshots / "choose-password.png")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page).to_have_url(f"{server.base_url}/account/tokens")
    page.get_by_label("Name").fill("laptop")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#token-value")).to_have_text(re.compile(r"^rbt_\w{46}$"))
    check(watched, screenshots / "token-created.png")
    page.get_by_role("button", name="Revoke…").click()
    check(watched, screenshots / "token-revoke.png")
    page.get_by_role("button", name="Revoke token").click()
    expect(page.get_by_text("No tokens yet")).to_be_visible()
    page.get_by_label(f"You, {account['name']}").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{server.base_url}/sign-in")
    assert watched.problems == []


def test_pages_are_sound(server: RunningServer, browser: Browser, screenshots: Path) -> None:
    watched = watch(browser)
    page = watched.page
    page.goto(f"{server.base_url}/sign-in?next=/account")
    assert watched.look_around(screenshots, "sign-in") == []
    person = new_person(server, "admin")
    page.get_by_label("Name").fill(person.name)
    page.get_by_label("Password").fill(person.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.base_url}/account")
    for name, path in PAGES.items():
        page.goto(server.base_url + path)
        assert watched.look_around(screenshots, name) == []
