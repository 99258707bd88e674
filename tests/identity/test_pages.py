"""The pages of identity, as plain forms."""

import re

import pytest

from roadbed.core.html import THEME_COOKIE
from tests.identity.people import PASSWORD, Person, create_account, new_name, new_person
from tests.support import RunningServer


@pytest.fixture(scope="module")
def admin(server: RunningServer) -> Person:
    return new_person(server, "admin")


def shown_token(text: str) -> str:
    found = re.search(r'id="token-value">(rbt_\w+)<', text)
    assert found, text
    return found.group(1)


def test_account_page_tells_who_one_is_and_where_signed_in(admin: Person) -> None:
    page = admin.browser.get("/account").text
    assert admin.name in page
    assert f"user:default/{admin.name}" in page
    assert "Not in the catalog" in page
    assert "Register a file with that User" in page
    assert "Firefox on Linux" in page
    assert "this one" in page


def test_topbar_calls_people_as_the_catalog_does_where_they_have_no_other_name(server: RunningServer) -> None:
    person = new_person(server)
    assert f'aria-label="You, {person.name}"' in person.browser.get("/account").text
    user = {"apiVersion": "backstage.io/v1alpha1", "kind": "User", "metadata": {"name": person.name}}
    profile = {"profile": {"displayName": "Grace Hopper"}, "memberOf": []}
    answer = server.client(server.token()).post("/api/v1/entities", json={**user, "spec": profile})
    assert answer.is_success, answer.text
    page = person.browser.get("/account").text
    assert 'aria-label="You, Grace Hopper"' in page
    assert "Not in the catalog" not in page


def test_name_is_changed(admin: Person) -> None:
    answer = admin.browser.post("/account/name", data={"display_name": "Ada <b>Lovelace</b>"})
    assert answer.headers["location"] == "/account?done=name"
    page = admin.browser.get(answer.headers["location"]).text
    assert 'aria-label="You, Ada &lt;b&gt;Lovelace&lt;/b&gt;"' in page
    assert "Name changed" in page


def test_password_is_changed_and_other_sessions_end(server: RunningServer) -> None:
    person = new_person(server)
    elsewhere = new_person(server).browser
    elsewhere.cookies.clear()
    elsewhere.post("/sign-in", data={"name": person.name, "password": person.password})
    assert elsewhere.get("/api/v1/me").json()["name"] == person.name
    before = person.session
    form = {"current": person.password, "password": "a better one than before", "repeated": "a better one than before"}
    wrong = person.browser.post("/account/password", data={**form, "current": "not my password"})
    assert wrong.status_code == 422
    assert "This is not your present password." in wrong.text
    for field, value, words in (("repeated", "another", "not the same"), ("password", "short", "not the same")):
        assert words in person.browser.post("/account/password", data={**form, field: value}).text
    weak = {"current": person.password, "password": "short", "repeated": "short"}
    assert "At least 12 characters" in person.browser.post("/account/password", data=weak).text
    same = {"current": person.password, "password": person.password, "repeated": person.password}
    assert "is the old one" in person.browser.post("/account/password", data=same).text
    answer = person.browser.post("/account/password", data=form)
    assert answer.headers["location"] == "/account?done=password"
    assert person.session != before
    assert person.browser.get("/api/v1/me").status_code == 200
    assert elsewhere.get("/api/v1/me").status_code == 401


def test_guessing_the_present_password_is_limited(server: RunningServer) -> None:
    person = new_person(server)
    form = {"current": "not my password", "password": PASSWORD, "repeated": PASSWORD}
    answers = [person.browser.post("/account/password", data=form).status_code for _ in range(11)]
    assert answers == [422] * 10 + [429]


