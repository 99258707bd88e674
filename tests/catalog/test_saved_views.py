"""Saved views: of one's own and shared, changed by their owners, and never more than their reader may see."""

import html
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from roadbed.catalog.errors import ColumnUnknown, ViewInvalid
from roadbed.catalog.schemas.views import read_state
from tests import plain_http
from tests.catalog.conftest import component
from tests.identity.people import Person, new_person
from tests.support import RunningServer
from tests.web.test_home import new_owner

YAML = {"content-type": "application/yaml"}
VIEWS = "/api/v1/views"


@pytest.fixture(scope="module")
def owned(server: RunningServer) -> tuple[Person, str]:
    """A developer, and the ref of the group that they belong to."""
    person, _, team = new_owner(server)
    return person, f"group:default/{team}"


@pytest.fixture(scope="module")
def reader(server: RunningServer) -> httpx.Client:
    """A viewer of no group, with a browser."""
    return new_person(server, "viewer").browser


def save(client: httpx.Client, name: str, query: str = "", shared_with: str | None = None) -> dict[str, Any]:
    answer = client.post(VIEWS, json={"name": name, "query": query, "shared_with": shared_with})
    assert answer.status_code == 201, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def names(client: httpx.Client) -> set[str]:
    return {view["name"] for view in client.get(VIEWS, params={"limit": 500}).json()["items"]}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("", ""),
        ("?kind=Component&kind=API&cursor=x&view=all", "kind=Component&kind=API"),
        ("q=a+b%26c&unowned=true&orphan=false&kind=", "q=a+b%26c&unowned=true"),
        ("columns=owner&columns=type,owner&owner=team-a", "owner=team-a&columns=owner%2Ctype"),
        ("sort=-owner&cursor=abc&limit=5", "sort=-owner"),
        ("followed=1&as_of=2026-01-02T03:04", "followed=true&as_of=2026-01-02T03%3A04%3A00Z"),
    ],
)
def test_query_is_kept_in_one_form(query: str, kept: str) -> None:
    assert read_state(query) == kept
    assert read_state(kept) == kept


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("colour=red", ViewInvalid),
        ("as_of=then", ViewInvalid),
        ("location=nowhere", ViewInvalid),
        ("as_of=2026-01-01&inherited=true", ViewInvalid),
        ("kind=a&" * 300, ViewInvalid),
        ("q=" + "x" * 5000, ViewInvalid),
        ("sort=colour", ViewInvalid),
        ("columns=onwer", ColumnUnknown),
    ],
)
def test_what_is_no_query_of_the_list_is_refused(query: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        read_state(query)


def test_view_is_saved_changed_and_deleted_under_its_etag(owned: tuple[Person, str]) -> None:
    mine = owned[0].browser
    view = save(mine, "  Our   services ", "kind=component&columns=owner")
    assert (view["name"], view["is_own"], view["shared_with"]) == ("Our services", True, None)
    assert view["href"] == f"/catalog?kind=component&columns=owner&view={view['id']}"
    assert code(mine.post(VIEWS, json={"name": "our SERVICES"})) == (409, "catalog.view_exists")
    path = f"{VIEWS}/{view['id']}"
    read = mine.get(path)
    assert read.json() == view
    assert mine.get(path, headers={"If-None-Match": read.headers["etag"]}).status_code == 304
    body = {"name": "Our APIs", "query": "kind=API"}
    changed = mine.put(path, json=body, headers={"If-Match": read.headers["etag"]})
    assert (changed.json()["name"], changed.json()["query"]) == ("Our APIs", "kind=API")
    late = mine.put(path, json=body | {"name": "Late"}, headers={"If-Match": read.headers["etag"]})
    assert code(late) == (412, "request.precondition_failed")
    assert code(mine.delete(path, headers={"If-Match": '"other"'})) == (412, "request.precondition_failed")
    assert mine.delete(path, headers={"If-Match": changed.json()["etag"]}).status_code == 204
    assert code(mine.get(path)) == (404, "catalog.view_not_found")


def test_saving_again_with_the_same_key_saves_nothing(owned: tuple[Person, str]) -> None:
    mine = owned[0].browser
    first, again = (mine.post(VIEWS, json={"name": "Once"}, headers={"Idempotency-Key": "v1"}) for _ in range(2))
    assert first.json() == again.json()


@pytest.mark.parametrize(
    "body",
    [
        {"name": " "},
        {"name": "x" * 61},
        {"name": "a\u0000b"},
        {"name": "right\u202eleft"},
        {"name": "a", "query": "nothing=1"},
        {"name": "a", "shared_with": "group:default/not-mine"},
        {"name": "a", "shared_with": "a\u0000:b"},
        {"name": "a", "owner": "user:eve"},
    ],
)
def test_what_is_no_view_is_refused(owned: tuple[Person, str], body: dict[str, str]) -> None:
    assert owned[0].browser.post(VIEWS, json=body).status_code == 422


def test_views_are_seen_by_those_with_whom_they_are_shared(
    server: RunningServer, owned: tuple[Person, str], reader: httpx.Client
) -> None:
    mine, group = owned[0].browser, owned[1]
    admin = server.client(server.token())
    own, ours, all_ = (save(mine, f"Seen by {who}", shared_with=who) for who in (None, group, "everybody"))
    assert {"Seen by None", f"Seen by {group}", "Seen by everybody"} <= names(mine)
    assert {name for name in names(reader) if name.startswith("Seen by")} == {"Seen by everybody"}
    assert {name for name in names(admin) if name.startswith("Seen by")} == {f"Seen by {group}", "Seen by everybody"}
    assert reader.get(f"{VIEWS}/{ours['id']}").status_code == 404
    assert admin.get(f"{VIEWS}/{own['id']}").status_code == 404
    read = reader.get(f"{VIEWS}/{all_['id']}").json()
    assert (read["is_own"], read["may_change"]) == (False, False)
    assert code(reader.delete(f"{VIEWS}/{all_['id']}")) == (403, "catalog.view_forbidden")
    assert code(reader.put(f"{VIEWS}/{all_['id']}", json={"name": "Mine now"})) == (403, "catalog.view_forbidden")
    body = {"name": "Seen by admins", "shared_with": group}
    assert admin.put(f"{VIEWS}/{ours['id']}", json=body).status_code == 200, "the group stays, though it is not theirs"
    assert admin.delete(f"{VIEWS}/{ours['id']}").status_code == 204
    assert mine.get(f"{VIEWS}/{ours['id']}").status_code == 404

    def actions(view: dict[str, Any]) -> list[str]:
        entries = admin.get("/api/v1/audit", params={"subject": f"view:{view['id']}"}).json()["items"]
        return sorted(entry["action"] for entry in entries)

    assert actions(ours) == ["catalog.view_changed", "catalog.view_deleted", "catalog.view_saved"]
    assert actions(own) == []


def test_permission_decides_who_saves(client_of: Callable[[str], httpx.Client], server: RunningServer) -> None:
    limited = client_of("viewer").post("/api/v1/tokens", json={"name": "views", "scopes": ["catalog.entity.read"]})
    token = server.client(limited.json()["value"])
    assert token.get(VIEWS).status_code == 200
    assert token.post(VIEWS, json={"name": "No"}).json()["code"] == "forbidden"
    assert token.put("/api/v1/entities/group/default/roadbed/follow").status_code == 403
    assert plain_http.get(f"{server.base_url}{VIEWS}").status_code == 401


def test_shared_view_of_what_is_followed_shows_each_reader_their_own(
    api: httpx.Client, owned: tuple[Person, str], reader: httpx.Client
) -> None:
    api.post("/api/v1/entities", content=component("view-mine") + component("view-theirs"), headers=YAML)
    mine = owned[0].browser
    mine.put("/api/v1/entities/component/default/view-mine/follow")
    reader.put("/api/v1/entities/component/default/view-theirs/follow")
    href = save(mine, "What I follow", "followed=true", "everybody")["href"]
    assert re.findall(r"component/default/(view-\w+)\"", mine.get(href).text) == ["view-mine"]
    assert re.findall(r"component/default/(view-\w+)\"", reader.get(href).text) == ["view-theirs"]


def test_catalog_opens_with_the_default_view_and_all_shows_all(reader: httpx.Client, owned: tuple[Person, str]) -> None:
    view = save(owned[0].browser, "Everybody's groups", "kind=Group", "everybody")
    assert reader.get("/catalog").status_code == 200
    post = reader.post(f"/catalog/views/{view['id']}/default", data={"is_default": "true"})
    assert post.headers["location"] == "/catalog/views?done=default"
    page = reader.get("/catalog/views?done=default").text
    assert "The catalog opens with this view" in page
    assert "opens first" in page
    assert reader.get("/catalog").headers["location"] == view["href"]
    shown = reader.get(view["href"]).text
    assert 'aria-current="page">Everybody&#39;s groups' in shown
    assert 'href="/catalog?view=all"' in shown
    assert reader.get("/catalog?view=all").status_code == 200
    owned[0].browser.put(f"{VIEWS}/{view['id']}", json={"name": "Mine alone", "query": "kind=Group"})
    assert reader.get("/catalog").status_code == 200, "it is not shared with them any more"


def test_view_is_saved_overwritten_renamed_and_deleted_on_pages(owned: tuple[Person, str]) -> None:
    mine, group = owned[0].browser, owned[1]
    text = mine.get("/catalog?kind=System&columns=ref").text
    state = re.search(r'name="query" value="([^"]*)"', text)
    assert state is not None
    assert group in text, "a group of theirs is offered"
    query = html.unescape(state[1])
    saved = mine.post("/catalog/views", data={"name": "Systems", "query": query, "shared_with": group})
    href = saved.headers["location"]
    assert parse_qs(urlsplit(href).query)["kind"] == ["System"]
    view_id = parse_qs(urlsplit(href).query)["view"][0]

    taken = mine.post("/catalog/views", data={"name": "systems", "query": "kind=API"})
    assert taken.status_code == 409
    assert "Overwrite “Systems”" in taken.text
    unsaid = mine.post("/catalog/views", data={"name": "", "query": "kind=API"})
    assert (unsaid.status_code, "needs a name" in unsaid.text) == (422, True)

    changed = mine.get(f"/catalog?{urlencode({'kind': 'API', 'view': view_id})}").text
    assert "Save changes of “Systems”" in changed
    etag = re.search(r'name="etag" value="([^"]*)"', changed)
    assert etag is not None
    data = {"etag": etag[1], "query": "kind=API"}
    done = mine.post(f"/catalog/views/{view_id}/state", data=data)
    assert done.headers["location"] == f"/catalog?kind=API&view={view_id}"
    assert mine.post(f"/catalog/views/{view_id}/state", data=data | {"query": ""}).status_code == 412

    form = mine.get(f"/catalog/views/{view_id}").text
    etag = re.search(r'name="etag" value="([^"]*)"', form)
    assert etag is not None
    assert "Shows kind API" in form
    assert mine.post(f"/catalog/views/{view_id}", data={"etag": "old", "name": "X"}).status_code == 412
    renamed = mine.post(f"/catalog/views/{view_id}", data={"etag": etag[1], "name": "APIs", "shared_with": ""})
    assert renamed.headers["location"] == "/catalog/views"
    view = mine.get(f"{VIEWS}/{view_id}").json()
    assert (view["name"], view["shared_with"]) == ("APIs", None)
    assert mine.post(f"/catalog/views/{view_id}/delete", data={"etag": "old"}).status_code == 412
    gone = mine.post(f"/catalog/views/{view_id}/delete", data={"etag": view["etag"]})
    assert gone.headers["location"] == f"/catalog/views?done=deleted&view={view_id}"
    assert "APIs" not in names(mine)
