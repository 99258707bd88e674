"""The pages of approvals in a browser: at both widths, in both themes, without a fault."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.approvals.conftest import Office, decide
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def addresses(office: Office) -> dict[str, str]:
    """The pages, with something on each."""
    run_id = office.start(detail="Version 3.3.9 becomes 3.4.0, with 4 commits.", expires_in_hours=48)
    approval = office.waits(run_id)
    done = office.waits(office.start())
    decide(office.bob, done, "reject", "Staging is degraded since noon.")
    return {
        "inbox": "/approvals",
        "decided": "/approvals?view=decided",
        "approval": f"/approvals/{approval['id']}",
        "rejected": f"/approvals/{done['id']}",
        "run": f"/runs/{run_id}",
    }


@pytest.fixture(scope="module")
def window(office: Office, browser: Browser) -> WatchedPage:
    return watch(browser).open_as(office.bob.session, office.server.base_url)


@pytest.mark.parametrize("name", ["inbox", "decided", "approval", "rejected", "run"])
def test_page_is_sound(office: Office, window: WatchedPage, addresses: dict[str, str], name: str) -> None:
    window.visit(office.server.base_url + addresses[name])
    assert window.look_around(ROOT / "test-artifacts" / "approvals", name) == []


def test_decision_on_the_run_page_moves_the_run_on(office: Office, browser: Browser) -> None:
    run_id = office.start()
    office.waits(run_id)
    url = f"{office.server.base_url}/runs/{run_id}"
    watched = watch(browser).open_as(office.bob.session, url)
    watched.page.get_by_label("Note, kept in the audit log").fill("Looks good")
    watched.page.get_by_role("button", name="Approve").click()
    assert office.ends(run_id)["state"] == "succeeded"
    watched.page.get_by_text("Approved by").first.wait_for()
    watched.page.context.close()