def test_one_session_and_all_others_are_ended(server: RunningServer) -> None:
    person = new_person(server)
    others = [new_person(server).browser for _ in range(3)]
    for browser in others:
        browser.cookies.clear()
        browser.post("/sign-in", data={"name": person.name, "password": person.password})
    page = person.browser.get("/account").text
    ends = re.findall(r"/account/sessions/[0-9a-f-]{36}/end", page)
    assert len(ends) == 3
    assert person.browser.post(ends[0]).headers["location"] == "/account?done=session"
    assert [browser.get("/api/v1/me").status_code for browser in others].count(401) == 1
    stranger = new_person(server)
    assert stranger.browser.post(ends[1]).status_code == 404
    assert person.browser.post("/account/sessions/end").headers["location"] == "/account?done=sessions"
    assert {browser.get("/api/v1/me").status_code for browser in others} == {401}
    assert person.browser.get("/api/v1/me").status_code == 200


def test_theme_is_kept_in_the_browser(server: RunningServer) -> None:
    person = new_person(server)
    person.browser.post("/account/theme", data={"theme": "dark"})
    assert person.browser.cookies[THEME_COOKIE] == "dark"
    assert 'data-bs-theme="dark"' in person.browser.get("/account").text
    person.browser.post("/account/theme", data={"theme": "system"})
    assert "data-bs-theme" not in person.browser.get("/account").text
    assert person.browser.post("/account/theme", data={"theme": "pink"}).status_code == 422


def test_token_is_shown_once_and_revoked(server: RunningServer) -> None:
    person = new_person(server)
    assert "No tokens yet" in person.browser.get("/account/tokens").text
    form = {"name": "laptop", "scopes": "identity.token.write\n", "days": "30", "key": new_name("key")}
    created = person.browser.post("/account/tokens", data=form)
    value = shown_token(created.text)
    assert server.client(value).get("/api/v1/me").json()["scopes"] == ["identity.token.write"]
    again = person.browser.post("/account/tokens", data=form)  # the browser's reload
    assert value not in again.text
    assert "The form was sent twice" in again.text
    page = person.browser.get("/account/tokens").text
    assert value not in page
    revoke = re.findall(r'action="(/account/tokens/[0-9a-f-]{36}/revoke)"', page)
    assert len(revoke) == 1
    assert person.browser.post(revoke[0]).headers["location"] == "/account/tokens?done=token"
    assert server.client(value).get("/api/v1/me").status_code == 401


def test_refused_token_keeps_what_was_typed_and_says_why(server: RunningServer) -> None:
    person = new_person(server)
    page = person.browser.post("/account/tokens", data={"name": "laptop", "scopes": "flying.*", "days": "30"})
    assert page.status_code == 422
    assert "takes in no permission that exists" in page.text
    assert 'value="laptop"' in page.text
    assert "flying.*" in page.text


def test_token_does_nothing_that_belongs_to_a_person_at_a_browser(server: RunningServer) -> None:
    client = server.client(server.token())
    for path in ("/account/name", "/account/password", "/account/theme", "/account/sessions/end", "/account/tokens"):
        answer = client.post(path, data={"theme": "dark", "name": "x"})
        assert (answer.status_code, answer.json()["code"]) == (403, "identity.browser_only"), path


def test_admin_creates_an_account_and_hands_on_its_password(admin: Person) -> None:
    name = new_name("grace")
    form = {"name": name, "kind": "user", "display_name": "Grace", "roles": ["developer"], "key": new_name("key")}
    page = admin.browser.post("/platform/accounts/new", data=form)
    assert page.status_code == 200
    found = re.search(r"one-time-[a-z0-9-]+", page.text)
    assert found
    assert found.group() not in admin.browser.get(f"/platform/accounts/{name}").text
    assert name in admin.browser.get("/platform/accounts", params={"q": name}).text
    refused = admin.browser.post("/platform/accounts/new", data={**form, "key": new_name("key")})
    assert refused.status_code == 409
    assert "already" in refused.text
    assert 'value="Grace"' in refused.text


