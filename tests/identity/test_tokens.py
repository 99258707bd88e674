"""Tokens: what they open, how they end, and that none gives more than its maker has."""

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from roadbed.identity.contract import create_local_token
from roadbed.identity.errors import AccountNameTaken, RoleNotFound
from roadbed.identity.models import Token
from roadbed.identity.rules import new_token_value, value_hash
from roadbed.kit.clock import now
from tests.identity.people import Person, create_account, new_name, new_person
from tests.support import RunningServer


@pytest.fixture(scope="module")
def developer(server: RunningServer) -> Person:
    return new_person(server, "developer")


def new_token(person: Person, **fields: Any) -> str:
    answer = person.browser.post("/api/v1/tokens", json={"name": "laptop", **fields})
    assert answer.status_code == 201, answer.text
    value: str = answer.json()["value"]
    return value


def change_row(server: RunningServer, value: str, **values: Any) -> None:
    async def change() -> None:
        async with server.database.write() as session:
            await session.execute(update(Token).where(Token.value_hash == value_hash(value)).values(**values))

    server.run(change())


def test_token_acts_as_its_account(server: RunningServer, developer: Person) -> None:
    value = new_token(developer)
    me = server.client(value).get("/api/v1/me").json()
    assert (me["name"], me["kind"], me["roles"]) == (developer.name, "user", ["developer"])
    assert me["entity_ref"] == f"user:default/{developer.name}"
    assert "identity.token.write" in me["permissions"]
    assert "identity.account.read" not in me["permissions"]


def test_only_the_hash_of_a_token_is_stored(server: RunningServer, developer: Person) -> None:
    value = new_token(developer)

    async def read() -> Token:
        async with server.database.read() as session:
            return (await session.scalars(select(Token).where(Token.value_hash == value_hash(value)))).one()

    row = server.run(read())
    assert value not in {str(getattr(row, column.name)) for column in Token.__table__.columns}
    listed = developer.browser.get("/api/v1/tokens").text
    assert value not in listed
    assert row.hint in listed


def test_unknown_token_is_an_error_and_not_nobody(server: RunningServer) -> None:
    for value in (new_token_value(), "rbt_short", "ghp_something"):
        answer = server.client().get("/api/v1/me", headers={"Authorization": f"Bearer {value}"})
        assert (answer.status_code, answer.json()["code"]) == (401, "identity.token_invalid")
        assert answer.headers["www-authenticate"] == "Bearer"
        probe = server.client().get("/sign-in", headers={"Authorization": f"Bearer {value}", "Accept": "text/html"})
        assert probe.status_code == 401


def test_revoked_token_is_refused(server: RunningServer, developer: Person) -> None:
    value = new_token(developer, name="old laptop")
    client = server.client(value)
    token_id = next(
        token["id"] for token in client.get("/api/v1/tokens").json()["items"] if token["name"] == "old laptop"
    )
    assert client.delete(f"/api/v1/tokens/{token_id}").status_code == 204
    answer = client.get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.token_invalid")
    assert "has been revoked" in answer.json()["detail"]
    assert developer.browser.delete(f"/api/v1/tokens/{token_id}").status_code == 404


def test_expired_token_is_refused_with_its_day(server: RunningServer, developer: Person) -> None:
    value = new_token(developer)
    change_row(server, value, expires_at=now() - timedelta(seconds=1))
    answer = server.client(value).get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (401, "identity.token_expired")
    assert f"{now():%Y-%m}" in answer.json()["detail"]


def test_token_of_somebody_else_cannot_be_seen_or_revoked(server: RunningServer, developer: Person) -> None:
    value = new_token(developer)
    token_id = developer.browser.get("/api/v1/tokens").json()["items"][0]["id"]
    other = new_person(server, "developer")
    assert other.browser.delete(f"/api/v1/tokens/{token_id}").status_code == 404
    assert other.browser.post(f"/account/tokens/{token_id}/revoke").status_code == 404
    assert other.browser.get("/api/v1/tokens", params={"account": developer.name}).status_code == 403
    assert server.client(value).get("/api/v1/me").status_code == 200
    admin = server.client(server.token())
    assert admin.get("/api/v1/tokens", params={"account": developer.name}).status_code == 200
    assert admin.delete(f"/api/v1/tokens/{token_id}").status_code == 204


