"""Fixtures for tests against a real PostgreSQL."""

import asyncio
import os
from collections.abc import Iterator
from uuid import uuid4

import asyncpg
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from app.main import create_app
from app.settings import Settings
from tools.postgres import throwaway_postgres


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    if url := os.environ.get("TEST_DATABASE_URL"):
        yield url
    else:
        with throwaway_postgres() as url:
            yield url


@pytest.fixture
def database_url(server_url: str) -> Iterator[str]:
    """An empty schema for each test, so that tests see nothing of one another or of the server."""
    schema = f"test_{uuid4().hex}"

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(server_url)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(execute(f"CREATE SCHEMA {schema}"))
    yield f"{server_url}{'&' if '?' in server_url else '?'}search_path={schema}"
    asyncio.run(execute(f"DROP SCHEMA {schema} CASCADE"))


@pytest.fixture
def service(database_url: str) -> Iterator[TestClient]:
    """The service in this process, with its database open."""
    with TestClient(create_app(Settings(database_url=SecretStr(database_url)))) as client:
        yield client
