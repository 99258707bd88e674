"""The main job in a browser: sign in, create a service, watch the run, open the service's own address."""

import os
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.main_job.support import Installation
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

pytestmark = pytest.mark.slow

NEW_PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept for people to look at."""
    folder = Path(os.environ.get("ROADBED_TEST_ARTIFACTS", ROOT / "test-artifacts")) / "main-job"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_person_creates_a_service_and_opens_it(made: Installation, pictures: Path) -> None:
    with launch_browser() as browser:
        watched = watch(browser)
        page = watched.page
        page.set_default_timeout(20_000)
        sign_in(page, made)
        picture(watched, pictures / "1-home")
        create(watched, made, pictures)
        expect(page.get_by_role("link", name="Open shop-window")).to_be_visible()
        picture(watched, pictures / "4-run")
        page.get_by_role("link", name="Open shop-window").click()
        expect(page.get_by_role("heading", name=re.compile("^shop-window"))).to_be_visible()
        expect(page.get_by_text("Healthy").first).to_be_visible()
        picture(watched, pictures / "5-entity")
        page.goto(f"{made.roadbed.url}/environments/shop-window/development")
        picture(watched, pictures / "6-environment")
        page.locator("a[href*='shop-window.development.']").first.click()
        expect(page.get_by_text("Welcome from shop-window")).to_be_visible()
        assert page.url.startswith("http://shop-window.development.shop-window.localhost:")
        picture(watched, pictures / "7-service")
        assert watched.problems == []
        page.context.close()


def sign_in(page: Page, made: Installation) -> None:
    """Sign in with the password that the first start printed, and choose another."""
    found = re.search(r"Sign in as (\S+) with the password (\S+)", made.roadbed.output)
    assert found is not None
    page.goto(made.roadbed.url)
    page.get_by_label("Name").fill(found.group(1))
    page.get_by_label("Password").fill(found.group(2))
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("New password again").fill(NEW_PASSWORD)
    page.get_by_role("button", name="password").click()
    page.wait_for_url(f"{made.roadbed.url}/")


def create(watched: WatchedPage, made: Installation, pictures: Path) -> None:
    """Press Create, choose the path, answer, review, and wait on the run's page until it is done."""
    page = watched.page
    page.get_by_role("link", name="Create").first.click()
    page.get_by_role("link", name="Small service").first.click()
    page.get_by_label("Name").fill("shop-window")
    page.get_by_label("Owner").select_option("group:default/makers")
    page.get_by_label("Greeting").fill("Welcome")
    picture(watched, pictures / "2-questions")
    page.get_by_role("button", name="Review").click()
    page.wait_for_url("**/review?draft=*")
    picture(watched, pictures / "3-review")
    page.get_by_role("button", name="Create service").click()
    page.wait_for_url("**/runs/*")
    run = made.ends(page.url.rpartition("/")[2])
    assert run["state"] == "succeeded", run["error"]


def picture(watched: WatchedPage, name: Path) -> None:
    page = watched.page
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=name.with_name(f"{name.name}-{width}.png"), full_page=True)
        assert watched.find_overflow() <= 0, f"{name.name}, {width} px"
    page.set_viewport_size({"width": 1280, "height": 900})
