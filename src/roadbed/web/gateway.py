"""The way to workloads: a request to `<workload>.<environment>.<application>.localhost` goes to the workload's process.

All other requests are Roadbed's own. Nothing of Roadbed is answered under the name of a workload, and cookies stay with
the name that set them: a workload's pages can do nothing with the session of whoever looks at them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.errors import Unavailable
from roadbed.core.headers import find_header
from roadbed.core.loopback import Loopback, LoopbackAnswer, LoopbackFailed, LoopbackRequest
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.environments.contract import HostRoute, find_route, split_host

RawHeaders = list[tuple[bytes, bytes]]

_OF_CONNECTIONS = b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade"
_HOP_BY_HOP = frozenset(_OF_CONNECTIONS.split()) | {b"proxy-authenticate", b"proxy-authorization"}
_SAID_ANEW = frozenset((b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"forwarded"))


class GatewayMiddleware:
    """Passes requests on to workloads."""

    def __init__(self, app: ASGIApp, *, services: Services) -> None:
        self.app = app
        self._services = services
        self._base_url = services.get(Settings).base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = (find_header(scope, b"host") or "") if scope["type"] == "http" else ""
        names = split_host(host)
        if names is None:
            await self.app(scope, receive, send)
            return
        try:
            route = await find_route(self._services, ".".join((*names, "localhost")))
        except Unavailable as error:
            await PlainTextResponse(f"{error.message}\n{error.hint}\n", 503)(scope, receive, send)
            return
        if route is None:
            text = f"No workload has the name {host}.\nWhat runs where: {self._base_url}/environments\n"
            await PlainTextResponse(text, 404)(scope, receive, send)
        elif route.port is None:
            text = f"{route.workload} in {route.environment} does not run, or serves nothing."
            await self._explain(route, text, 503)(scope, receive, send)
        else:
            await self._pass_on(route, route.port, scope, receive=receive, send=send)

    def _explain(self, route: HostRoute, text: str, status: int) -> PlainTextResponse:
        return PlainTextResponse(f"{text}\nHow it is with it: {self._base_url}{route.page}\n", status)

    async def _pass_on(self, route: HostRoute, port: int, scope: Scope, *, receive: Receive, send: Send) -> None:
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = Headers(scope=scope)
        has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
        request = LoopbackRequest(
            port,
            target,
            method=scope["method"],
            headers=_request_headers(scope),
            body=_read_body(receive) if has_body else None,
        )
        try:
            answer = await self._services.get(Loopback).send(request, timeout_seconds=None)
        except LoopbackFailed:
            text = f"{route.workload} in {route.environment} does not answer."
            await self._explain(route, text, 502)(scope, receive, send)
            return
        await _hand_back(answer, receive, send)


def _request_headers(scope: Scope) -> RawHeaders:
    headers = [(name, value) for name, value in _end_to_end(scope["headers"]) if name not in _SAID_ANEW]
    host = Headers(scope=scope).get("host", "")
    client = scope["client"][0] if scope.get("client") else ""
    kept = [(name, _without_session(value) if name == b"cookie" else value) for name, value in headers]
    return [
        *((name, value) for name, value in kept if name != b"cookie" or value),
        (b"x-forwarded-for", client.encode()),
        (b"x-forwarded-host", host.encode()),
        (b"x-forwarded-proto", scope["scheme"].encode()),
    ]


def _end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Leave out what is meant for one connection only, by its name or named by `Connection`."""
    lower = [(name.lower(), value) for name, value in headers]
    named = {word.strip().lower() for name, value in lower if name == b"connection" for word in value.split(b",")}
    return [(name, value) for name, value in lower if name not in _HOP_BY_HOP and name not in named]


def _without_session(cookie: bytes) -> bytes:
    parts = (part.strip() for part in cookie.split(b";"))
    return b"; ".join(part for part in parts if part and part.partition(b"=")[0].decode("latin-1") != SESSION_COOKIE)


def _response_headers(answer: LoopbackAnswer) -> RawHeaders:
    return [
        (name, _for_this_host(value) if name == b"set-cookie" else value) for name, value in _end_to_end(answer.headers)
    ]


def _for_this_host(cookie: bytes) -> bytes:
    """Keep a cookie with the name that sets it."""
    parts = cookie.split(b";")
    return b";".join(part for part in parts if part.partition(b"=")[0].strip().lower() != b"domain")


async def _read_body(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError("the client left while it sent")
        yield message.get("body", b"")
        if not message.get("more_body", False):
            return


async def _hand_back(answer: LoopbackAnswer, receive: Receive, send: Send) -> None:
    """Send an answer on piece by piece; the workload is let go as soon as nobody listens any more."""
    sending = asyncio.create_task(_send_answer(answer, send))
    leaving = asyncio.create_task(_wait_until_gone(receive))
    try:
        await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)
        await answer.close()


async def _send_answer(answer: LoopbackAnswer, send: Send) -> None:
    start: Message = {"type": "http.response.start", "status": answer.status, "headers": _response_headers(answer)}
    await send(start)
    async for piece in answer.body():
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _wait_until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
