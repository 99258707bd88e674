"""The embedded PostgreSQL: its programs, its folder, its process, and the lock on Roadbed's home.

Pure asyncio and subprocess. This package knows nothing of settings, tables or sessions; it is given its arguments.

- `server.EmbeddedPostgres` initialises, starts or adopts, watches and stops one server.
- `dump` writes a database to a file and back, for any server.
- `lock.FolderLock` keeps a second process off a folder.

A *place* is where one server keeps its data, socket and logs. To *adopt* is to take over a server that a killed
Roadbed left running. A *remnant* is a process of a server whose postmaster is dead.
"""

from roadbed.core.postgres.binaries import OLDEST_MAJOR, Programs, find_programs
from roadbed.core.postgres.config import Tuning
from roadbed.core.postgres.dump import dump_database, restore_database
from roadbed.core.postgres.errors import (
    DumpFailed,
    FolderLocked,
    PostgresUnavailable,
    ProgramsNotFound,
    WrongMajorVersion,
)
from roadbed.core.postgres.lock import FolderLock
from roadbed.core.postgres.server import (
    EmbeddedPostgres,
    EventKind,
    PostgresEvent,
    PostgresOptions,
    StartReport,
)

__all__ = [
    "OLDEST_MAJOR",
    "DumpFailed",
    "EmbeddedPostgres",
    "EventKind",
    "FolderLock",
    "FolderLocked",
    "PostgresEvent",
    "PostgresOptions",
    "PostgresUnavailable",
    "Programs",
    "ProgramsNotFound",
    "StartReport",
    "Tuning",
    "WrongMajorVersion",
    "dump_database",
    "find_programs",
    "restore_database",
]
