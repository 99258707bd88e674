"""Fixtures for all tests."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
{%- if values.postgres %}
from pydantic import SecretStr
{%- endif %}

from app.logs import configure_logging
from app.main import create_app
from app.settings import Settings
from app.tracing import configure_tracing


@pytest.fixture(scope="session", autouse=True)
def _set_up_as_in_production() -> None:
    configure_logging("info")
    configure_tracing(None)


@pytest.fixture
def app() -> FastAPI:
    """The service as it is before its start{% if values.postgres %}: without a database{% endif %}."""
{%- if values.postgres %}
    settings = Settings(database_url=SecretStr("postgresql://unused"))
{%- else %}
    settings = Settings()
{%- endif %}
    return create_app(settings)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app)
