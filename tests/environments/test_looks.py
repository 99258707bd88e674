"""The pages of environments in a browser: at both widths, in both themes, without a fault; and what they do."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.environments.conftest import Stage, score_of
from tests.identity.people import Person, new_person
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

PAGES = ("list", "environment", "stopped", "empty", "log", "compare", "entity")


@pytest.fixture(scope="module")
def person(stage: Stage) -> Person:
    return new_person(stage.server, "admin")


@pytest.fixture(scope="module")
def addresses(stage: Stage) -> dict[str, str]:
    """The pages, with something on each. Made before the browser, whose loop would hold this thread."""
    component, stopped = stage.component(), stage.component()
    name, other = (one.rpartition("/")[2] for one in (component, stopped))
    for version in ("3.3.9", "3.4.0"):
        score = score_of(component, GREETING=f"hello {version}", LOG_LEVEL="info")
        stage.deploy(component, stage.artifact(version), score=score)
        if version == "3.3.9":
            stage.deploy(component, stage.artifact(version), "staging", score=score)
    stage.deploy(stopped, stage.artifact("1.0.0"))
    run = stage.api.post(f"/api/v1/environments/{other}/development/workloads/{other}/stop").json()
    stage.ends(run["run_id"])
    return {
        "list": "/environments",
        "environment": f"/environments/{name}/development",
        "stopped": f"/environments/{other}/development",
        "empty": f"/environments/{name}/production",
        "log": f"/environments/{name}/development/workloads/{name}/log",
        "compare": f"/environments/{name}/staging/compare/development",
        "entity": f"/catalog/component/default/{name}",
    }


@pytest.fixture(scope="module")
def browser(addresses: dict[str, str]) -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def window(stage: Stage, person: Person, browser: Browser) -> WatchedPage:
    return watch(browser).open_as(person.session, stage.server.base_url)


@pytest.mark.parametrize("name", PAGES)
def test_page_is_sound(stage: Stage, window: WatchedPage, addresses: dict[str, str], name: str) -> None:
    window.visit(stage.server.base_url + addresses[name])
    assert window.look_around(ROOT / "test-artifacts" / "environments", name) == []


def test_log_goes_on_by_itself(stage: Stage, browser: Browser, addresses: dict[str, str], person: Person) -> None:
    watched = watch(browser).open_as(person.session, stage.server.base_url + addresses["log"])
    name = addresses["log"].split("/")[2]
    host = {"Host": f"{name}.development.{name}.localhost"}
    assert stage.api.get("/asked-while-somebody-looks", headers=host).status_code == 200
    watched.page.get_by_text("asked for /asked-while-somebody-looks").wait_for()
    assert watched.problems == []
    watched.page.context.close()


def test_workload_is_stopped_and_started_from_the_page(
    stage: Stage, browser: Browser, addresses: dict[str, str], person: Person
) -> None:
    url = stage.server.base_url + addresses["environment"]
    page = watch(browser).open_as(person.session, url).page
    page.get_by_role("button", name="Stop…").click()
    page.get_by_role("button", name="Stop workload").click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("It stays stopped until").first.wait_for()
    page.goto(url)
    assert page.get_by_text("Version 3.4.0 was stopped.").is_visible()
    page.get_by_role("button", name="Start").click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("answered 200").first.wait_for()
    page.goto(url)
    assert page.get_by_role("button", name="Restart").is_visible()
    page.context.close()
