"""Git locations elsewhere that are fetched with a credential: from a host that asks for one."""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from roadbed.catalog.rules.git_options import SCHEMA, GitCredential, find_fault, read_credential, write_settings
from roadbed.catalog.workflows.git import Access, run_git
from roadbed.core.outbound import Outbound
from roadbed.core.settings import OutboundSettings
from tests.catalog.conftest import Place, component
from tests.catalog.outside import outside_host
from tests.catalog.test_refresh import look

PASSWORD = "s3cret-of-the-repository"
SENT = base64.b64encode(f"legible:{PASSWORD}".encode()).decode()
REFERENCE = "secret://integrations/private-git"


@pytest.mark.parametrize(
    ("url", "options", "is_sound"),
    [
        ("https://git.example.com/a/b.git", {}, True),
        ("https://git.example.com/a/b.git", {"token": REFERENCE}, True),
        ("https://git.example.com/a/b.git", {"token": REFERENCE, "username": "ada"}, True),
        ("https://git.example.com/a/b.git", {"username": "ada"}, False),
        ("https://git.example.com/a/b.git", {"token": "", "username": ""}, True),
        ("http://127.0.0.1:3000/a/b.git", {"token": REFERENCE}, True),
        ("http://localhost/a/b.git", {"token": REFERENCE}, True),
        ("http://git.example.com/a/b.git", {"token": REFERENCE}, False),
        ("http://127.0.0.1.example.com/a/b.git", {"token": REFERENCE}, False),
        ("ssh://git@git.example.com/a/b.git", {"token": REFERENCE}, False),
        ("git@git.example.com:a/b.git", {"token": REFERENCE}, False),
        ("file:///srv/a.git", {"token": REFERENCE}, False),
        ("roadbed:team/orders", {"token": REFERENCE}, False),
    ],
)
def test_credential_is_sent_where_nobody_else_reads_it(url: str, options: dict[str, Any], is_sound: bool) -> None:
    assert (find_fault(url, options) is None) is is_sound


@pytest.mark.parametrize(
    ("options", "is_sound"),
    [
        ({"token": REFERENCE}, True),
        ({"token": "ghp_plain"}, False),
        ({"token": REFERENCE, "username": "a:b"}, False),
        ({"token": REFERENCE, "username": "a\nHost: x"}, False),
        ({"token": REFERENCE, "password": REFERENCE}, False),
    ],
)
def test_options_refer_to_a_secret_and_hold_none(options: dict[str, Any], is_sound: bool) -> None:
    assert jsonschema_rs.Draft7Validator(SCHEMA).is_valid(options) is is_sound


def test_credential_is_for_one_host_and_not_shown() -> None:
    credential = read_credential({"token": REFERENCE})
    assert credential == GitCredential("x-access-token", REFERENCE)
    settings = write_settings("https://git.example.com:8443/a/b.git", credential, "value")
    assert list(settings) == ["http.https://git.example.com:8443/.extraHeader"]
    access = Access((), settings)
    assert not any(value in repr(access) for value in settings.values())
    name = next(iter(settings))
    assert run_git("config", "--get", name, access=access).decode().strip() == settings[name]


@pytest.fixture
def private_host(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[str]]]:
    """A repository whose host asks for a password, which the server may reach; and what the host was sent."""

    async def make() -> Outbound:
        return Outbound(OutboundSettings(allowed_hosts=["127.0.0.0/8"]))

    outbound = place.server.run(make())
    monkeypatch.setitem(place.server.services._instances, Outbound, outbound)
    place.write(**{"catalog-info": component("private-git")})
    place.commit()
    seen: list[str] = []
    with outside_host(place.folder.parent, password=f"legible:{PASSWORD}", seen=seen) as host:
        yield f"{host}/{place.folder.name}/.git", seen
    place.server.run(outbound.close())


def test_private_repository_is_read_and_its_credential_shown_nowhere(
    place: Place, private_host: tuple[str, list[str]], client_of: Callable[[str], httpx.Client]
) -> None:
    url, seen = private_host
    assert place.register_target("git", url)["state"] == "failed"
    refused = place.location()["error"]
    assert refused["message"].startswith("git says:")
    assert seen == [""]
    put = place.api.put(f"/api/v1/secrets/{REFERENCE.removeprefix('secret://')}", json={"value": PASSWORD})
    assert put.status_code < 300, put.text
    source = {"token": REFERENCE, "username": "legible"}
    address = f"/api/v1/locations/{place.id}"
    refused_to = client_of("developer").patch(address, json={"source": source})
    assert (refused_to.status_code, refused_to.json()["code"]) == (403, "catalog.location_forbidden")
    changed = place.api.patch(address, json={"source": source})
    assert (changed.status_code, changed.json()["source"]) == (200, source)
    run = place.wait(changed.json()["run_id"])
    assert run["state"] == "succeeded", run["error"]
    assert place.get("component:default/private-git").status_code == 200
    assert set(seen[1:]) == {f"Basic {SENT}"}
    place.write(**{"catalog-info": component("private-git", lifecycle="deprecated")})
    place.commit()
    assert place.wait(look(place)["run_id"])["state"] == "succeeded"  # the schedule asks with it, too
    shown = json.dumps([run, place.location(), place.api.get(f"/api/v1/runs/{place.run_id}/logs").text])
    shown += place.api.get(f"/catalog/locations/{place.id}/settings").text
    assert PASSWORD not in shown
    assert SENT not in shown
    assert REFERENCE in shown


def test_wrong_or_missing_credential_says_so_without_it(place: Place, private_host: tuple[str, list[str]]) -> None:
    url, _ = private_host
    place.api.put("/api/v1/secrets/integrations/wrong-git", json={"value": "another-password"})
    for name, said in (("wrong-git", "git says:"), ("no-git", "no-git")):
        reference = f"secret://integrations/{name}"
        body = {"type": "git", "target": url, "source": {"token": reference, "username": "legible"}}
        answer = place.api.post("/api/v1/locations", json=body)
        place.id = answer.json()["location_id"]
        assert place.wait(answer.json()["run_id"])["state"] == "failed"
        error = json.dumps(place.location()["error"])
        assert said in error
        assert "another-password" not in error
        place.api.delete(f"/api/v1/locations/{place.id}")


def test_credential_that_would_be_sent_in_clear_is_refused(place: Place) -> None:
    body = {"type": "git", "target": "http://git.example.com/a/b.git", "source": {"token": REFERENCE}}
    answer = place.api.post("/api/v1/locations", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "catalog.location_invalid")
    assert "https:// only" in answer.json()["detail"]


def test_form_registers_a_repository_with_a_credential(place: Place, private_host: tuple[str, list[str]]) -> None:
    url, _ = private_host
    place.api.put(f"/api/v1/secrets/{REFERENCE.removeprefix('secret://')}", json={"value": PASSWORD})
    form = place.api.get("/catalog/register/git", headers={"accept": "text/html"})
    assert 'name="source.token"' in form.text
    assert 'href="/catalog/register/git"' in place.api.get("/catalog/register").text
    given = {"target": url, "source.token": "plain-text-token", "source.username": "legible"}
    refused = place.api.post("/catalog/register/git", data=given)
    assert refused.status_code == 422
    sent = place.api.post("/catalog/register/git", data={**given, "source.token": REFERENCE})
    assert sent.status_code == 303, sent.text
    place.id = sent.headers["location"].rpartition("/")[2]
    assert place.wait(place.location()["run_id"])["state"] == "succeeded"
