"""A Roadbed for others: a proxy in front speaks TLS, and it listens on more than loopback."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.settings import HttpSettings, Settings
from tests import plain_http
from tests.folders import let_postgres_pass
from tests.identity.people import PASSWORD
from tests.process import RoadbedProcess
from tests.support import RunningServer

PUBLIC = "https://roadbed.example.com"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing binds to it here


@pytest.fixture(scope="module")
def roadbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoadbedProcess]:
    """A server that believes what a proxy on this machine says."""
    folder = tmp_path_factory.mktemp("proxied")
    let_postgres_pass(folder)
    roadbed = RoadbedProcess(folder / "home", {"ROADBED_HTTP__TRUSTED_PROXIES": "127.0.0.1/32"}).start()
    yield roadbed
    assert roadbed.stop() == 0, roadbed.output


def sign_in(roadbed: RoadbedProcess, scheme: str) -> tuple[httpx.Response, httpx.Response]:
    """Sign a new person in, who chooses a password, and out; returns the answers to the last two."""
    forwarded = {"x-forwarded-for": "192.0.2.7", "x-forwarded-proto": scheme, "sec-fetch-site": "same-origin"}
    with roadbed.client(roadbed.token()) as admin:
        account: dict[str, Any] = admin.post("/api/v1/accounts", json={"name": f"by-{scheme}"}).json()
    with plain_http.Client(base_url=roadbed.url, headers=forwarded, timeout=60) as browser:
        answer = browser.post("/sign-in", data={"name": account["name"], "password": account["one_time_password"]})
        cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}
        chosen = browser.post("/sign-in/password", data={"password": PASSWORD, "repeated": PASSWORD}, headers=cookie)
        cookie = {"cookie": chosen.headers["set-cookie"].partition(";")[0]}
        return chosen, browser.post("/sign-out", headers=cookie)


def test_session_cookie_is_secure_and_tls_is_remembered_where_the_proxy_says_tls(roadbed: RoadbedProcess) -> None:
    answer, out = sign_in(roadbed, "https")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{SESSION_COOKIE}=")
    assert {"secure", "httponly", "samesite=lax"} <= set(re.split(r"; *", cookie.lower()))
    assert "domain" not in cookie.lower(), "it is of this host alone"
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert "secure" in out.headers["set-cookie"].lower()


def test_without_tls_nothing_speaks_of_it(roadbed: RoadbedProcess) -> None:
    answer, _ = sign_in(roadbed, "http")
    assert answer.headers["set-cookie"].startswith(f"{SESSION_COOKIE}=")
    assert "secure" not in answer.headers["set-cookie"].lower()
    assert "strict-transport-security" not in answer.headers


def change_settings(server: RunningServer, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    settings = server.services.get(Settings).model_copy(update=changes)
    kind: type[Any] = Settings
    monkeypatch.setitem(server.services._instances, kind, settings)


def test_metrics_want_a_token_where_more_than_loopback_is_listened_on(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.client().get("/metrics").status_code == 200
    change_settings(server, monkeypatch, host=EVERYWHERE)
    assert server.client().get("/metrics").status_code == 401
    assert server.client_as("developer").get("/metrics").status_code == 403
    answer = server.client_as("admin").get("/metrics")
    assert answer.status_code == 200
    assert "roadbed_" in answer.text


def test_address_of_an_incoming_webhook_is_the_public_one(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_settings(server, monkeypatch, http=HttpSettings(public_url=PUBLIC))
    admin, body = server.client_as("admin"), {"url": "https://git.example.com/shop/orders.git"}
    made = admin.post("/api/v1/incoming-webhooks", json=body).json()
    assert made["address"] == f"{PUBLIC}/webhooks/{made['id']}"
    page = admin.post("/repositories/incoming", data=body).text
    assert re.search(rf"{re.escape(PUBLIC)}/webhooks/[\w-]+", page)


@pytest.mark.parametrize(
    ("host", "public_url", "address"),
    [
        ("127.0.0.1", None, "http://127.0.0.1:8400"),
        (EVERYWHERE, None, "http://127.0.0.1:8400"),
        ("::1", None, "http://[::1]:8400"),
        (EVERYWHERE, PUBLIC, PUBLIC),
    ],
)
def test_address_for_others_follows_the_settings(
    tmp_path: Path, host: str, public_url: str | None, address: str
) -> None:
    assert Settings(home=tmp_path, host=host, http=HttpSettings(public_url=public_url)).base_url == address
