"""Accounts and roles, as those who manage them see them."""

from collections.abc import Iterator
from typing import Any

import pytest

from roadbed.core.access import PERMISSIONS, VIEWERS
from roadbed.core.extension import Registry
from roadbed.identity.models import Role
from roadbed.identity.repository import find_role
from roadbed.identity.service.roles import seed_roles
from tests.identity.people import create_account, new_name, new_person
from tests.support import RunningServer


@pytest.fixture
def admin(server: RunningServer) -> Any:
    return server.client(server.token())


def test_account_is_created_with_its_link_to_the_catalog(admin: Any, server: RunningServer) -> None:
    name = new_name("Ada")
    account = create_account(server, name=name, display_name="Ada L.", roles=["developer", "viewer"])
    assert account["entity_ref"] == f"user:default/{name.lower()}"
    assert account["roles"] == ["developer", "viewer"]
    assert account["must_change_password"] is True
    assert account["one_time_password"].startswith("one-time-")
    found = admin.get(f"/api/v1/accounts/{name.lower()}").json()
    assert found["display_name"] == "Ada L."
    assert "one_time_password" not in found
    assert [entry["name"] for entry in admin.get("/api/v1/accounts", params={"q": name}).json()["items"]] == [name]


def test_name_is_taken_without_regard_to_case(admin: Any, server: RunningServer) -> None:
    name = create_account(server)["name"]
    answer = admin.post("/api/v1/accounts", json={"name": name.upper()})
    assert (answer.status_code, answer.json()["code"]) == (409, "identity.account_name_taken")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": "not a name"}, "letters, digits"),
        ({"roles": ["emperor"]}, "There is no role emperor"),
        ({"entity_ref": "group:default/checkout"}, "must be a ref of a User"),
        ({"entity_ref": "user:"}, "entity_ref"),
        ({"kind": "robot"}, "kind"),
    ],
)
def test_account_that_makes_no_sense_is_refused_with_the_reason(admin: Any, fields: dict[str, Any], words: str) -> None:
    answer = admin.post("/api/v1/accounts", json={"name": new_name(), **fields})
    assert answer.status_code == 422
    assert words in answer.text


def test_repeated_request_finds_the_first_account_without_its_password(admin: Any) -> None:
    headers = {"Idempotency-Key": new_name("key")}
    body = {"name": new_name()}
    first = admin.post("/api/v1/accounts", json=body, headers=headers).json()
    again = admin.post("/api/v1/accounts", json=body, headers=headers)
    assert again.status_code == 201
    assert again.json()["id"] == first["id"]
    assert again.json()["one_time_password"] is None
    answer = admin.post("/api/v1/accounts", json={"name": new_name()}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "request.idempotency_key_reused")


def test_change_counts_from_the_next_request_on(admin: Any, server: RunningServer) -> None:
    person = new_person(server, "viewer")
    assert person.browser.get("/api/v1/accounts").status_code == 403
    admin.patch(f"/api/v1/accounts/{person.name}", json={"roles": ["admin"]})
    assert person.browser.get("/api/v1/accounts").status_code == 200
    changed = admin.patch(
        f"/api/v1/accounts/{person.name}", json={"roles": [], "entity_ref": "", "display_name": "Nobody"}
    ).json()
    assert (changed["roles"], changed["entity_ref"], changed["display_name"]) == ([], None, "Nobody")
    answer = person.browser.get("/api/v1/accounts")
    assert "has no role" in answer.json()["detail"]


def test_reset_password_ends_sessions_and_gives_a_one_time_password(admin: Any, server: RunningServer) -> None:
    person = new_person(server)
    answer = admin.patch(f"/api/v1/accounts/{person.name}", json={"reset_password": True}).json()
    assert answer["one_time_password"].startswith("one-time-")
    assert answer["must_change_password"] is True
    assert person.browser.get("/api/v1/me").status_code == 401
    program = create_account(server, kind="service", name=new_name("ci"))
    answer = admin.patch(f"/api/v1/accounts/{program['name']}", json={"reset_password": True})
    assert (answer.status_code, answer.json()["code"]) == (422, "identity.invalid_account")


@pytest.fixture
def alone(admin: Any) -> Iterator[None]:
    """Have nobody but `admin` be one; other modules of this process have admins of their own, who are again."""
    accounts = admin.get("/api/v1/accounts", params={"limit": 500, "kind": "user"}).json()["items"]
    others = [a for a in accounts if "admin" in a["roles"] and a["name"] != "admin" and not a["is_disabled"]]
    for account in others:
        admin.patch(f"/api/v1/accounts/{account['name']}", json={"roles": ["viewer"]})
    yield
    for account in others:
        back = admin.patch(f"/api/v1/accounts/{account['name']}", json={"roles": account["roles"]})
        assert back.status_code == 200, back.text


@pytest.mark.usefixtures("alone")
def test_last_admin_stays(admin: Any) -> None:
    for change in ({"is_disabled": True}, {"roles": ["viewer"]}):
        answer = admin.patch("/api/v1/accounts/admin", json=change)
        assert (answer.status_code, answer.json()["code"]) == (409, "identity.last_admin")
    assert admin.patch("/api/v1/accounts/admin", json={"roles": ["admin", "viewer"]}).status_code == 200
    assert admin.patch("/api/v1/accounts/admin", json={"roles": ["admin"]}).status_code == 200


