"""Errors on their way out: problem+json (RFC 9457) for programs, a page for people.

This is the one table that gives Roadbed's errors their HTTP status.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import quote

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from roadbed.core import errors
from roadbed.core.access import current_actor, not_signed_in
from roadbed.core.etags import PreconditionFailed
from roadbed.core.http.context import trace_id_of
from roadbed.core.redaction import DataMask

log = structlog.get_logger(__name__)

STATUS: dict[type[errors.RoadbedError], int] = {
    errors.Invalid: 422,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    PreconditionFailed: 412,  # before what it is a kind of
    errors.Conflict: 409,
    errors.Expired: 410,
    errors.TooLarge: 413,
    errors.TooMany: 429,
    errors.Unavailable: 503,
}

ErrorPage = Callable[[Request, int, errors.RoadbedError], Awaitable[Response]]


class InvalidRequest(errors.Invalid):
    code = "request.invalid"


class RouteNotFound(errors.NotFound):
    code = "request.not_found"


class MethodNotAllowed(errors.RoadbedError):
    code = "request.method_not_allowed"


class Unexpected(errors.RoadbedError):
    """What nobody foresaw: a bug. The log has the rest under the trace id."""

    code = "internal"


def status_of(error: errors.RoadbedError) -> int:
    if isinstance(error, MethodNotAllowed):
        return 405
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def problem_response(request: Request, error: errors.RoadbedError) -> Response:
    """Return `error` as a problem document with code, hint and trace id; to git clients as text."""
    status = status_of(error)
    body = {
        "type": f"urn:roadbed:error:{error.code}",
        "title": type(error).__name__,
        "status": status,
        "detail": error.message,
        "code": error.code,
        "hint": error.hint,
        "trace_id": trace_id_of(request),
        **({"problems": error.problems} if isinstance(error, errors.Invalid) and error.problems else {}),
        **({"context": error.context} if error.context else {}),
    }
    is_git = request.url.path.startswith("/git/")
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="Roadbed", charset="UTF-8"' if is_git else "Bearer"
    if isinstance(error, errors.TooMany):
        headers["Retry-After"] = str(error.retry_after_seconds)
    if is_git:  # the git client shows plain text to its user, and nothing else
        return PlainTextResponse(f"{error.message} {error.hint or ''}".strip() + "\n", status, headers)
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def wants_page(request: Request) -> bool:
    """Tell whether a person with a browser asked, rather than a program."""
    is_program_path = request.scope["path"].startswith(("/api/", "/git/", "/metrics", "/livez", "/readyz"))
    is_program = is_program_path or "authorization" in request.headers
    return not is_program and "text/html" in request.headers.get("accept", "")


def _hide_secrets(request: Request, error: errors.RoadbedError) -> None:
    """Remove secret values from an error that quotes what it was given."""
    mask: DataMask | None = request.app.state.services.find(DataMask)
    if mask is not None:
        error.message, error.hint = mask.mask(error.message), mask.mask(error.hint)
        error.context = mask.mask(error.context)
        if isinstance(error, errors.Invalid):
            error.problems = mask.mask(error.problems)


class _Handlers:
    """FastAPI's exception handlers: each turns what it gets into an error of ours, which is then answered."""

    def __init__(self, error_page: ErrorPage) -> None:
        self._error_page = error_page

    async def answer(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, errors.RoadbedError)
        _hide_secrets(request, error)
        if not wants_page(request):
            return problem_response(request, error)
        if isinstance(error, errors.Unauthenticated) and request.method == "GET":
            target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/sign-in?next={quote(target, safe='')}", 303)
        return await self._error_page(request, status_of(error), error)

    async def on_validation_error(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        problems = [
            {"path": ".".join(str(part) for part in fault["loc"]), "reason": fault["msg"]} for fault in error.errors()
        ]
        summary = "; ".join(f"{problem['path']}: {problem['reason']}" for problem in problems[:3])
        hint = "The API's description is at /api/v1/openapi.json."
        return await self.answer(
            request, InvalidRequest(f"The request is not valid: {summary}", hint=hint, problems=problems)
        )

    async def on_http_exception(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        try:
            actor = await current_actor(request)
        except errors.Unauthenticated as refused:
            return await self.answer(request, refused)
        if not actor.is_authenticated:  # who may not see anything is not told what there is
            return await self.answer(request, not_signed_in())
        if error.status_code == 404:
            return await self.answer(request, RouteNotFound(f"There is nothing at {request.url.path}."))
        if error.status_code == 405:
            return await self.answer(
                request, MethodNotAllowed(f"{request.method} is not possible at {request.url.path}.")
            )
        return await self.answer(request, InvalidRequest(str(error.detail)))

    async def on_disconnect(self, request: Request, _: Exception) -> Response:
        """Note that a client went away while it was sending: nobody is left to answer, and nothing is wrong here."""
        log.info("http.client_left", path=request.url.path, method=request.method)
        return Response(status_code=400)

    async def on_unexpected(self, request: Request, error: Exception) -> Response:
        log.error("http.unexpected_error", path=request.url.path, method=request.method, exc_info=error)
        hint = f"Give the trace id to whoever runs this Roadbed: {trace_id_of(request)}."
        return await self.answer(request, Unexpected("Something went wrong that Roadbed did not expect.", hint=hint))


def install(app: FastAPI, *, error_page: ErrorPage) -> None:
    """Make `app` answer every error by this module's table.

    Args:
        app: the application.
        error_page: renders an error for people; the web shell's.
    """
    handlers = _Handlers(error_page)
    app.add_exception_handler(errors.RoadbedError, handlers.answer)
    app.add_exception_handler(RequestValidationError, handlers.on_validation_error)
    app.add_exception_handler(HTTPException, handlers.on_http_exception)
    app.add_exception_handler(ClientDisconnect, handlers.on_disconnect)
    app.add_exception_handler(Exception, handlers.on_unexpected)
