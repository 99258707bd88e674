"""One browser and one server of sample pages for the tests of the pages."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.web import style_page
from tests.web.browser import ROOT, launch_browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium. For one module: while it runs, Playwright's loop holds this thread, and async tests cannot."""
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="session")
def style_url() -> Iterator[str]:
    """The style page and the error pages, under the product's policy."""
    samples = style_page.make_samples()
    nearest = [{"label": "orders", "href": "#", "icon": "box", "meta": "Service · Team Checkout"}]
    pages: style_page.Pages = {
        "/components": style_page.render("web/shell/components.html", **samples),
        "/light": style_page.render("web/shell/components.html", theme="light", **samples),
        "/dark": style_page.render("web/shell/components.html", theme="dark", **samples),
        "/404": style_page.render(
            "web/shell/error.html",
            status=404,
            title="There is no component:default/order",
            message="Nothing has that name.",
            nearest=nearest,
        ),
        "/401": style_page.render(
            "web/shell/error.html",
            is_signed_in=False,
            status=401,
            title="Sign in to go on",
            message="Roadbed must know you.",
        ),
        "/home": style_page.render("web/home.html", **style_page.make_empty_home()),
        "/search": style_page.render_found(),
    }
    with style_page.serve(pages) as url:
        yield url


@pytest.fixture(scope="session")
def screenshots() -> Path:
    """Where screenshots are kept for people to look at."""
    folder = Path(os.environ.get("ROADBED_TEST_ARTIFACTS", ROOT / "test-artifacts")) / "web"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
