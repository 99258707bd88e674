"""What every request carries: its trace, and where it really came from."""

import ipaddress
import random
import secrets
from collections.abc import Sequence

import structlog
from opentelemetry import trace
from opentelemetry.trace import format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roadbed.core.headers import find_header
from roadbed.core.routes import API_PREFIX

_PROPAGATOR = TraceContextTextMapPropagator()


def trace_id_of(request: HTTPConnection) -> str:
    """Return the id under which logs and traces of this request are found."""
    trace_id: str = request.scope.get("state", {}).get("trace_id", "")
    return trace_id


def route_template(scope: Scope) -> str:
    """Return `/api/v1/runs/{id}` for a request that matched it; `unmatched` otherwise."""
    template: str | None = getattr(scope.get("route"), "path", None)
    if template is None:
        return "unmatched"
    # FastAPI's included routes do not know the prefix that they are included under.
    is_short = scope["path"].startswith(f"{API_PREFIX}/") and not template.startswith(API_PREFIX)
    return API_PREFIX + template if is_short else template


class TraceMiddleware:
    """Gives each request a span, within the caller's trace if it sent a W3C `traceparent`, and its id to the log.

    Without an endpoint for traces nothing is recorded, and the id is the caller's, or made here.
    """

    def __init__(self, app: ASGIApp, *, is_traced: bool) -> None:
        self.app = app
        self._is_traced = is_traced
        self._tracer = trace.get_tracer("roadbed.http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
        elif self._is_traced or find_header(scope, b"traceparent") is not None:
            await self._trace(scope, receive, send)
        else:
            _bind(scope, f"{random.getrandbits(128):032x}")
            await self.app(scope, receive, send)

    async def _trace(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_noting_status(message: Message) -> None:
            if message["type"] == "http.response.start":
                span.set_attribute("http.response.status_code", message["status"])
            await send(message)

        parent = _PROPAGATOR.extract(HTTPConnection(scope).headers)
        with self._tracer.start_as_current_span(
            scope["method"], context=parent, kind=trace.SpanKind.SERVER, attributes={"url.path": scope["path"]}
        ) as span:
            known = span.get_span_context()
            _bind(scope, format_trace_id(known.trace_id) if known.is_valid else secrets.token_hex(16))
            try:
                await self.app(scope, receive, send_noting_status)
            finally:
                span.update_name(f"{scope['method']} {route_template(scope)}")


def _bind(scope: Scope, trace_id: str) -> None:
    """Give a request its id, and the log of its context, which is its own, as well."""
    scope.setdefault("state", {})["trace_id"] = trace_id
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(trace_id=trace_id)


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
        if self._networks and scope["type"] == "http" and scope.get("client") and self._is_trusted(scope["client"][0]):
            headers = HTTPConnection(scope).headers
            hops = [hop.strip() for hop in headers.get("x-forwarded-for", "").split(",") if hop.strip()]
            while hops and self._is_trusted(hops[-1]):
                hops.pop()
            if hops:
                scope["client"] = (hops[-1], 0)
            if headers.get("x-forwarded-proto") in ("http", "https"):
                scope["scheme"] = headers["x-forwarded-proto"]
        await self.app(scope, receive, send)
