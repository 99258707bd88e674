"""Errors as pages."""

from fastapi import Request, Response
from fastapi.responses import PlainTextResponse

from roadbed.core.errors import RoadbedError
from roadbed.core.html import AssetsMissing, render
from roadbed.core.http.context import trace_id_of

TITLES = {401: "Sign in first", 403: "You may not do this", 404: "Not found", 409: "That did not fit", 410: "Expired"}


async def error_page(request: Request, status: int, error: RoadbedError) -> Response:
    """Render `error` for a person: what happened, why, and the next step."""
    if isinstance(error, AssetsMissing):  # without them there is no page to render
        return PlainTextResponse(f"{error.message}\n{error.hint}\n", status)
    context = {
        "status": status,
        "title": TITLES.get(status, "That did not work"),
        "message": error.message,
        "hint": error.hint,
        "code": error.code,
        "trace_id": trace_id_of(request),
    }
    return await render(request, "web/shell/error.html", context, status=status)
