"""Pages of groups and people, and the lists of what needs an owner or is stale, each with the way to mend it."""

import httpx
import pytest

from roadbed.approvals.contract import ApprovalWish, ask_approval
from roadbed.catalog.contract import Health, StatusReport, report_status
from roadbed.core.actor import system_actor
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import Place, component, group
from tests.catalog.test_graph import get
from tests.catalog.test_pages import HTML, page
from tests.support import RunningServer

YAML = {"content-type": "application/yaml"}


def put(api: httpx.Client, text: str) -> None:
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text


@pytest.fixture(scope="module")
def owners(api: httpx.Client, server: RunningServer) -> httpx.Client:
    ines = component("o-ines", memberOf="[o-child]", profile="{email: ines@example.com}").replace("Component", "User")
    put(
        api,
        group("o-top", children="[o-child]", profile="{displayName: Top, email: top@example.com}")
        + group("o-child", parent="o-top", children="[o-top]", members="[o-nobody]")
        + component("o-direct", owner="o-top")
        + component("o-below", owner="o-child")
        + component("o-hers", owner="user:o-ines")
        + ines,
    )

    async def prepare() -> None:
        async with server.database.write() as session:
            status = StatusReport(key="health", state=Health.FAILING, summary="down", source="tests")
            await report_status(session, parse_ref("component:o-below"), status)
            wish = ApprovalWish("o-key", "Deploy o-direct to production", "component:default/o-direct", ("o-top",))
            await ask_approval(session, system_actor("tests"), wish)

    server.run(prepare())
    return api


def test_group_page_shows_everything_it_owns_and_who_is_in_it(owners: httpx.Client) -> None:
    text = page(owners, "/catalog/group/default/o-top")
    assert "1 directly" in text
    assert "1 through 1 group below" in text
    assert "1 failing" in text
    assert text.index('href="/catalog/component/default/o-below"') < text.index(
        'href="/catalog/component/default/o-direct"'
    ), "what fails stands first"
    assert 'href="/catalog?owner=group:default/o-top&amp;inherited=true"' in text
    assert "Deploy o-direct to production" in text
    assert "mailto:top@example.com" in text
    assert "o-ines" in text
    assert "2 groups are, through their parents, above themselves" in text


def test_person_page_shows_what_is_theirs(owners: httpx.Client) -> None:
    text = page(owners, "/catalog/user/default/o-ines")
    assert 'href="/catalog/component/default/o-hers"' in text
    assert "mailto:ines@example.com" in text
    assert 'href="/catalog/group/default/o-child"' in text
    empty = component("o-empty", memberOf="[]").replace("Component", "User")
    put(owners, empty)
    assert "Owns nothing yet" in page(owners, "/catalog/user/default/o-empty")


def test_entity_without_an_owner_gets_one(owners: httpx.Client) -> None:
    put(owners, component("o-lost", owner="o-ghost"))
    assert 'href="/catalog/component/default/o-lost/owner"' in page(owners, "/catalog/unowned?q=o-lost")
    path = "/catalog/component/default/o-lost/owner"
    etag = get(owners, "component:default/o-lost")["etag"]
    wrong = owners.post(path, data={"owner": "o-tpo", "etag": etag}, headers=HTML)
    assert wrong.status_code == 422
    assert "Did you mean group:default/o-top?" in wrong.text
    assert owners.post(path, data={"owner": "component:o-lost", "etag": etag}, headers=HTML).status_code == 422
    assert owners.post(path, data={"owner": "o-top", "etag": "old"}, headers=HTML).status_code == 412
    assert owners.post(path, data={"owner": "o-top", "etag": etag}, headers=HTML).status_code == 303
    assert get(owners, "component:default/o-lost")["owner"] == "group:default/o-top"
    owners.delete("/api/v1/entities/component/default/o-lost")  # others count what the group owns


def test_what_is_read_from_a_location_says_where_its_owner_is_set(place: Place) -> None:
    place.write(a=component("o-read", owner="o-ghost"))
    place.register()
    assert 'href="/catalog/component/default/o-read/edit"' in page(place.api, "/catalog/unowned?q=o-read")
    text = page(place.api, "/catalog/component/default/o-read/owner")
    assert "is read from a.yaml, line 2, so it is changed there." in text
    assert "Set owner" not in text


def test_stale_list_says_why_and_where_to_mend_it(place: Place, other_place: Place) -> None:
    place.write(a=component("stale-gone") + component("stale-stays"), b=component("stale-faulty"))
    place.register()
    place.write(a=component("stale-stays"), b=component("stale-faulty", owner="''"))
    place.refresh()
    other_place.write(a=component("stale-unread"))
    other_place.register()
    (other_place.folder / "a.yaml").unlink()
    other_place.folder.rmdir()
    other_place.refresh()
    listed = place.api.get("/api/v1/entities", params={"stale": True, "q": "stale-"}).json()["items"]
    found = {item["metadata"]["name"] for item in listed}
    assert {"stale-gone", "stale-faulty"} <= found
    assert "stale-stays" not in found
    text = page(place.api, "/catalog/stale?q=stale-")
    assert "Its location no longer holds it" in text
    assert "Its newer content is not taken: spec.owner is empty." in text
    assert 'href="/catalog/component/default/stale-faulty#problems"' in text
    assert "stale-unread" in text
