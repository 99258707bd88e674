"""What every request carries: its trace id, and where it really came from."""

import ipaddress
import re
import secrets
from collections.abc import Sequence

import structlog
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

_TRACEPARENT = re.compile(r"^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$")


def trace_id_of(request: HTTPConnection) -> str:
    """Return the id under which logs and traces of this request are found."""
    trace_id: str = request.scope.get("state", {}).get("trace_id", "")
    return trace_id


class TraceMiddleware:
    """Gives each request a trace id (the caller's W3C `traceparent` if it sent one) and binds it to the log."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        match = _TRACEPARENT.match(HTTPConnection(scope).headers.get("traceparent", ""))
        trace_id = match.group(1) if match else secrets.token_hex(16)
        scope.setdefault("state", {})["trace_id"] = trace_id
        structlog.contextvars.clear_contextvars()
        with structlog.contextvars.bound_contextvars(trace_id=trace_id):
            await self.app(scope, receive, send)


class ProxyMiddleware:
    """Believes `X-Forwarded-For` and `X-Forwarded-Proto`, only from configured proxies and only their last word."""

    def __init__(self, app: ASGIApp, *, trusted: Sequence[str]) -> None:
        self.app = app
        self._networks = [ipaddress.ip_network(network, strict=False) for network in trusted]

    def _is_trusted(self, address: str) -> bool:
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") and self._is_trusted(scope["client"][0]):
            headers = HTTPConnection(scope).headers
            hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
            while hops and self._is_trusted(hops[-1]):
                hops.pop()
            if hops:
                scope["client"] = (hops[-1], 0)
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
        await self.app(scope, receive, send)
