"""The guards around every request, each around a small application."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from roadbed.core.http.context import ProxyMiddleware
from roadbed.core.http.guards import HeadersMiddleware, HeadMiddleware, OneHostMiddleware
from roadbed.core.settings import HttpSettings
from tests.support import RunningServer

BROWSER = {"accept": "text/html"}
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing binds to it here


async def _tell(request: Request) -> Response:
    assert request.client is not None
    return JSONResponse({"client": request.client.host, "scheme": request.url.scheme, "method": request.method})


def ask(
    app: ASGIApp, *, headers: dict[str, str] | None = None, method: str = "GET", client: str = "127.0.0.1"
) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=(client, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8400") as session:
            return await session.request(method, "/here?a=1", headers=headers)

    return asyncio.run(send())


@pytest.fixture
def telling() -> Starlette:
    return Starlette(routes=[Route("/here", _tell, methods=["GET"])])


@pytest.mark.parametrize(
    ("client", "forwarded", "expected"),
    [
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # what the client made up stands first
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "10.0.0.2", "10.0.0.1"),
        ("203.0.113.7", "127.0.0.1", "203.0.113.7"),
    ],
)
def test_only_configured_proxies_say_where_a_request_came_from(
    telling: Starlette, client: str, forwarded: str, expected: str
) -> None:
    app = ProxyMiddleware(telling, trusted=["10.0.0.0/8"])
    answer = ask(app, client=client, headers={"x-forwarded-for": forwarded, "x-forwarded-proto": "https"})
    assert answer.json()["client"] == expected
    assert answer.json()["scheme"] == ("https" if client.startswith("10.") else "http")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_browsers_are_told_to_stay_with_tls_only_behind_it(telling: Starlette, scheme: str) -> None:
    app = ProxyMiddleware(HeadersMiddleware(telling), trusted=["10.0.0.1"])
    answer = ask(app, client="10.0.0.1", headers={"x-forwarded-proto": scheme})
    assert ("strict-transport-security" in answer.headers) == (scheme == "https")


@pytest.mark.parametrize(
    ("own", "listens_on", "host", "target"),
    [
        (None, "127.0.0.1", "localhost:9000", "http://127.0.0.1:9000/here?a=1"),
        (None, "127.0.0.1", "evil.example:8400", "http://127.0.0.1:8400/here?a=1"),
        (None, "127.0.0.1", "127.0.0.1:8400", None),
        (None, EVERYWHERE, "roadbed.lan:8400", None),  # which of its names is meant, nobody said
        ("https://roadbed.example.com", EVERYWHERE, "10.1.2.3:8400", "https://roadbed.example.com/here?a=1"),
        ("https://roadbed.example.com", EVERYWHERE, "Roadbed.Example.com", None),
    ],
)
def test_people_are_led_to_one_host(
    telling: Starlette, own: str | None, listens_on: str, host: str, target: str | None
) -> None:
    app = OneHostMiddleware(telling, own_address=own, listens_on=listens_on)
    answer = ask(app, headers={"host": host, **BROWSER})
    assert answer.headers.get("location") == target
    assert answer.status_code == (307 if target else 200)


def test_programs_and_requests_through_a_proxy_are_not_led_elsewhere(telling: Starlette) -> None:
    app = OneHostMiddleware(telling, own_address="https://roadbed.example.com", listens_on="127.0.0.1")
    assert ask(app, headers={"host": "other"}).status_code == 200
    assert ask(app, headers={"host": "other", "x-forwarded-for": "10.0.0.1", **BROWSER}).status_code == 200


def test_head_is_answered_as_get_without_the_body(telling: Starlette) -> None:
    answer = ask(HeadMiddleware(telling), method="HEAD")
    assert answer.status_code == 200
    assert answer.content == b""
    assert ask(HeadMiddleware(telling)).json()["method"] == "GET"


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/sign-in"])
def test_head_of_an_open_page_needs_no_sign_in(server: RunningServer, path: str) -> None:
    answer = server.client().head(path)
    assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
def test_body_over_the_limit_is_refused_while_it_arrives(server: RunningServer, kind: str) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(HttpSettings().max_request_bytes // 1_000_000 + 1):
            yield b" " * 1_000_000

    answer = server.client_as("developer").post("/api/v1/resources", content=pieces(), headers={"content-type": kind})
    assert answer.status_code == 413, answer.text
    assert answer.json()["code"] == "request.too_large"
    assert answer.json()["hint"]
