"""Other git hosts tell of pushes: signed, once for each delivery, and nothing else."""

import hashlib
import hmac
import json
import re
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from roadbed.core.db import ReadSession
from roadbed.core.events import EventRow
from roadbed.scm.rules.addresses import read_address
from roadbed.scm.rules.incoming import is_authentic
from roadbed.secrets.contract import list_secrets
from tests.scm.support import new_name, read
from tests.support import RunningServer

Json = dict[str, Any]


class Hook:
    """An incoming webhook, and the host that calls it."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.admin = server.client_as("admin")
        self.url = f"https://git.example.com/shop/{new_name()}.git"
        answer = self.admin.post("/api/v1/incoming-webhooks", json={"url": self.url})
        assert answer.status_code == 201, answer.text
        made: Json = answer.json()
        self.id, self.secret, self.address = made["id"], made["secret"], made["address"]

    def sign(self, body: bytes) -> str:
        return hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()

    def tell(self, payload: Json, headers: dict[str, str]) -> httpx.Response:
        """Send a delivery; `SIGNATURE` in a header becomes its signature and `SECRET` the secret."""
        body = json.dumps(payload).encode()
        known = {"SIGNATURE": self.sign(body), "SECRET": self.secret}
        sent = {name: re.sub("SIGNATURE|SECRET", lambda word: known[word[0]], text) for name, text in headers.items()}
        return self.server.client().post(self.address, content=body, headers=sent)

    def events(self) -> list[Json]:
        """Return the pushes that were announced."""

        async def find(session: ReadSession) -> list[Json]:
            query = select(EventRow.payload).where(EventRow.name == "scm.push_received").order_by(EventRow.id)
            return [payload for payload in await session.scalars(query) if payload["hook_id"] == self.id]

        return read(self.server, find)

    def audit(self, action: str) -> list[Json]:
        items: list[Json] = self.admin.get("/api/v1/audit", params={"action": action, "limit": 100}).json()["items"]
        return [item for item in items if item["subject"] == f"incoming-webhook:{self.id}"]


@pytest.fixture
def hook(server: RunningServer) -> Hook:
    return Hook(server)


GITHUB = {"X-GitHub-Event": "push", "X-GitHub-Delivery": "1", "X-Hub-Signature-256": "sha256=SIGNATURE"}
GITEA = {"X-Gitea-Event": "push", "X-Gitea-Delivery": "1", "X-Gitea-Signature": "SIGNATURE"}
GITLAB = {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Event-UUID": "1", "X-Gitlab-Token": "SECRET"}
PUSH = {"ref": "refs/heads/main", "after": "a" * 40, "repository": {"default_branch": "main"}}


@pytest.mark.parametrize(
    ("headers", "payload"),
    [
        (GITHUB, PUSH),
        (GITEA, PUSH),
        (GITLAB, {"ref": "refs/heads/main", "project": {"default_branch": "main"}, "repository": {"name": "orders"}}),
    ],
    ids=["github", "gitea", "gitlab"],
)
def test_signed_push_is_announced_once(hook: Hook, headers: dict[str, str], payload: Json) -> None:
    first, again = hook.tell(payload, headers), hook.tell(payload, headers)
    assert (first.status_code, first.json()) == (202, {"status": "accepted"})
    assert (again.status_code, again.json()) == (202, {"status": "known"})
    assert hook.events() == [{"hook_id": hook.id, "url": hook.url, "branch": "main", "is_default_branch": True}]
    assert len(hook.audit("scm.push_received")) == 1
    second = {name: "2" if value == "1" else value for name, value in headers.items()}
    assert hook.tell({**payload, "ref": "refs/heads/next/one"}, second).json() == {"status": "accepted"}
    assert hook.events()[1] == {**hook.events()[0], "branch": "next/one", "is_default_branch": False}


@pytest.mark.parametrize(
    "headers",
    [
        {"X-GitHub-Event": "push"},
        {**GITHUB, "X-Hub-Signature-256": "sha256=" + "0" * 64},
        {**GITHUB, "X-Hub-Signature-256": "sha256=", "X-Gitlab-Token": ""},
        {**GITEA, "X-Gitea-Signature": "SECRET"},
        {**GITLAB, "X-Gitlab-Token": "SIGNATURE"},
    ],
)
def test_wrong_signature_is_refused_and_noted_once(hook: Hook, headers: dict[str, str]) -> None:
    for _ in range(3):
        answer = hook.tell(PUSH, headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "scm.signature_refused")
    assert hook.events() == []
    assert len(hook.audit("scm.incoming_push_refused")) == 1


def test_signature_of_other_letters_is_refused() -> None:
    assert not is_authentic({"x-hub-signature-256": "sha256=é"}, b"{}", "secret")
    assert not is_authentic({"x-gitlab-token": "é"}, b"{}", "secret")


def test_changed_body_does_not_fit_its_signature(hook: Hook) -> None:
    signed = hook.sign(json.dumps(PUSH).encode())
    answer = hook.tell({**PUSH, "ref": "refs/heads/other"}, {**GITHUB, "X-Hub-Signature-256": f"sha256={signed}"})
    assert answer.status_code == 401


def test_unknown_hook_answers_as_a_wrong_secret_does(hook: Hook) -> None:
    hook.address = hook.address.replace(hook.id, str(UUID(int=7)))
    assert hook.tell(PUSH, GITHUB).json()["code"] == "scm.signature_refused"


@pytest.mark.parametrize(
    ("headers", "payload"),
    [({**GITHUB, "X-GitHub-Event": "ping"}, PUSH), (GITHUB, {"ref": "refs/tags/v1"}), (GITHUB, {"zen": "Be."})],
)
def test_what_is_no_push_to_a_branch_is_ignored(hook: Hook, headers: dict[str, str], payload: Json) -> None:
    answer = hook.tell(payload, headers)
    assert (answer.status_code, answer.json()) == (202, {"status": "ignored"})
    assert hook.events() == []


def test_delivery_that_is_too_large_is_refused(hook: Hook) -> None:
    answer = hook.tell({**PUSH, "more": "x" * 10_500_000}, GITHUB)
    assert answer.status_code == 413


def test_removed_hook_listens_no_more(hook: Hook) -> None:
    path = "/api/v1/incoming-webhooks"
    listed = next(item for item in hook.admin.get(path).json()["items"] if item["id"] == hook.id)
    assert listed["url"] == hook.url
    assert hook.secret not in json.dumps(listed)
    assert hook.admin.delete(f"{path}/{hook.id}").status_code == 204
    assert hook.tell(PUSH, GITHUB).status_code == 401
    assert hook.admin.delete(f"{path}/{hook.id}").json()["code"] == "scm.incoming_hook_not_found"
    assert read(hook.server, lambda session: list_secrets(session, prefix=f"scm/incoming/{hook.id}", limit=1)) == []


def test_hooks_are_for_those_who_manage_repositories(server: RunningServer) -> None:
    for method in ("GET", "POST"):
        answer = server.client_as("developer").request(method, "/api/v1/incoming-webhooks", json={"url": "x"})
        assert answer.status_code == 403
    answer = server.client_as("platform-engineer").post("/api/v1/incoming-webhooks", json={"url": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "scm.invalid_incoming_hook")


def test_page_shows_the_secret_once(server: RunningServer) -> None:
    client = server.client_as("platform-engineer")
    url = f"https://git.example.com/{new_name()}/orders"
    made = client.post("/repositories/incoming", data={"url": url}).text
    address = re.search(r"http://[\w.:]+/webhooks/([\w-]+)", made)
    assert address
    assert 'id="secret"' in made
    later = client.get("/repositories/incoming").text
    assert url in later
    assert 'id="secret"' not in later
    assert client.post(f"/repositories/incoming/{address[1]}/remove").status_code == 303
    assert url not in client.get("/repositories/incoming").text
    refused = client.post("/repositories/incoming", data={"url": "orders"})
    assert refused.status_code == 422
    assert "is not the address of a git repository elsewhere" in refused.text


@pytest.mark.parametrize(
    ("url", "key", "port"),
    [
        ("https://git.example.com/shop/orders.git", "git.example.com/shop/orders", 443),
        ("https://git.example.com:8443/shop/orders/", "git.example.com/shop/orders", 8443),
        ("http://Git.Example.com/Shop/Orders", "git.example.com/shop/orders", 80),
        ("ssh://git@git.example.com/shop/orders.git", "git.example.com/shop/orders", 22),
        ("git@git.example.com:shop/orders.git", "git.example.com/shop/orders", 22),
        ("git://[2001:db8::1]/orders", "2001:db8::1/orders", 9418),
    ],
)
def test_addresses_of_one_repository_have_one_key(url: str, key: str, port: int) -> None:
    address = read_address(url)
    assert address is not None
    assert (address.key, address.port) == (key, port)


@pytest.mark.parametrize(
    "url", ["file:///srv/x", "roadbed:a/b", "/srv/x", "https://", "https://host", "orders", "git@x:"]
)
def test_what_has_no_host_is_no_address(url: str) -> None:
    assert read_address(url) is None
