"""PostgreSQL: the connection pool, opened with the service and closed with it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

import asyncpg
import structlog
from asyncpg.connection import LoggedQuery
from asyncpg.pool import PoolConnectionProxy
from opentelemetry.trace import SpanKind, StatusCode

from app import SERVICE
from app.migrate import migrate
from app.problems import Problem
from app.tracing import tracer

CONNECT_SECONDS = 5
STATEMENT_SECONDS = 10
PING_SECONDS = 2
RETRY_SECONDS = 0.5

log: structlog.stdlib.BoundLogger = structlog.get_logger("app.database")


class DatabaseUnavailable(Problem):
    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The database does not answer. Try again in a moment.",
            headers={"Retry-After": "5"},
        )


class Database:
    def __init__(self, url: str, *, pool_size: int) -> None:
        self._url = url
        self._pool_size = pool_size
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def open(self, *, wait_seconds: float) -> None:
        """Connect, waiting for a database that is still starting, and update its schema."""
        deadline = time.monotonic() + wait_seconds
        while self._pool is None:
            try:
                self._pool = await asyncpg.create_pool(
                    self._url,
                    min_size=1,
                    max_size=self._pool_size,
                    timeout=CONNECT_SECONDS,
                    command_timeout=STATEMENT_SECONDS,
                    server_settings={"application_name": SERVICE},
                    init=_trace_statements,
                )
            except (OSError, asyncpg.CannotConnectNowError) as error:
                if time.monotonic() >= deadline:
                    raise DatabaseUnavailable from error
                log.warning("database.waiting", reason=str(error))
                await asyncio.sleep(RETRY_SECONDS)
        async with self.connection() as connection:
            applied = await migrate(connection)
        log.info("database.ready", migrations_applied=applied)

    async def close(self) -> None:
        if self._pool is not None:
            pool, self._pool = self._pool, None
            await pool.close()

    async def ping(self) -> None:
        async with self.connection(timeout_seconds=PING_SECONDS) as connection:
            try:
                await connection.execute("SELECT 1", timeout=PING_SECONDS)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                raise DatabaseUnavailable from error

    @asynccontextmanager
    async def connection(
        self, *, timeout_seconds: float = CONNECT_SECONDS
    ) -> AsyncIterator[PoolConnectionProxy[asyncpg.Record]]:
        """Lend a connection. Each statement is its own transaction unless the caller opens one."""
        if self._pool is None:
            raise DatabaseUnavailable
        try:
            connection = await self._pool.acquire(timeout=timeout_seconds)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            raise DatabaseUnavailable from error
        try:
            yield connection
        finally:
            await self._pool.release(connection)


async def _trace_statements(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    connection.add_query_logger(_trace_statement)


def _trace_statement(query: LoggedQuery) -> None:
    """Make a span of a finished statement. Its arguments stay out: they are people's data."""
    ended = time.time_ns()
    span = tracer.start_span(
        query.query.split(maxsplit=1)[0].upper(),
        kind=SpanKind.CLIENT,
        start_time=ended - int(query.elapsed * 1e9),
        attributes={"db.system.name": "postgresql", "db.query.text": query.query},
    )
    if query.exception is not None:
        span.record_exception(query.exception)
        span.set_status(StatusCode.ERROR)
    span.end(ended)
