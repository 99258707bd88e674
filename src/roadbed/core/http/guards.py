"""The guards around every request: security headers, cross-site protection, size limit."""

from collections.abc import Callable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.errors import Forbidden, RoadbedError, TooLarge
from roadbed.core.http.problems import problem_response

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRequest(Forbidden):
    code = "request.cross_site"


class RequestTooLarge(TooLarge):
    code = "request.too_large"


class HeadersMiddleware:
    """Adds the headers that limit what a page may do, and HSTS when the request came over TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("Referrer-Policy", "same-origin")
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Cross-Origin-Opener-Policy"] = "same-origin"
                headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
                headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), browsing-topics=()"
                if scope["scheme"] == "https":
                    headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
                if not headers.get("Cache-Control"):
                    headers["Cache-Control"] = "no-store"
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class CrossSiteMiddleware:
    """Refuses state-changing requests that another site made a browser send.

    Browsers tell by `Sec-Fetch-Site`, older ones by `Origin`; a request with our session cookie and neither is refused.
    Without the cookie a request is refused when the browser says that another site sent it, so that nobody is signed in
    to an account that is not theirs. Programs tell nothing, and carry a token. `same-site` is not enough: cookies
    ignore ports, and workloads run on other ports and names of this host. See
    docs/decisions/0003-cross-site-requests.md.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE_METHODS:
            request = Request(scope)
            names_its_site = "sec-fetch-site" in request.headers or "origin" in request.headers
            if (names_its_site or SESSION_COOKIE in request.cookies) and not _is_same_origin(request):
                error = CrossSiteRequest(
                    "This request came from another site, so it was not carried out.",
                    hint="Open the page again from this address. Programs use a token instead of a cookie.",
                )
                await problem_response(request, error)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _is_same_origin(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if not origin:
        return False
    parts = urlsplit(origin)
    return parts.netloc == request.headers.get("host") and parts.scheme == request.url.scheme


class SizeLimitMiddleware:
    """Refuses request bodies over the limit, told by `Content-Length` or found while reading."""

    def __init__(self, app: ASGIApp, *, limit_bytes: int, is_exempt: Callable[[str], bool]) -> None:
        self.app = app
        self.limit_bytes = limit_bytes
        self.is_exempt = is_exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.is_exempt(scope["path"]):
            await self.app(scope, receive, send)
            return
        declared = HTTPConnection(scope).headers.get("content-length", "0")
        if not declared.isdigit() or int(declared) > self.limit_bytes:
            await self._refuse(scope)(scope, receive, send)
            return
        size_bytes = 0

        async def receive_limited() -> Message:
            nonlocal size_bytes
            message = await receive()
            size_bytes += len(message.get("body", b""))
            if size_bytes > self.limit_bytes:
                raise self._error()
            return message

        await self.app(scope, receive_limited, send)

    def _refuse(self, scope: Scope) -> Response:
        return problem_response(Request(scope), self._error())

    def _error(self) -> RoadbedError:
        return RequestTooLarge(
            f"The request is larger than {self.limit_bytes:,} bytes.",
            hint="Send less, or raise ROADBED_HTTP__MAX_REQUEST_BYTES.",
        )
