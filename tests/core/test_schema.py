"""The migrations give the schema that the models describe."""

from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

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


def test_migrating_again_changes_nothing(server: RunningServer) -> None:
    before = server.run(read_status(server.database))
    assert before.is_current
    assert server.run(migrate(server.database)) == before
