"""Errors as `application/problem+json` (RFC 9457), with the trace id to look for in the logs."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from app.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"
RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "What went wrong, as RFC 9457 describes it",
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
    }
}


class FieldError(BaseModel):
    field: str
    message: str


class ProblemDetails(BaseModel):
    title: str
    status: int
    detail: str
    trace_id: str | None = None
    errors: list[FieldError] | None = None


class Problem(Exception):
    """Raise it anywhere in a request; the client gets it as a problem document."""

    def __init__(
        self, status: HTTPStatus, detail: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem_response(
    status: int,
    detail: str,
    *,
    errors: list[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body = ProblemDetails(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        trace_id=current_trace_id(),
        errors=errors,
    )
    content = body.model_dump(exclude_none=True)
    return JSONResponse(content, status, headers=headers, media_type=MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    app.exception_handler(Problem)(_handle_problem)
    app.exception_handler(HTTPException)(_handle_http_exception)
    app.exception_handler(RequestValidationError)(_handle_validation_error)


async def _handle_problem(_: Request, error: Problem) -> JSONResponse:
    return problem_response(error.status, error.detail, headers=error.headers)


async def _handle_http_exception(request: Request, error: HTTPException) -> JSONResponse:
    detail = error.detail
    if error.status_code == HTTPStatus.NOT_FOUND and detail == HTTPStatus.NOT_FOUND.phrase:
        detail = f"There is nothing at {request.url.path}."
    return problem_response(error.status_code, detail, headers=error.headers)


async def _handle_validation_error(_: Request, error: RequestValidationError) -> JSONResponse:
    # The rejected value is left out on purpose: it may be a secret.
    errors = [
        FieldError(field=".".join(str(part) for part in e["loc"]), message=e["msg"])
        for e in error.errors()
    ]
    return problem_response(
        HTTPStatus.UNPROCESSABLE_ENTITY, "The request is not valid, see errors.", errors=errors
    )
