"""The pages around locations in a browser: at both widths, in both themes, without a fault."""

from playwright.sync_api import Page

from tests.catalog.conftest import Place, component
from tests.integrations.github.host import Host
from tests.integrations.github.test_location import acme, host, register
from tests.web.browser import ROOT, launch_browser, watch

__all__ = ["acme", "host"]


def test_pages_of_locations_are_sound(acme: Place, host: Host, other_place: Place) -> None:
    register(acme, host)
    other_place.write(a=component("gh-orders"))
    other_place.register()
    found = {}
    with launch_browser() as browser:
        watched = watch(browser)
        token = acme.server.token()
        watched.page.set_extra_http_headers({"Authorization": f"Bearer {token}"})
        for name, address in (
            ("location", f"/catalog/locations/{acme.id}"),
            ("settings", f"/catalog/locations/{acme.id}/settings"),
            ("register-github", "/catalog/register/github"),
            ("register", "/catalog/register"),
            ("locations", "/catalog/locations"),
        ):
            watched.page.goto(acme.server.base_url + address)
            found[name] = watched.look_around(ROOT / "test-artifacts" / "locations", name)
        save_settings(watched.page, acme)
    assert found == {name: [] for name in found}
    assert acme.location()["interval_seconds"] == 600
    other_place.api.delete(f"/api/v1/locations/{other_place.id}")  # its name is that of tests on the same server


def save_settings(page: Page, acme: Place) -> None:
    """Change a setting as a person does."""
    page.goto(f"{acme.server.base_url}/catalog/locations/{acme.id}")
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Look every").fill("600")
    page.get_by_role("button", name="Save settings").click()
    page.get_by_text("10 min", exact=True).wait_for()
    acme.wait(acme.location()["run_id"])