def test_scopes_limit_what_the_account_may_do(server: RunningServer) -> None:
    admin = server.client(server.token())
    value = admin.post("/api/v1/tokens", json={"name": "audit", "scopes": ["audit.*"]}).json()["value"]
    limited = server.client(value)
    assert limited.get("/api/v1/audit").status_code == 200
    answer = limited.get("/api/v1/accounts")
    assert answer.status_code == 403
    assert "this token is limited to audit.*" in answer.json()["detail"]
    assert limited.get("/api/v1/me").json()["permissions"] == ["audit.entry.read"]
    assert limited.post("/api/v1/tokens", json={"name": "more"}).status_code == 403


def test_scopes_give_nothing_that_the_account_may_not(server: RunningServer, developer: Person) -> None:
    value = new_token(developer, scopes=["*"])
    assert server.client(value).get("/api/v1/accounts").status_code == 403


def test_limited_token_passes_on_no_more_than_it_has(server: RunningServer) -> None:
    admin = server.client(server.token())
    made = admin.post(
        "/api/v1/tokens", json={"name": "limited", "scopes": ["identity.*"], "expires_in_days": 10}
    ).json()
    limited = server.client(made["value"])
    answer = limited.post("/api/v1/tokens", json={"name": "all", "scopes": ["*"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.beyond_own")
    assert limited.post("/api/v1/tokens", json={"name": "audit", "scopes": ["audit.*"]}).status_code == 403
    same = limited.post("/api/v1/tokens", json={"name": "same", "expires_in_days": 300}).json()
    assert server.client(same["value"]).get("/api/v1/me").json()["scopes"] == ["identity.*"]
    assert datetime.fromisoformat(same["expires_at"]) <= datetime.fromisoformat(made["expires_at"])
    # nor by the way round over an account that may do everything
    answer = limited.post("/api/v1/accounts", json={"name": new_name(), "roles": ["admin"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.beyond_own")
    answer = limited.patch("/api/v1/accounts/admin", json={"reset_password": True})
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.beyond_own")
    answer = limited.post("/api/v1/tokens", json={"name": "x", "account": "local-admin"})
    assert answer.status_code == 201  # its own account: limited as before
    assert server.client(answer.json()["value"]).get("/api/v1/me").json()["scopes"] == ["identity.*"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"scopes": ["nothing.like.this"]}, "takes in no permission that exists"),
        ({"scopes": []}, "leave it out"),
        ({"scopes": ["CATALOG"]}, "is not a pattern"),
        ({"name": "  "}, "what the token is for"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 3650}, "expires_in_days"),
        ({"admin": True}, "admin"),
    ],
)
def test_token_that_makes_no_sense_is_refused_with_the_reason(
    developer: Person, fields: dict[str, Any], words: str
) -> None:
    answer = developer.browser.post("/api/v1/tokens", json={"name": "x", **fields})
    assert answer.status_code == 422
    assert words in answer.text


def test_repeated_request_finds_the_first_token_without_its_value(developer: Person) -> None:
    headers = {"Idempotency-Key": new_name("key")}
    first = developer.browser.post("/api/v1/tokens", json={"name": "once"}, headers=headers).json()
    again = developer.browser.post("/api/v1/tokens", json={"name": "once"}, headers=headers).json()
    assert again["id"] == first["id"]
    assert first["value"]
    assert again["value"] is None
    other = developer.browser.post("/api/v1/tokens", json={"name": "twice"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "request.idempotency_key_reused")


def test_program_has_tokens_that_admins_make(server: RunningServer, developer: Person) -> None:
    program = create_account(server, name=new_name("ci"), kind="service", roles=["developer"])
    assert program["one_time_password"] is None
    admin = server.client(server.token())
    made = admin.post("/api/v1/tokens", json={"name": "pipeline", "account": program["name"]}).json()
    me = server.client(made["value"]).get("/api/v1/me").json()
    assert (me["name"], me["kind"], me["entity_ref"]) == (program["name"], "service", None)
    answer = developer.browser.post("/api/v1/tokens", json={"name": "x", "account": program["name"]})
    assert answer.status_code == 403
    answer = admin.post("/api/v1/tokens", json={"name": "x", "account": developer.name})
    assert (answer.status_code, answer.json()["code"]) == (422, "identity.invalid_token")


def test_tokens_are_listed_in_pages(server: RunningServer) -> None:
    person = new_person(server)
    for number in range(5):
        new_token(person, name=f"token {number}")
    names, cursor = [], None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = person.browser.get("/api/v1/tokens", params=params).json()
        names += [token["name"] for token in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert names == [f"token {number}" for number in reversed(range(5))]


def test_use_of_a_token_is_noted(server: RunningServer, developer: Person) -> None:
    value = new_token(developer, name="noted")
    server.client(value).get("/api/v1/me")
    tokens = developer.browser.get("/api/v1/tokens").json()["items"]
    assert next(token["last_used_at"] for token in tokens if token["name"] == "noted")


def test_token_is_a_password_for_git_only(server: RunningServer, developer: Person) -> None:
    value = new_token(developer)
    basic = {"Authorization": "Basic " + base64.b64encode(f"{developer.name}:{value}".encode()).decode()}
    assert server.client().get("/api/v1/me", headers=basic).status_code == 401
    answer = server.client().get("/git/nobody/nothing.git/info/refs", headers=basic)
    assert answer.status_code not in (401, 500)  # let in, whether or not there is such a repository
    for bad in ("not base64", base64.b64encode(b"ada:password").decode()):
        answer = server.client().get("/git/nobody/nothing.git/info/refs", headers={"Authorization": f"Basic {bad}"})
        assert answer.status_code in (401, 404)


def test_token_is_audited_without_its_value(server: RunningServer, developer: Person) -> None:
    value = new_token(developer, name="audited", scopes=["audit.*"])
    token_id = developer.browser.get("/api/v1/tokens").json()["items"][0]["id"]
    developer.browser.delete(f"/api/v1/tokens/{token_id}")
    found = server.client(server.token()).get("/api/v1/audit", params={"subject": f"token:{token_id}"})
    entries = found.json()["items"]
    assert [entry["action"] for entry in entries] == ["identity.token_revoked", "identity.token_created"]
    assert entries[1]["detail"]["scopes"] == ["audit.*"]
    assert entries[1]["actor"] == f"user:{developer.name}"
    assert value not in found.text


def test_owner_of_the_home_folder_gets_a_token_of_any_role(server: RunningServer) -> None:
    me = server.client(server.token("viewer")).get("/api/v1/me").json()
    assert (me["name"], me["kind"], me["roles"]) == ("local-viewer", "service", ["viewer"])
    admin = server.client(server.token())
    entry = admin.get("/api/v1/audit", params={"action": "identity.token_created", "actor": "system:local"}).json()
    assert entry["items"][0]["detail"]["made_by"] == "tests"


def test_token_of_the_owner_brings_back_what_was_taken_from_its_account(server: RunningServer) -> None:
    server.token("platform-engineer")
    admin = server.client(server.token())
    path = "/api/v1/accounts/local-platform-engineer"
    admin.patch(path, json={"is_disabled": True, "roles": []})
    me = server.client(server.token("platform-engineer")).get("/api/v1/me").json()
    assert me["roles"] == ["platform-engineer"]


def test_local_token_is_refused_for_unknown_roles_and_for_names_of_people(server: RunningServer) -> None:
    async def create(role: str) -> None:
        async with server.database.write() as session:
            await create_local_token(session, role=role, made_by="tests")

    role = new_name("role")
    with pytest.raises(RoleNotFound, match=role) as caught:
        server.run(create(role))
    assert "viewer" in (caught.value.hint or "")
    admin = server.client(server.token())
    admin.put(f"/api/v1/roles/{role}", json={"permissions": ["audit.*"]})
    create_account(server, name=f"local-{role}")
    with pytest.raises(AccountNameTaken):
        server.run(create(role))
