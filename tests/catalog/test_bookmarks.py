"""What people follow and looked at last: on Home, in the list, in the search, over REST and from a shell."""

import json
import re
import secrets
from uuid import UUID

import httpx
import pytest
from typer.testing import CliRunner

from roadbed.catalog.service.visits import KEPT, note_visit
from roadbed.cli.main import app
from roadbed.core.actor import Actor
from roadbed.identity.contract import find_actor
from roadbed.kit.refs import EntityRef
from tests.catalog.conftest import component
from tests.identity.people import Person, new_person
from tests.support import RunningServer
from tests.waiting import wait_for

YAML = {"content-type": "application/yaml"}


@pytest.fixture
def person(server: RunningServer) -> Person:
    return new_person(server, "developer")


def put(api: httpx.Client, *names: str, **spec: str) -> list[str]:
    """Put components and return their paths below the API's and the pages' addresses."""
    text = "".join(component(name, **spec) for name in names)
    assert api.post("/api/v1/entities", content=text, headers=YAML).status_code == 200
    return [f"component/default/{name}" for name in names]


def read(browser: httpx.Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_followed_entity_is_told_of_until_it_is_unfollowed(api: httpx.Client, person: Person) -> None:
    name = f"follow-{secrets.token_hex(3)}"
    (path,) = put(api, name)
    page, browser = f"/catalog/{path}", person.browser
    assert "You follow nothing yet" in read(browser, "/")
    assert browser.post(f"{page}/follow", data={"next": "/catalog?q=follow"}).headers["location"] == "/catalog?q=follow"
    assert browser.post(f"{page}/follow", data={"next": "//evil.example"}).headers["location"] == page
    assert 'aria-pressed="true"><svg' in read(browser, page)
    listed = read(browser, "/catalog?followed=true")
    assert f'formaction="{page}/unfollow" aria-pressed="true" aria-label="Follow {name}"' in listed
    assert "Followed <span" in listed
    put(api, name, lifecycle="deprecated")
    home = read(browser, "/")
    assert "in what you follow" in home
    assert f'href="{page}">{name}</a> changed' in home
    assert browser.get("/api/v1/entities?followed=true").json()["total"] == 1
    assert browser.post(f"{page}/unfollow", data={"next": "/"}).headers["location"] == "/"
    assert browser.get("/api/v1/follows").json()["items"] == []
    assert browser.put(f"/api/v1/entities/{path}-not/follow").json()["code"] == "catalog.entity_not_found"


def test_what_is_followed_stays_so_while_the_entity_is_gone(api: httpx.Client, person: Person) -> None:
    name = f"gone-{secrets.token_hex(3)}"
    (path,) = put(api, name)
    browser = person.browser
    assert browser.put(f"/api/v1/entities/{path}/follow").status_code == 204
    assert api.delete(f"/api/v1/entities/{path}").status_code == 204
    home = read(browser, "/")
    assert f"component:default/{name} is not in the catalog any more" in home
    assert f"{name}</span> was removed" in home
    (kept,) = browser.get("/api/v1/follows").json()["items"]
    assert (kept["ref"], kept["title"], kept["found"]) == (f"component:default/{name}", name, False)
    put(api, name)
    assert browser.get("/api/v1/follows").json()["items"][0]["found"] is True
    api.delete(f"/api/v1/entities/{path}")
    assert "Following" in read(browser, f"/catalog/{path}/history"), "it can be let go where its history is, too"
    browser.post(f"/catalog/{path}/unfollow", data={"next": "/"})
    assert browser.get("/api/v1/follows").json()["items"] == []


def test_what_people_open_is_kept_for_them_and_what_programs_read_is_not(
    server: RunningServer, api: httpx.Client, person: Person
) -> None:
    first, second = put(api, *(f"seen-{number}-{secrets.token_hex(3)}" for number in (1, 2)))

    def visited(client: httpx.Client = person.browser) -> list[str]:
        return [item["href"] for item in client.get("/api/v1/visits").json()["items"]]

    token = person.browser.post("/api/v1/tokens", json={"name": "seen"}).json()["value"]
    assert server.client(token).get(f"/catalog/{second}").status_code == 200
    for path in (first, second, first):
        read(person.browser, f"/catalog/{path}")
        wait_for(visited, lambda found, path=path: found[:1] == [f"/catalog/{path}"], what="the visit")  # type: ignore[misc]
    assert visited() == [f"/catalog/{first}", f"/catalog/{second}"]
    assert visited(server.client(token)) == visited(), "the account's own, whoever asks for it"
    assert visited(api) == []

    palette = person.browser.get("/search?q=", headers={"HX-Request": "true"}).text
    assert re.findall(r'role="option"[^>]* href="([^"]+)"', palette) == visited()
    assert "Recently viewed" in read(person.browser, "/search")
    assert f'href="/catalog/{first}"' in read(person.browser, "/")
    api.delete(f"/api/v1/entities/{first}")
    assert visited() == [f"/catalog/{second}"]
    assert person.browser.post("/catalog/visits/clear").headers["location"] == "/"
    assert visited() == []
    assert person.browser.get("/search?q=", headers={"HX-Request": "true"}).text == ""


def test_what_becomes_hidden_is_as_if_it_were_gone(server: RunningServer, api: httpx.Client) -> None:
    condition = {"catalog.entity.read": 'owner == "group:default/kept"'}
    role = {"permissions": ["catalog.*"], "conditions": condition}
    assert api.put("/api/v1/roles/kept", json=role).status_code in (200, 201)
    browser = new_person(server, "kept").browser
    name = f"kept-{secrets.token_hex(3)}"
    (seen,), (hidden,) = put(api, f"{name}-a", owner="kept"), put(api, f"{name}-b", owner="others")
    assert browser.put(f"/api/v1/entities/{seen}/follow").status_code == 204
    assert browser.put(f"/api/v1/entities/{hidden}/follow").status_code == 404
    read(browser, f"/catalog/{seen}")
    wait_for(lambda: browser.get("/api/v1/visits").json()["items"], what="the visit")
    view = {"name": name, "query": f"q={name}", "shared_with": "everybody"}
    href = api.post("/api/v1/views", json=view).json()["href"]
    assert "1 of 1 entity" in read(browser, href)
    assert "2 of 2 entities" in read(api, href)
    put(api, f"{name}-a", owner="others")
    (kept,) = browser.get("/api/v1/follows").json()["items"]
    assert (kept["title"], kept["found"]) == (f"{name}-a", False)
    assert browser.get("/api/v1/visits").json()["items"] == []
    assert "No entity matches" in read(browser, href)


def test_only_the_newest_visits_are_kept(server: RunningServer, api: httpx.Client, person: Person) -> None:
    names = [f"many-{number:02}" for number in range(KEPT + 2)]
    put(api, *names)
    account_id = person.browser.get("/api/v1/me").json()["id"]

    async def look() -> None:
        async with server.database.read() as session:
            actor = await find_actor(session, UUID(account_id))
        assert isinstance(actor, Actor)
        for name in [*names, names[5]]:
            await note_visit(server.services, actor, EntityRef("Component", "default", name))

    server.run(look())
    found = [item["title"] for item in person.browser.get("/api/v1/visits").json()["items"]]
    assert found == [names[5], *(name for name in reversed(names[2:]) if name != names[5])]


def test_views_and_follows_from_a_shell(server: RunningServer, api: httpx.Client) -> None:
    runner = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "400"})
    name, view = f"shell-{secrets.token_hex(3)}", f"Shell {secrets.token_hex(3)}"
    put(api, name, type="job")

    def shell(*arguments: str, fails: bool = False) -> str:
        done = runner.invoke(app, arguments)
        assert (done.exit_code != 0) is fails, f"{done.output}\n{done.exception}"
        return done.output

    query = f"q={name}&type=job&columns=name,type"
    saved = json.loads(shell("views", "save", view, "--query", query, "--share", "everybody", "-o", "json"))
    assert view in shell("views", "list")
    assert shell("get", "all", "--view", view.lower(), "-o", "csv").splitlines() == ["name,type", f"{name},job"]
    assert shell("get", "all", "--view", saved["id"], "-o", "name").split() == [f"component:default/{name}"]
    assert shell("get", "all", "--view", view, "--type", "other", "-o", "name") == ""
    assert "there is no view" in shell("get", "all", "--view", "nothing", fails=True)
    assert f"roadbed views restore {saved['id']}" in shell("views", "delete", view.upper())
    assert view not in shell("views", "list")
    assert view in shell("views", "list", "--deleted")
    assert "there is no view" in shell("views", "delete", view, fails=True)
    assert f"{view} is there again." in shell("views", "restore", view)
    assert json.loads(shell("views", "list", "-o", "json"))[-1]["shared_with"] == "everybody"
    assert f"You follow component:{name}." in shell("follow", f"component:{name}")
    assert f"component:default/{name}" in json.loads(shell("follow", "-o", "json"))[-1]["ref"]
    shell("unfollow", f"component:{name}")
    assert name not in shell("follow", "-o", "name")
