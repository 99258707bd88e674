"""A GitHub organisation in the catalog: registered with a secret, shown, told of changes, waited for, and governed."""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from sqlalchemy import update

from roadbed.core.outbound import Outbound
from roadbed.core.settings import OutboundSettings
from roadbed.integrations.github.service.credentials import Installations
from roadbed.kit.clock import now
from roadbed.runs.models import RunWait
from roadbed.runs.service import resume_overdue
from tests.catalog.conftest import Place, component
from tests.catalog.test_pages import page
from tests.integrations.github.host import Host, Repo, TeamOf, serve
from tests.integrations.github.published import make, webhook_schema
from tests.integrations.github.test_rules import pem
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    faulty = component("gh-faulty", owner="''")
    host = Host(
        repos={
            "orders": Repo({"catalog-info.yaml": component("gh-orders", owner="web")}),
            "faulty": Repo({"catalog-info.yaml": faulty}),
            "old": Repo({"catalog-info.yaml": component("gh-old")}, is_archived=True),
        },
        teams={"core": TeamOf(members=("bob",)), "web": TeamOf("core", ("ada",))},
        members=("ada", "bob"),
        token="ghp_known",
    )
    with serve(host):
        yield host


@pytest.fixture
def acme(place: Place, host: Host, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """A place to register the organisation at, on a server that may speak to this machine and knows no budget yet."""

    async def open_outbound() -> Outbound:
        return Outbound(OutboundSettings(allowed_hosts=["127.0.0.0/8"]))

    outbound = place.server.run(open_outbound())
    monkeypatch.setitem(place.server.services._instances, Outbound, outbound)
    monkeypatch.setitem(place.server.services._instances, Installations, Installations())
    host.remaining, host.limit, host.resets_at = 5000, 5000, int(now().timestamp()) + 3600
    for path, value in (("github/token", "ghp_known"), ("github/webhook", "hook-secret")):
        assert place.api.put(f"/api/v1/secrets/{path}", json={"value": value}).is_success
    yield place
    place.api.delete(f"/api/v1/locations/{place.id}")
    place.server.run(outbound.close())


SOURCE = {"token": "secret://github/token", "webhook_secret": "secret://github/webhook"}


def register(acme: Place, host: Host, **source: Any) -> dict[str, Any]:
    wanted = {"type": "github", "target": f"{host.url}/acme", "source": {**SOURCE, **source}}
    answer = acme.api.post("/api/v1/locations", json=wanted)
    assert answer.status_code == 201, answer.text
    acme.id = answer.json()["location_id"]
    return acme.wait(answer.json()["run_id"])


def test_organisation_is_read_and_shown(acme: Place, host: Host) -> None:
    run = register(acme, host)
    assert run["state"] == "succeeded", run["error"]
    orders = acme.get("component:default/gh-orders").json()
    annotations = orders["metadata"]["annotations"]
    assert annotations["backstage.io/managed-by-location"] == f"url:{host.url}/acme/orders/blob/main/catalog-info.yaml"
    assert annotations["backstage.io/managed-by-origin-location"] == f"github:{host.url}/acme"
    assert annotations["github.com/project-slug"] == "acme/orders"
    assert acme.get("component:default/gh-old").status_code == 404
    relations = {(one["type"], one["target"]) for one in acme.get("group:default/web").json()["relations"]}
    assert relations >= {
        ("childOf", "group:default/core"),
        ("hasMember", "user:default/ada"),
        ("ownerOf", "component:default/gh-orders"),
    }
    link = f"{host.url}/acme/orders/blob/HEAD/catalog-info.yaml#L2"
    assert f'href="{link}"' in page(acme.api, "/catalog/component/default/gh-orders")
    assert f'href="{link}"' in page(acme.api, "/catalog/component/default/gh-orders/source")
    text = page(acme.api, f"/catalog/locations/{acme.id}")
    assert f'href="{host.url}/acme/faulty/blob/HEAD/catalog-info.yaml#L9"' in text
    assert "2 of 3" in text
    assert "2 users, 2 teams" in text
    assert f"/webhooks/github/{acme.id}" in text
    assert re.search(r"4,9\d\d of 5,000, counted anew", text)
    assert "ghp_known" not in text + json.dumps(acme.location()) + json.dumps(run)
    metrics = acme.api.get("/metrics").text
    series = re.search(rf'location_requests_remaining{{location="{acme.id}".*?}} (\S+)', metrics)
    assert series is not None
    assert float(series[1]) == host.remaining


def test_webhook_has_read_what_it_names(acme: Place, host: Host) -> None:
    register(acme, host)
    before = acme.location()["run_id"]
    host.repos["orders"].files["catalog-info.yaml"] = component("gh-orders", owner="web", lifecycle="deprecated")
    orders = {"name": "orders", "default_branch": "main", "owner": {"login": "acme"}}

    def tell(secret: str, **words: Any) -> httpx.Response:
        payload = make(webhook_schema("push"), "webhooks", ref="refs/heads/main")
        payload["repository"] |= orders | words
        body = json.dumps(payload).encode()
        signature = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": signature, "Content-Type": "application/json"}
        return acme.server.client().post(f"/webhooks/github/{acme.id}", content=body, headers=headers)

    refused = tell("guessed")
    assert (refused.status_code, refused.json()["code"]) == (401, "github.delivery_refused")
    assert tell("hook-secret", owner={"login": "other"}).json() == {"status": "ignored"}
    assert tell("hook-secret", default_branch="next").json() == {"status": "ignored"}
    assert acme.location()["run_id"] == before
    host.take_asked()
    assert tell("hook-secret").json() == {"status": "accepted"}
    run = acme.wait(acme.location()["run_id"])
    assert run["steps"][0]["note"] == "1 changed, 4 unchanged, 1 error"
    asked = [path for path, status in host.take_asked() if status == 200]
    assert [path.split("/")[-2] for path in asked] == ["trees", "blobs"]  # of the repository that was pushed to
    audit = acme.api.get("/api/v1/audit", params={"subject": f"location:{acme.id}"}).json()["items"]
    assert {"github.delivery_taken", "github.delivery_refused"} <= {entry["action"] for entry in audit}


def test_reading_waits_until_the_budget_is_counted_anew_and_says_so(acme: Place, host: Host) -> None:
    host.remaining = 252
    wanted = {"type": "github", "target": f"{host.url}/acme", "source": SOURCE}
    started = acme.api.post("/api/v1/locations", json=wanted).json()
    acme.id, run_id = started["location_id"], started["run_id"]

    def find_run() -> dict[str, Any]:
        run: dict[str, Any] = acme.api.get(f"/api/v1/runs/{run_id}").json()
        return run

    run = wait_for(find_run, lambda run: run["state"] == "waiting", what="the wait")
    assert re.match(r"GitHub takes 25\d more of 5,000 requests", run["steps"][0]["note"])
    assert "Waits for its source" in page(acme.api, f"/catalog/locations/{acme.id}")
    assert acme.api.post(f"/api/v1/locations/{acme.id}/refresh").json()["run_id"] == run_id
    host.remaining = 5000

    async def resume() -> None:
        acme.server.services.get(Installations)._budgets.clear()  # as when the time has come
        async with acme.server.database.write() as session:
            await session.execute(
                update(RunWait).where(RunWait.run_id == UUID(run_id)).values(until=now() - timedelta(seconds=1))
            )
            await resume_overdue(session)

    acme.server.run(resume())
    assert acme.wait(run_id)["state"] == "succeeded"
    assert "Waits for its source" not in page(acme.api, f"/catalog/locations/{acme.id}")


def test_app_is_read_with_the_token_of_its_installation(
    acme: Place, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "token", host.installation_token)
    acme.api.put("/api/v1/secrets/github/key", json={"value": pem(generate_private_key(65537, 2048))})
    wanted = {"app_id": "4711", "private_key": "secret://github/key", "people": False}
    answer = acme.api.post("/api/v1/locations", json={"type": "github", "target": f"{host.url}/acme", "source": wanted})
    acme.id = answer.json()["location_id"]
    run = acme.wait(answer.json()["run_id"])
    assert run["state"] == "succeeded", run["error"]
    assert f"Bearer {host.installation_token}" in host.authorizations


def test_secrets_of_others_are_not_sent_anywhere(
    acme: Place, host: Host, client_of: Callable[[str], httpx.Client]
) -> None:
    wanted = {"type": "github", "target": f"{host.url}/acme", "source": SOURCE}
    refused = client_of("developer").post("/api/v1/locations", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (403, "catalog.location_forbidden")
    register(acme, host)
    moved = client_of("developer").put(
        f"/api/catalog/locations/{acme.id}", json={"type": "url", "target": "https://evil.example/acme"}
    )
    assert moved.status_code == 403
    changed = client_of("developer").patch(f"/api/v1/locations/{acme.id}", json={"source": {**SOURCE, "path": "x"}})
    assert changed.status_code == 403
    assert client_of("developer").patch(f"/api/v1/locations/{acme.id}", json={"interval_seconds": 60}).is_success


@pytest.mark.parametrize(
    ("target", "source", "words"),
    [
        ("http://ghe.example.com/acme", {}, "must begin with https://"),
        ("acme/orders", {}, "is not the address of an organisation"),
        ("acme", {"app_id": "1"}, "both its id and its private key"),
        ("acme", {"token": "ghp_plain"}, "source.token"),
        ("acme", {"colour": "red"}, "colour"),
    ],
)
def test_organisation_that_cannot_be_registered_says_why(
    api: httpx.Client, target: str, source: dict[str, Any], words: str
) -> None:
    answer = api.post("/api/v1/locations", json={"type": "github", "target": target, "source": source})
    assert answer.status_code == 422
    assert words in answer.text


def test_organisation_is_registered_with_a_form(acme: Place, host: Host) -> None:
    assert "GitHub organisation" in page(acme.api, "/catalog/register")
    text = page(acme.api, "/catalog/register/github")
    assert 'name="source.token"' in text
    wrong = acme.api.post("/catalog/register/github", data={"target": "a/b"}, headers={"accept": "text/html"})
    assert wrong.status_code == 422
    assert "is not the address of an organisation" in wrong.text
    values = {"target": f"{host.url}/acme", "source.token": "secret://github/token", "source.repositories": "orders"}
    right = acme.api.post("/catalog/register/github", data=values, headers={"accept": "text/html"})
    assert right.status_code == 303
    acme.id = right.headers["location"].rpartition("/")[2]
    acme.wait(acme.location()["run_id"])
    assert acme.location()["source"]["repositories"] == ["orders"]
    assert acme.location()["entities"] == 1 + 2 + 2
    settings = f"/catalog/locations/{acme.id}/settings"
    assert re.search(r'name="source.people"[^>]* checked', page(acme.api, settings))
    values |= {"source.people": "false", "source.forks": "true", "interval_seconds": "600"}
    kept = acme.api.post(settings, data=values, headers={"accept": "text/html"})
    assert kept.status_code == 303, kept.text
    acme.wait(acme.location()["run_id"])
    found = acme.location()
    assert (found["interval_seconds"], found["source"]["people"], found["entities"]) == (600, False, 1)
