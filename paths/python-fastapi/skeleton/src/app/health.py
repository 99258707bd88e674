"""What machines ask: is the process alive, can it do its work, what are its figures."""

{% if values.postgres -%}
from http import HTTPStatus

import structlog
from fastapi import APIRouter, Request, Response
{%- else -%}
from fastapi import APIRouter, Response
{%- endif %}
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
{%- if values.postgres %}

from app.database import Database, DatabaseUnavailable
from app.problems import Problem

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.health")
{%- endif %}

PROBES = {"/livez", "/readyz", "/metrics"}

router = APIRouter(include_in_schema=False)


@router.get("/livez")
async def is_alive() -> dict[str, str]:
    """Answer as long as the event loop turns. A failure means: restart the process."""
    return {"status": "alive"}


@router.get("/readyz")
{%- if values.postgres %}
async def is_ready(request: Request) -> dict[str, str]:
    """Ask the database. A failure means: send no requests here, but do not restart."""
    database: Database = request.app.state.database
    try:
        await database.ping()
    except DatabaseUnavailable as error:
        log.warning("readiness.failed", reason=str(error.__cause__ or error))
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
    return {"status": "ready", "database": "answers"}
{%- else %}
async def is_ready() -> dict[str, str]:
    """Answer once the service has started. Check here what it cannot work without."""
    return {"status": "ready"}
{%- endif %}


@router.get("/metrics")
async def read_metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
