"""The pages that change and register entities in a browser: at both widths, in both themes, without a fault."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.catalog.conftest import Place, component, group
from tests.catalog.own import Own
from tests.identity.people import Person, new_person
from tests.support import RunningServer
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

YAML = {"content-type": "application/yaml"}
FOLDER = ROOT / "test-artifacts" / "catalog"


@pytest.fixture(scope="module")
def person(server: RunningServer) -> Person:
    return new_person(server, "platform-engineer")


@pytest.fixture(scope="module")
def addresses(server: RunningServer, api: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The pages, with something on each. Made before the browser, whose loop would hold this thread."""
    place = Place(tmp_path_factory.mktemp("looks"), api, server)
    own, bare = Own(server, "edit-looks"), Own(server, "edit-looks-bare")
    words = "metadata:\n  description: Takes the orders of customers.\n"
    described = component("edit-look").replace("metadata:\n", words)
    own.commit({"catalog/shop.yaml": described + component("edit-look-bad", owner="''", lifecyle="x")})
    bare.commit({"README.md": "# Bare\n\nSends letters.\n", "package.json": '{"version": "1.2.0"}', "Dockerfile": "x"})
    place.register_target("git", f"{own.url}#main:catalog/*.yaml")
    api.post("/api/v1/entities", content=component("edit-kept") + group("edit-look-team"), headers=YAML)
    looks = {}
    for name, target in (("found", f"{own.url}#main:catalog/*.yaml"), ("generated", bare.url)):
        started = api.post("/api/v1/locations/looks", json={"target": target}).json()
        place.wait(started["run_id"])
        looks[name] = f"/catalog/register/look/{started['run_id']}"
    chosen = "&".join(f"ref={ref}" for ref in ("component:edit-kept", "component:edit-look", "group:edit-look-team"))
    return {
        **looks,
        "form": "/catalog/component/default/edit-look/edit",
        "bulk": f"/catalog/bulk?{chosen}&field=owner&value=edit-look-team",
        "list": "/catalog?q=edit-look",
    }


@pytest.fixture(scope="module")
def browser(addresses: dict[str, str]) -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def window(server: RunningServer, person: Person, browser: Browser) -> WatchedPage:
    return watch(browser).open_as(person.session, server.base_url)


@pytest.mark.parametrize("name", ["list", "bulk", "found", "generated"])
def test_page_is_sound(server: RunningServer, window: WatchedPage, addresses: dict[str, str], name: str) -> None:
    window.visit(server.base_url + addresses[name])
    assert window.look_around(FOLDER, name) == []


def test_review_is_reached_and_sound(server: RunningServer, window: WatchedPage, addresses: dict[str, str]) -> None:
    window.visit(server.base_url + addresses["form"])
    assert window.look_around(FOLDER, "form") == []
    window.page.get_by_label("Lifecycle").fill("deprecated")
    window.page.get_by_role("button", name="Review change").click()
    window.page.get_by_role("button", name="Open change request").wait_for()
    assert window.look_around(FOLDER, "review") == []
