"""Migrations and the connection pool, against a real PostgreSQL."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from fastapi.testclient import TestClient
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from app.database import Database, DatabaseUnavailable
from app.migrate import FOLDER, MigrationChanged, migrate


async def apply(url: str, folder: Path) -> list[str]:
    async with asyncpg.create_pool(url, min_size=1) as pool, pool.acquire() as connection:
        return await migrate(connection, folder=folder)


async def fetch_value(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    value = await connection.fetchval(query)
    await connection.close()
    return value


def test_instances_that_start_together_migrate_once(database_url: str) -> None:
    async def start_both() -> None:
        databases = [Database(database_url, pool_size=1) for _ in range(2)]
        await asyncio.gather(*(database.open(wait_seconds=5) for database in databases))
        await asyncio.gather(*(database.close() for database in databases))

    asyncio.run(start_both())

    count = asyncio.run(fetch_value(database_url, "SELECT count(*) FROM schema_migrations"))
    assert count == len(list(FOLDER.glob("*.sql")))


def test_changed_migration_is_refused(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "0001_first.sql"
    file.write_text("CREATE TABLE one (id int)")
    assert asyncio.run(apply(database_url, tmp_path)) == [file.name]
    assert asyncio.run(apply(database_url, tmp_path)) == []

    file.write_text("CREATE TABLE one (id bigint)")

    with pytest.raises(MigrationChanged, match=file.name):
        asyncio.run(apply(database_url, tmp_path))


def test_failing_migration_leaves_nothing_behind(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE one (id int)")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE two (id no_such_type)")

    with pytest.raises(asyncpg.UndefinedObjectError):
        asyncio.run(apply(database_url, tmp_path))

    assert asyncio.run(fetch_value(database_url, "SELECT to_regclass('one')")) is None


def test_service_is_ready_while_its_database_answers(service: TestClient) -> None:
    assert service.get("/readyz").json() == {"status": "ready", "database": "answers"}


def test_statements_are_spans_of_the_request_without_its_data(service: TestClient) -> None:
    spans = InMemorySpanExporter()
    provider = trace.get_tracer_provider()
    assert isinstance(provider, TracerProvider)
    provider.add_span_processor(SimpleSpanProcessor(spans))

    service.post("/v1/notes", json={"title": "Private"})

    finished = {span.name: span for span in spans.get_finished_spans()}
    insert, request = finished["INSERT"], finished["POST /v1/notes"]
    assert insert.parent is not None
    assert insert.context.trace_id == request.context.trace_id
    assert "Private" not in insert.to_json()


def test_start_without_a_database_gives_up_after_the_wait() -> None:
    database = Database("postgresql://nobody@/none?host=/nonexistent", pool_size=1)

    with pytest.raises(DatabaseUnavailable):
        asyncio.run(database.open(wait_seconds=0))
