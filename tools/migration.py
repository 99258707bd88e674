"""Writes the migration that brings the newest schema to what the models say.

Usage: python tools/migration.py "what changes"
"""

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

from alembic import command

import roadbed.app  # noqa: F401 - loads every domain's models
from roadbed.core.db import Database
from roadbed.core.postgres import EmbeddedPostgres
from roadbed.core.schema import alembic_config, migrate
from roadbed.core.services import Services


async def write_migration(message: str) -> None:
    """Start a throw-away database at the newest migration and compare the models with it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "postgres")
        await server.start()
        try:
            await server.ensure_database("roadbed")
            database = Database(server.url("roadbed"), pool_size=2, statement_timeout_seconds=60, services=Services())
            await migrate(database)
            number = len(list(Path("src/roadbed/migrations/versions").glob("*.py"))) + 1
            async with database.engine.connect() as connection:
                await connection.run_sync(
                    lambda sync: command.revision(
                        alembic_config(sync), message=message, rev_id=f"{number:04}", autogenerate=True
                    )
                )
            await database.close()
        finally:
            await server.stop()


if __name__ == "__main__":
    asyncio.run(write_migration(sys.argv[1]))
    subprocess.run(
        [Path(sys.executable).with_name("ruff"), "format", "--quiet", "src/roadbed/migrations/versions"], check=True
    )
