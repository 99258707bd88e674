"""The pages of resources in a browser: at both widths, in both themes, without a fault."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.identity.people import Person, new_name, new_person
from tests.provisioning.conftest import Yard
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch


@pytest.fixture(scope="module")
def person(yard: Yard) -> Person:
    return new_person(yard.server, "platform-engineer")


@pytest.fixture(scope="module")
def addresses(yard: Yard, person: Person) -> dict[str, str]:
    """The pages, with something on each. Made before the browser, whose loop would hold this thread."""
    application = new_name("looks")
    yard.put(
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {application}}}\n"
        "spec: {type: service, lifecycle: production, owner: checkout}\n"
    )
    resource = yard.make(f"component:default/{application}")
    return {
        "list": "/resources",
        "ask": "/resources/ask?type=postgres",
        "asked": f"/resources/ask?type=postgres&application=component:{application}&id=db&class=medium",
        "resource": f"/resources/{resource['id']}",
        "entity": f"/catalog/component/default/{application}",
        "run": f"/runs/{resource['run_id']}",
    }


@pytest.fixture(scope="module")
def browser(addresses: dict[str, str]) -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def window(yard: Yard, person: Person, browser: Browser) -> WatchedPage:
    return watch(browser).open_as(person.session, yard.server.base_url)


@pytest.mark.parametrize("name", ["list", "ask", "asked", "resource", "entity", "run"])
def test_page_is_sound(yard: Yard, window: WatchedPage, addresses: dict[str, str], name: str) -> None:
    window.visit(yard.server.base_url + addresses[name])
    assert window.look_around(ROOT / "test-artifacts" / "provisioning", name) == []
