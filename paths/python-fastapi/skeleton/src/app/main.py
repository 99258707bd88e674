"""The application: what it is made of, in one place."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app import SERVICE, VERSION, about, health
{%- if values.postgres %}
from app.database import Database
{%- endif %}
from app.middleware import ObserveRequests, SecurityHeaders
{%- if values.postgres %}
from app.notes import api as notes
{%- endif %}
from app.problems import RESPONSES, ProblemDetails, install_problem_handlers
from app.settings import Settings
from app.tracing import flush_traces

MAX_BODY_BYTES = 1_000_000

log: structlog.stdlib.BoundLogger = structlog.get_logger("app")


class Service(FastAPI):
    """FastAPI whose API definition also holds the schema of its errors."""

    def openapi(self) -> dict[str, Any]:
        definition = super().openapi()
        schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        parts = schema.pop("$defs", {}) | {"ProblemDetails": schema}
        definition.setdefault("components", {}).setdefault("schemas", {}).update(parts)
        return definition


def create_app(settings: Settings) -> FastAPI:
    # No /docs page: it would load scripts from elsewhere. The definition is at /openapi.json.
    app = Service(
        title=SERVICE,
        version=VERSION,
        lifespan=_lifespan,
        docs_url=None,
        redoc_url=None,
        responses=RESPONSES,
        telemetry={"exclude": lambda scope: scope["path"] in health.PROBES},
    )
{%- if values.postgres %}
    app.state.database = Database(
        settings.database_url.get_secret_value(), pool_size=settings.database_pool_size
    )
{%- endif %}
    app.state.settings = settings
    # The last one added is the outermost.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
    app.add_middleware(ObserveRequests)
    app.add_middleware(SecurityHeaders)
    install_problem_handlers(app)
    app.include_router(health.router)
    app.include_router(about.router)
{%- if values.postgres %}
    app.include_router(notes.router)
{%- endif %}
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
{%- if values.postgres %}
    database: Database = app.state.database
    await database.open(wait_seconds=app.state.settings.database_wait_seconds)
{%- endif %}
    log.info("service.started", version=VERSION)
    try:
        yield
    finally:
{%- if values.postgres %}
        await database.close()
{%- endif %}
        await asyncio.to_thread(flush_traces)
        log.info("service.stopped")
