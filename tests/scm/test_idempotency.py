"""Idempotency keys, on everything that creates."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.identity.people import new_name
from tests.scm.conftest import Person, Project
from tests.scm.test_changes import push_branch
from tests.scm.test_webhooks import Receiver, outbound, receiver
from tests.support import RunningServer

__all__ = ["outbound", "receiver"]


@pytest.fixture
def api(server: RunningServer, project: Project) -> httpx.Client:
    """An admin, and a repository that has a branch `new` to be merged."""
    push_branch(project, "new", "src/new.py")
    return server.client(server.token())


def creations(project: Project, hooked: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Addresses, with a body and another one."""
    base = f"/api/v1/repositories/{project.repository.full_name}"
    change = {"source_branch": "new", "title": "New"}
    return [
        ("/api/v1/repositories", {"owner": "once", "name": new_name()}, {"owner": "once", "name": new_name()}),
        ("/api/v1/tokens", {"name": "once"}, {"name": "once", "expires_in_days": 3}),
        (f"{base}/change-requests", change, change | {"description": "Other"}),
        (f"{base}/change-requests/1/comments", {"body": "Good"}, {"body": "Bad"}),
        (
            f"{base}/webhooks",
            {"url": hooked, "events": ["scm.pushed"]},
            {"url": f"{hooked}2", "events": ["scm.pushed"]},
        ),
    ]


@pytest.mark.usefixtures("outbound")
def test_key_sent_again_creates_once_and_with_another_body_is_refused(
    api: httpx.Client, project: Project, receiver: Receiver
) -> None:
    for address, body, other in creations(project, receiver.url):
        headers = {"Idempotency-Key": new_name("key")}
        first, again = (api.post(address, json=body, headers=headers) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 201), (address, first.text, again.text)
        assert {**again.json(), "value": None} == {**first.json(), "value": None}, address
        refused = api.post(address, json=other, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (409, "request.idempotency_key_reused"), address
        assert "new key" in refused.json()["hint"]
    comments = api.get(f"/api/v1/repositories/{project.repository.full_name}/change-requests/1").json()["comments"]
    assert [comment["body"] for comment in comments] == ["Good"]


def test_key_at_another_address_is_refused(api: httpx.Client) -> None:
    headers = {"Idempotency-Key": new_name("key")}
    body = {"owner": "once", "name": new_name()}
    assert api.post("/api/v1/repositories", json=body, headers=headers).status_code == 201
    assert api.post("/api/v1/tokens", json={"name": "once"}, headers=headers).status_code == 409


def test_same_key_of_another_person_is_another_key(server: RunningServer, api: httpx.Client, bob: Person) -> None:
    headers = {"Idempotency-Key": new_name("key")}
    first = api.post("/api/v1/repositories", json={"owner": "once", "name": new_name()}, headers=headers)
    other = server.client(bob.token).post(
        "/api/v1/repositories", json={"owner": "once", "name": new_name()}, headers=headers
    )
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


def test_key_sent_at_the_same_time_creates_once(api: httpx.Client) -> None:
    headers, body = {"Idempotency-Key": new_name("key")}, {"name": new_name("token")}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: api.post("/api/v1/tokens", json=body, headers=headers), range(4)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum(answer.json()["value"] is not None for answer in answers) == 1


def test_request_that_failed_leaves_its_key_free(api: httpx.Client) -> None:
    headers, taken = {"Idempotency-Key": new_name("key")}, {"owner": "once", "name": new_name()}
    api.post("/api/v1/repositories", json=taken).raise_for_status()
    assert api.post("/api/v1/repositories", json=taken, headers=headers).json()["code"] == "scm.repository_exists"
    assert api.post("/api/v1/repositories", json=taken | {"name": new_name()}, headers=headers).status_code == 201
