"""Schema migrations: the files in migrations/, applied in order of name when the service starts.

Instances that start together wait for each other, and one that fails leaves the schema untouched.
A file that has been applied somewhere must never change again: add the next one instead.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import asyncpg
from asyncpg.pool import PoolConnectionProxy

FOLDER = Path(__file__).parent / "migrations"
MIGRATION_SECONDS = 600  # for the lock as well: another instance may be migrating
LOCK_ID = 7_362_771_540  # any constant will do, it only has to be the same in every instance
TAKE_LOCK = "SELECT pg_advisory_xact_lock($1)"
CREATE_HISTORY = """
    CREATE TABLE IF NOT EXISTS schema_migrations (
        name text PRIMARY KEY,
        digest text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    )
"""


class MigrationChanged(Exception):
    pass


async def migrate(
    connection: PoolConnectionProxy[asyncpg.Record], *, folder: Path = FOLDER
) -> list[str]:
    """Apply what is missing and return the names of the files that were applied."""
    applied = []
    async with connection.transaction():
        await connection.execute(TAKE_LOCK, LOCK_ID, timeout=MIGRATION_SECONDS)
        await connection.execute(CREATE_HISTORY)
        rows = await connection.fetch("SELECT name, digest FROM schema_migrations")
        known = {row["name"]: row["digest"] for row in rows}
        for name, sql in _read(folder):
            digest = hashlib.sha256(sql.encode()).hexdigest()
            if name not in known:
                await connection.execute(sql, timeout=MIGRATION_SECONDS)
                await connection.execute(
                    "INSERT INTO schema_migrations (name, digest) VALUES ($1, $2)", name, digest
                )
                applied.append(name)
            elif known[name] != digest:
                raise MigrationChanged(
                    f"{name} has changed since it was applied to this database."
                    " Restore it and put the change into a new file."
                )
    return applied


def _read(folder: Path) -> list[tuple[str, str]]:
    return [(file.name, file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.sql"))]
