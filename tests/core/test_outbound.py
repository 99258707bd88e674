"""Requests to addresses that users give: what is refused, and what an answer may be."""

import ipaddress
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from roadbed.core.outbound import (
    AddressRefused,
    AnswerTooLarge,
    InvalidUrl,
    Outbound,
    OutboundRequest,
    Unreachable,
    is_public,
)
from roadbed.core.settings import OutboundSettings

pytestmark = pytest.mark.anyio


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        location = {"/to-loop": "/to-loop", "/to-private": "http://10.0.0.1/", "/to-ok": "/ok"}.get(self.path)
        self.send_response(302 if location else 200)
        if location:
            self.send_header("Location", location)
        body = b"x" * 5_000 if self.path == "/large" else self.headers["Host"].encode()
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


async def send(url: str, *, allowed: tuple[str, ...] = (), max_redirects: int = 0, limit: int = 1_048_576) -> bytes:
    outbound = Outbound(OutboundSettings(allowed_hosts=list(allowed), timeout_seconds=5, max_response_bytes=limit))
    try:
        answer = await outbound.send(OutboundRequest(url, max_redirects=max_redirects))
        return str(answer.status).encode() + b" " + answer.body
    finally:
        await outbound.close()


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "0.0.0.0"),  # noqa: S104 - refused
        *("100.64.0.1", "224.0.0.1", "::1", "::", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
        *("64:ff9b::7f00:1", "2002:7f00:1::"),
    ],
)
def test_addresses_of_no_open_network_are_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_open_addresses_are_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0"])
async def test_loopback_is_refused_in_every_spelling(host: str) -> None:
    with pytest.raises((AddressRefused, InvalidUrl, Unreachable)):
        await send(f"http://{host}:1/")


@pytest.mark.parametrize(
    "url", ["ftp://example.com/", "file:///etc/passwd", "http://", "x", "http://a:b@example.com/", ""]
)
async def test_addresses_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(InvalidUrl):
        await send(url)


async def test_allowed_host_gets_the_request_with_its_own_name(receiver: str) -> None:
    port = receiver.rpartition(":")[2]
    assert await send(receiver, allowed=("127.0.0.0/8",)) == f"200 127.0.0.1:{port}".encode()
    by_name = f"http://localhost:{port}"
    assert await send(by_name, allowed=("localhost",)) == f"200 localhost:{port}".encode()


async def test_redirects_are_followed_only_when_wanted_and_checked_anew(receiver: str) -> None:
    allowed = ("127.0.0.1",)
    assert (await send(f"{receiver}/to-ok", allowed=allowed)).startswith(b"302")
    assert (await send(f"{receiver}/to-ok", allowed=allowed, max_redirects=2)).startswith(b"200")
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        await send(f"{receiver}/to-private", allowed=allowed, max_redirects=2)
    with pytest.raises(Unreachable, match="redirects too often"):
        await send(f"{receiver}/to-loop", allowed=allowed, max_redirects=2)


async def test_answer_over_the_limit_is_an_error(receiver: str) -> None:
    with pytest.raises(AnswerTooLarge, match="2,000 bytes"):
        await send(f"{receiver}/large", allowed=("127.0.0.1",), limit=2_000)


async def test_closed_port_and_unknown_host_are_unreachable() -> None:
    with pytest.raises(Unreachable):
        await send("http://127.0.0.1:1/", allowed=("127.0.0.1",))
    with pytest.raises(Unreachable, match=r"There is no host nowhere\.invalid"):
        await send("http://nowhere.invalid/")