def test_viewer_changes_nothing(server: RunningServer) -> None:
    viewer = server.client(server.token("viewer"))
    for method, path, body in (
        ("POST", "/api/v1/accounts", {"name": new_name()}),
        ("PATCH", "/api/v1/accounts/admin", {"roles": []}),
        ("PUT", "/api/v1/roles/viewer", {"permissions": ["*"]}),
        ("DELETE", "/api/v1/roles/viewer", None),
        ("POST", "/platform/accounts/admin/disable", None),
        ("POST", "/platform/roles/viewer", None),
    ):
        answer = viewer.request(method, path, json=body)
        assert answer.status_code == 403, (method, path)
        assert "no role of service:local-viewer (viewer) has" in answer.json()["detail"]
    for path in ("/api/v1/accounts", "/api/v1/roles", "/platform/accounts", "/platform/roles/admin"):
        assert viewer.get(path).status_code == 403


def test_roles_come_with_what_the_domains_declare(admin: Any, server: RunningServer) -> None:
    roles = {role["name"]: role for role in admin.get("/api/v1/roles").json()["items"]}
    assert set(roles) >= {"viewer", "developer", "platform-engineer", "admin"}
    assert roles["admin"]["permissions"] == ["*"]
    declared = server.services.get(Registry).get(PERMISSIONS)
    assert "identity.token.write" in roles["viewer"]["permissions"]
    for role in VIEWERS:
        wanted = sorted(permission.name for permission in declared if role in permission.roles)
        assert roles[role]["permissions"] == wanted or roles[role]["is_changed"]
    assert len(declared) == len({permission.name for permission in declared})


def test_role_is_made_changed_and_deleted(admin: Any, server: RunningServer) -> None:
    name = new_name("role")
    answer = admin.put(f"/api/v1/roles/{name}", json={"title": "Auditor", "permissions": ["audit.*"]})
    assert answer.status_code == 201
    person = new_person(server, name)
    assert person.browser.get("/api/v1/audit").status_code == 200
    answer = admin.put(f"/api/v1/roles/{name}", json={"permissions": ["identity.token.write"]})
    assert answer.status_code == 200
    assert person.browser.get("/api/v1/audit").status_code == 403
    answer = admin.delete(f"/api/v1/roles/{name}")
    assert (answer.status_code, answer.json()["code"]) == (409, "identity.role_in_use")
    admin.patch(f"/api/v1/accounts/{person.name}", json={"roles": ["viewer"]})
    assert admin.delete(f"/api/v1/roles/{name}").status_code == 204
    assert admin.get(f"/api/v1/roles/{name}").status_code == 404
    entries = admin.get("/api/v1/audit", params={"subject": f"role:{name}"}).json()["items"]
    assert [entry["action"] for entry in entries] == [
        "identity.role_deleted",
        "identity.role_changed",
        "identity.role_created",
    ]
    assert entries[1]["before_digest"] == entries[2]["after_digest"]


@pytest.mark.parametrize(
    ("name", "permissions", "status", "code"),
    [
        ("a role", ["audit.*"], 422, "identity.invalid_role"),
        ("new", ["audit.*"], 422, "identity.invalid_role"),
        ("wishful", ["flying.*"], 422, "identity.invalid_role"),
        ("admin", ["audit.*"], 409, "identity.role_fixed"),
    ],
)
def test_role_that_makes_no_sense_is_refused(
    admin: Any, name: str, permissions: list[str], status: int, code: str
) -> None:
    answer = admin.put(f"/api/v1/roles/{name}", json={"permissions": permissions})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_built_in_role_is_not_deleted(admin: Any) -> None:
    answer = admin.delete("/api/v1/roles/viewer")
    assert (answer.status_code, answer.json()["code"]) == (409, "identity.role_fixed")


def test_start_leaves_a_role_that_people_changed_and_renews_the_others(server: RunningServer) -> None:
    async def change_and_seed() -> tuple[Role, Role]:
        async with server.database.write() as session:
            viewer = await find_role(session, "viewer")
            developer = await find_role(session, "developer")
            assert viewer
            assert developer
            viewer.permissions = ["audit.*"]
            developer.permissions = developer.seeded = ["audit.entry.read"]  # as an older Roadbed left it
            await session.flush()
            await seed_roles(session)
            session.expunge_all()
            await session.rollback()
            return viewer, developer

    viewer, developer = server.run(change_and_seed())
    assert viewer.permissions == ["audit.*"]
    assert viewer.is_changed
    assert "identity.token.write" in developer.permissions
    assert not developer.is_changed


def test_who_manages_accounts_cannot_rise_above_their_own_role(admin: Any, server: RunningServer) -> None:
    role = new_name("role")
    admin.put(f"/api/v1/roles/{role}", json={"permissions": ["identity.*"]})
    manager = new_person(server, role)
    api = manager.browser
    refused = [
        api.patch(f"/api/v1/accounts/{manager.name}", json={"roles": ["admin"]}),
        api.patch("/api/v1/accounts/admin", json={"reset_password": True}),
        api.patch("/api/v1/accounts/admin", json={"display_name": "Mine"}),
        api.post("/api/v1/accounts", json={"name": new_name(), "roles": ["admin"]}),
        api.post("/api/v1/tokens", json={"name": "x", "account": "local-admin"}),
        api.put(f"/api/v1/roles/{role}", json={"permissions": ["*"]}),
        api.put("/api/v1/roles/viewer", json={"permissions": ["audit.*"]}),
    ]
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(403, "identity.beyond_own")}
    assert api.post("/api/v1/accounts", json={"name": new_name(), "roles": [role]}).status_code == 201