def test_admin_changes_disables_enables_and_resets_an_account(server: RunningServer, admin: Person) -> None:
    name = create_account(server)["name"]
    address = f"/platform/accounts/{name}"
    answer = admin.browser.post(
        address, data={"display_name": "Grace", "entity_ref": "", "roles": ["viewer", "developer"]}
    )
    assert answer.headers["location"] == f"{address}?done=account"
    account = server.client(server.token()).get(f"/api/v1/accounts/{name}").json()
    assert (account["display_name"], account["entity_ref"]) == ("Grace", None)
    assert account["roles"] == ["developer", "viewer"]
    assert admin.browser.post(f"{address}/disable").status_code == 303
    assert "Enable account" in admin.browser.get(address).text
    assert admin.browser.post(f"{address}/enable").status_code == 303
    assert "one-time-" in admin.browser.post(f"{address}/reset-password").text
    wrong = admin.browser.post(address, data={"entity_ref": "group:default/x"})
    assert wrong.status_code == 422
    assert "must be a ref of a User" in wrong.text.replace("Must", "must")


def test_admin_makes_and_revokes_tokens_of_a_program(server: RunningServer, admin: Person) -> None:
    name = create_account(server, name=new_name("ci"), kind="service")["name"]
    address = f"/platform/accounts/{name}"
    value = shown_token(admin.browser.post(f"{address}/tokens", data={"name": "pipeline", "days": "30"}).text)
    assert server.client(value).get("/api/v1/me").json()["name"] == name
    revoke = re.findall(rf'action="({address}/tokens/[0-9a-f-]+/revoke)"', admin.browser.get(address).text)
    assert admin.browser.post(revoke[0]).headers["location"] == f"{address}?done=token"
    assert server.client(value).get("/api/v1/me").status_code == 401
    refused = admin.browser.post(f"{address}/tokens", data={"name": "", "days": "30"})
    assert refused.status_code == 422
    assert "what the token is for" in refused.text


def test_admin_makes_changes_and_deletes_a_role(server: RunningServer, admin: Person) -> None:
    name = new_name("role")
    form = {"name": name, "title": "Auditor", "permissions": ["audit.*"]}
    assert (
        admin.browser.post("/platform/roles/new", data=form).headers["location"] == "/platform/roles?done=role-created"
    )
    assert admin.browser.post("/platform/roles/new", data=form).status_code == 409
    page = admin.browser.get(f"/platform/roles/{name}").text
    assert re.search(r'value="audit\.\*" checked', page)
    changed = {**form, "permissions": ["audit.entry.read", "identity.token.write"]}
    assert admin.browser.post(f"/platform/roles/{name}", data=changed).status_code == 303
    role = server.client(server.token()).get(f"/api/v1/roles/{name}").json()
    assert role["permissions"] == ["audit.entry.read", "identity.token.write"]
    assert (
        admin.browser.post(f"/platform/roles/{name}/delete").headers["location"] == "/platform/roles?done=role-deleted"
    )
    assert admin.browser.get(f"/platform/roles/{name}").status_code == 404


def test_changed_built_in_role_goes_back_to_what_it_came_with(server: RunningServer, admin: Person) -> None:
    api = server.client(server.token())
    came_with = api.get("/api/v1/roles/platform-engineer").json()["permissions"]
    form = {"title": "Platform engineer", "permissions": ["audit.*"]}
    assert admin.browser.post("/platform/roles/platform-engineer", data=form).status_code == 303
    assert "Changed" in admin.browser.get("/platform/roles").text
    assert admin.browser.post("/platform/roles/platform-engineer/reset").status_code == 303
    assert api.get("/api/v1/roles/platform-engineer").json()["permissions"] == came_with


def test_role_admin_is_shown_and_not_changed(admin: Person) -> None:
    page = admin.browser.get("/platform/roles/admin").text
    assert "so that Roadbed can always be run" in page
    assert '<form id="role"' not in page
    answer = admin.browser.post("/platform/roles/admin", data={"permissions": ["audit.*"]})
    assert answer.status_code == 409


def test_pages_of_those_who_manage_are_in_the_rail_for_them_only(server: RunningServer, admin: Person) -> None:
    assert "/platform/accounts" in admin.browser.get("/account").text
    viewer = new_person(server, "viewer")
    page = viewer.browser.get("/account").text
    assert "/platform/accounts" not in page
    refused = viewer.browser.get("/platform/accounts")
    assert refused.status_code == 403
    assert "You may not do this" in refused.text
