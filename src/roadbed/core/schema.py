"""The schema's version: what it is, what it should be, and the way from one to the other."""

from dataclasses import dataclass

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from roadbed.core.db import Database
from roadbed.core.errors import Conflict
from roadbed.core.postgres import OLDEST_MAJOR

LOCK_KEY = 0x526F6164  # "Road": one migration at a time, whichever process comes first


@dataclass(frozen=True)
class SchemaStatus:
    """`current` is None for an empty database. `pending` lists what an upgrade would apply, oldest first."""

    current: str | None
    newest: str
    pending: tuple[str, ...]

    @property
    def is_current(self) -> bool:
        return self.current == self.newest


class UnknownSchema(Conflict):
    code = "schema.unknown"


class ServerTooOld(Conflict):
    """The PostgreSQL that was given lacks what Roadbed's queries need."""

    code = "schema.server_too_old"


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's configuration; `connection` is what its environment works on."""
    config = Config()
    config.set_main_option("script_location", "roadbed:migrations")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _status(connection: Connection) -> SchemaStatus:
    scripts = ScriptDirectory.from_config(alembic_config())
    current = MigrationContext.configure(connection).get_current_revision()
    newest = scripts.get_current_head() or "base"
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise UnknownSchema(
            f"The database has the schema {current}; this Roadbed knows schemas up to {newest}.",
            hint="A newer Roadbed has used it. Start that version, or restore a backup of this one's.",
        )
    pending = tuple(reversed([script.revision for script in scripts.iterate_revisions(newest, current or "base")]))
    return SchemaStatus(current, newest, tuple(revision for revision in pending if revision != current))


async def read_status(database: Database) -> SchemaStatus:
    async with database.engine.connect() as connection:
        return await connection.run_sync(_status)


async def count_tables(database: Database) -> int:
    """Return how many tables anybody has made in the database."""
    own = text("SELECT count(*) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)'")
    async with database.read() as session:
        return await session.scalar(own) or 0


async def read_major(database: Database) -> int:
    """Return the major version of the server."""
    async with database.read() as session:
        return int(await session.scalar(text("SHOW server_version_num"))) // 10_000


async def migrate(database: Database) -> SchemaStatus:
    """Bring the schema to the newest version, alone: other processes wait for the advisory lock.

    Raises:
        ServerTooOld, UnknownSchema: nothing was changed.
    """
    major = await read_major(database)
    if major < OLDEST_MAJOR:
        raise ServerTooOld(
            f"The database is on PostgreSQL {major}; Roadbed needs {OLDEST_MAJOR} or newer.",
            hint="Name a newer one in ROADBED_DATABASE__URL, or leave that out: Roadbed brings one of its own.",
        )

    def upgrade(connection: Connection) -> None:
        command.upgrade(alembic_config(connection), "head")

    async with database.engine.connect() as connection:
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": LOCK_KEY})
        try:
            await connection.commit()
            await connection.run_sync(_status)  # refuses a schema of another version before anything is changed
            await connection.run_sync(upgrade)
            await connection.commit()
        finally:
            await connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK_KEY})
            await connection.commit()
    return await read_status(database)
