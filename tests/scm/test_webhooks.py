"""Other systems are told of pushes, signed, and again when they did not answer."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from roadbed.core.outbound import Outbound
from roadbed.core.settings import OutboundSettings
from roadbed.scm.service.webhooks import sign
from tests.scm.conftest import Project
from tests.waiting import wait_for

SECRET = "the-webhook-secret"


@dataclass
class Receiver:
    """An address that keeps what it is told; `statuses` are its next answers, then 200."""

    url: str = ""
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    kept = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.received.append((dict(self.headers.items()), body))
            self.send_response(kept.statuses.pop(0) if kept.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        kept.url = f"http://127.0.0.1:{server.server_port}/hook"
        yield kept
        server.shutdown()
        thread.join()


@pytest.fixture
def outbound(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbound]:
    """A client that may call this machine, in the place of the server's own."""

    async def make() -> Outbound:
        return Outbound(OutboundSettings(allowed_hosts=["127.0.0.1"]))

    made = project.server.run(make())
    monkeypatch.setitem(project.server.services._instances, Outbound, made)
    yield made
    project.server.run(made.close())


def add(project: Project, url: str, **fields: Any) -> dict[str, Any]:
    client = project.server.client(project.server.token())
    body = {"url": url, "events": ["scm.pushed"], "secret": SECRET, **fields}
    answer = client.post(f"/api/v1/repositories/{project.repository.full_name}/webhooks", json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def deliveries(project: Project, webhook_id: str) -> list[dict[str, Any]]:
    client = project.server.client(project.server.token())
    path = f"/api/v1/repositories/{project.repository.full_name}/webhooks/{webhook_id}/deliveries"
    items: list[dict[str, Any]] = client.get(path).json()["items"]
    return items


def test_push_is_told_with_a_signature(project: Project, receiver: Receiver, outbound: Outbound) -> None:
    webhook = add(project, receiver.url)
    assert SECRET not in json.dumps(webhook)
    project.workspace.git("push", "-q", "origin", "HEAD:told")
    wait_for(lambda: bool(receiver.received))
    headers, body = receiver.received[0]
    assert headers["X-Roadbed-Signature-256"] == sign(SECRET, body)
    assert headers["X-Roadbed-Event"] == "scm.pushed"
    told = json.loads(body)
    assert (told["ref"], told["after"], told["repository"]) == (
        "refs/heads/told",
        project.first_commit,
        project.repository.name,
    )
    wait_for(lambda: deliveries(project, webhook["id"])[0]["delivered_at"] is not None)
    assert deliveries(project, webhook["id"])[0]["status"] == 200


def test_delivery_that_is_not_taken_is_sent_again_as_the_same(
    project: Project, receiver: Receiver, outbound: Outbound
) -> None:
    receiver.statuses = [500]
    add(project, receiver.url)
    project.workspace.git("push", "-q", "origin", "HEAD:again")
    wait_for(lambda: len(receiver.received) == 2)
    first, second = receiver.received
    assert first[0]["X-Roadbed-Delivery"] == second[0]["X-Roadbed-Delivery"]
    assert first[1] == second[1]


def test_only_wanted_events_are_told(project: Project, receiver: Receiver, outbound: Outbound) -> None:
    unwanted = add(project, receiver.url, events=["scm.change_request_changed"])
    wanted = add(project, receiver.url)
    project.workspace.git("push", "-q", "origin", "HEAD:one")
    wait_for(lambda: bool(deliveries(project, wanted["id"])))
    assert deliveries(project, unwanted["id"]) == []


def test_removed_webhook_is_told_nothing_more(project: Project, receiver: Receiver, outbound: Outbound) -> None:
    webhook = add(project, receiver.url)
    client = project.server.client(project.server.token())
    path = f"/api/v1/repositories/{project.repository.full_name}/webhooks"
    assert client.delete(f"{path}/{webhook['id']}").status_code == 204
    assert client.get(path).json()["items"] == []
    assert client.delete(f"{path}/{webhook['id']}").json()["code"] == "scm.webhook_not_found"


def test_private_addresses_are_refused_by_default(project: Project, receiver: Receiver) -> None:
    client = project.server.client(project.server.token())
    body = {"url": receiver.url, "events": ["scm.pushed"]}
    answer = client.post(f"/api/v1/repositories/{project.repository.full_name}/webhooks", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "outbound.address_refused")
    assert "ROADBED_OUTBOUND__ALLOWED_HOSTS" in answer.json()["hint"]
