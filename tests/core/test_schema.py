"""The migrations give the schema that the models describe."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from roadbed.core import schema
from roadbed.core.db import Base
from roadbed.core.schema import migrate, read_status
from tests.support import RunningServer


def test_models_and_migrations_agree(server: RunningServer) -> None:
    def compare(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    async def look() -> list[Any]:
        async with server.database.engine.connect() as connection:
            return await connection.run_sync(compare)

    assert server.run(look()) == []


def test_server_that_is_too_old_is_refused_before_anything_is_changed(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No PostgreSQL 14 is at hand: the oldest that is taken is raised above this one's version instead."""
    major = server.run(schema.read_major(server.database))
    monkeypatch.setattr(schema, "OLDEST_MAJOR", major + 1)
    with pytest.raises(
        schema.ServerTooOld, match=f"on PostgreSQL {major}; Roadbed needs {major + 1} or newer"
    ) as refused:
        server.run(migrate(server.database))
    assert "ROADBED_DATABASE__URL" in str(refused.value.hint)
    monkeypatch.setattr(schema, "OLDEST_MAJOR", major)
    assert server.run(migrate(server.database)).is_current


def test_migrating_again_changes_nothing(server: RunningServer) -> None:
    before = server.run(read_status(server.database))
    assert before.is_current
    assert server.run(migrate(server.database)) == before
