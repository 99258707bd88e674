"""The guards around every request: one host, security headers, cross-site protection, size limit."""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.errors import Forbidden, RoadbedError, TooLarge
from roadbed.core.headers import find_header
from roadbed.core.http.problems import problem_response, wants_page

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteRequest(Forbidden):
    code = "request.cross_site"


class RequestTooLarge(TooLarge):
    code = "request.too_large"


_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), browsing-topics=()"),
)
_BY_DEFAULT = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_TLS_ONLY = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_GOVERNED = frozenset(name for name, _ in (*_ALWAYS, *_BY_DEFAULT))


class HeadersMiddleware:
    """Adds the headers that limit what a page may do, and HSTS when the request came over TLS."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = _limit(message.get("headers", ()))
                if scope["scheme"] == "https":
                    headers.append(_TLS_ONLY)
                message["headers"] = headers
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _limit(given: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    headers = list(given)
    names = {name for name, _ in headers}
    if names.isdisjoint(_GOVERNED):
        return [*headers, *_ALWAYS, *_BY_DEFAULT]
    fixed = {name for name, _ in _ALWAYS}
    kept = [header for header in headers if header[0] not in fixed and header != (b"cache-control", b"")]
    names = {name for name, _ in kept}
    return [*kept, *_ALWAYS, *(header for header in _BY_DEFAULT if header[0] not in names)]


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


class OneHostMiddleware:
    """Leads people who came under another name to the one that Roadbed has, so that they have one session.

    That is its public address; without one, when it listens on loopback, the address that it listens on, with whatever
    port people use (a tunnel may have its own). Only pages are redirected, and only where no proxy stands between:
    a proxy that hides the name would redirect for ever.
    """

    def __init__(self, app: ASGIApp, *, own_address: str | None, listens_on: str) -> None:
        self.app = app
        parts = urlsplit(own_address or "")
        self._address = parts.netloc or None
        self._scheme = parts.scheme or None
        self._loopback = listens_on if listens_on in ("127.0.0.1", "localhost") else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and wants_page(Request(scope)):
            target = self._find_target(Request(scope))
            if target is not None:
                await RedirectResponse(target, 307)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _find_target(self, request: Request) -> str | None:
        asked = request.headers.get("host", "").lower()
        if "x-forwarded-for" in request.headers or not asked:
            return None
        own = self._address or (self._loopback and asked.replace(asked.partition(":")[0], self._loopback, 1))
        if own is None or own.lower() == asked:
            return None
        return str(request.url.replace(netloc=own, scheme=self._scheme or request.url.scheme))


class HeadMiddleware:
    """Answers HEAD as GET, without the body: uvicorn leaves it out, and what goes on sending hears nothing more."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_start(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        answered = {**scope, "method": "GET"}
        try:
            await self.app(answered, receive, send_start)
        finally:
            scope["route"] = answered.get("route")  # what it is counted under


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
        declared = find_header(scope, b"content-length")
        if declared is None and find_header(scope, b"transfer-encoding") is None:  # it has no body
            await self.app(scope, receive, send)
            return
        declared = declared or "0"
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

        async def send_unless_refused(message: Message) -> None:
            if size_bytes <= self.limit_bytes:  # else what is sent here is what the error was taken for on its way
                await send(message)

        await self.app(scope, receive_limited, send_unless_refused)
        if size_bytes > self.limit_bytes:
            await self._refuse(scope)(scope, receive, send)

    def _refuse(self, scope: Scope) -> Response:
        return problem_response(Request(scope), self._error())

    def _error(self) -> RoadbedError:
        return RequestTooLarge(
            f"The request is larger than {self.limit_bytes:,} bytes.",
            hint="Send less, or raise ROADBED_HTTP__MAX_REQUEST_BYTES.",
        )
