"""What happens around every request: security headers, metrics, a log line.

The span is there already: FastAPI makes it, around all of this.
"""

import time
from http import HTTPStatus

import structlog
from opentelemetry import trace
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.health import PROBES
from app.problems import problem_response

SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}
KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

DURATION = Histogram(
    "http_request_duration_seconds",
    "Time from the request's arrival to the end of its response, by route template.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
FAILURES = Counter("unhandled_exceptions_total", "Requests that ended in an error nobody handled.")

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.requests")


class SecurityHeaders:
    """Adds the headers that an API without pages wants; a handler's own value wins."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class ObserveRequests:
    """Measures and logs each request, and turns a crash into a 500."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        started = time.perf_counter()
        try:
            await self.app(scope, receive, send_observed)
        except Exception as error:
            FAILURES.inc()
            trace.get_current_span().record_exception(error)
            log.exception("request.crashed")
            if status:  # the response has begun, all that is left is to break it off
                raise
            response = problem_response(
                HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong on our side."
            )
            await response(scope, receive, send_observed)
        finally:
            _record(scope, status=status, seconds=time.perf_counter() - started)


def _record(scope: Scope, *, status: int, seconds: float) -> None:
    method = scope["method"] if scope["method"] in KNOWN_METHODS else "OTHER"
    # Unknown paths share one label, or anyone could fill the metrics store with made-up ones.
    route = getattr(scope.get("route"), "path", "unmatched")
    DURATION.labels(method, route, status).observe(seconds)
    write = log.debug if route in PROBES else log.info
    write(
        "request.finished",
        method=method,
        route=route,
        path=scope["path"],
        status=status,
        duration_ms=round(seconds * 1000, 1),
    )
