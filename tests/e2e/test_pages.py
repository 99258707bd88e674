"""Every page in a real browser: the policy, the console, the width, and WCAG 2.2 AA; with a picture of each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, StorageState

from roadbed.app import MODULES
from roadbed.core.html import NAVIGATION, NavItem
from roadbed.kit.clock import now
from tests.e2e.conftest import Organisation
from tests.support import RunningServer
from tests.web.browser import WatchedPage, watch

Theme = Literal["light", "dark"]
PLACES: list[NavItem] = [
    item for module in MODULES for addition in module.adds if addition.slot is NAVIGATION for item in addition.items
]
Address = Callable[[Organisation], str]
PAGES: dict[str, Address] = {
    **{item.label.lower().replace(" ", "-"): lambda _, href=item.href: href for item in PLACES},  # type: ignore[misc]
    "entity": lambda made: made.entity("orders"),
    "entity-group": lambda made: made.entity("team-checkout", "group"),
    "entity-api": lambda made: made.entity("orders-api", "api"),
    "entity-history": lambda made: made.entity("orders") + "/history",
    "entity-source": lambda made: made.entity("orders") + "/source",
    "entity-version": lambda made: made.entity("orders") + f"/history/at?as_of={now().date()}",
    "entity-dependencies": lambda made: made.entity("orders") + "/dependencies",
    "entity-owner": lambda made: made.entity("orders") + "/owner",
    "catalog-as-of": lambda _: f"/catalog?as_of={now().date()}",
    "stale": lambda _: "/catalog/stale",
    "catalog-of-team": lambda _: "/catalog?owner=group:northmoor/team-checkout",
    "kinds": lambda _: "/catalog/kinds",
    "kind-list": lambda _: "/catalog?kind=DatabaseCluster",
    "kind-entity": lambda made: made.entity("cards-postgres", "databasecluster"),
    "kind-new": lambda _: "/catalog/kinds/new",
    "kind-form": lambda _: "/catalog/new/DatabaseCluster",
    "unowned": lambda _: "/catalog/unowned",
    "locations": lambda _: "/catalog/locations",
    "location": lambda made: f"/catalog/locations/{made.location_id}",
    "register": lambda _: "/catalog/register",
    "run-done": lambda made: f"/runs/{made.runs['done']}",
    "run-lines": lambda made: f"/runs/{made.runs['done']}?step=lines",
    "run-failed": lambda made: f"/runs/{made.runs['failed']}",
    "run-waiting": lambda made: f"/runs/{made.runs['waiting']}",
    "run-running": lambda made: f"/runs/{made.runs['running']}",
    "create-path": lambda _: "/create/default/python-fastapi",
    "search": lambda _: "/search?q=or",
    "account": lambda _: "/account",
    "tokens": lambda _: "/account/tokens",
    "new-account": lambda _: "/platform/accounts/new",
    "not-found": lambda _: "/catalog/component/northmoor/order",
}


@pytest.fixture(scope="module")
def watched(browser: Browser, signed_in: StorageState) -> Iterator[WatchedPage]:
    """One window for all pages: it has their styles and scripts already, as that of a person would."""
    watched = watch(browser, state=signed_in)
    yield watched
    watched.page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_page_keeps_the_policy_the_width_and_wcag(
    watched: WatchedPage, server: RunningServer, organisation: Organisation, screenshots: Path, name: str
) -> None:
    watched.visit(server.base_url + PAGES[name](organisation))
    expected = "the server responded with a status of 404" if name == "not-found" else None
    assert watched.look_around(screenshots, name, ignore=expected) == []
