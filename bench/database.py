"""A PostgreSQL for a benchmark alone: the one that Roadbed brings, over TCP, in a folder that goes with it."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from roadbed.core.postgres import EmbeddedPostgres, PostgresOptions, Tuning

USER = "bench"
PASSWORD = "bench"  # noqa: S105 - of a server on this machine that lives for minutes


class Database:
    """A running server, used from code that is not asynchronous."""

    def __init__(self, server: EmbeddedPostgres, runner: asyncio.Runner) -> None:
        self._server = server
        self._runner = runner
        self.port = server.port

    def url(self, database: str) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def execute(self, database: str, statement: str) -> None:
        async def work() -> None:
            async with self._server.connect(database) as connection:
                await connection.execute(statement)

        self._runner.run(work())

    def fetch(self, database: str, query: str) -> tuple[Any, ...]:
        """Return the one row of a query."""

        async def work() -> tuple[Any, ...]:
            async with self._server.connect(database) as connection:
                return tuple(await connection.fetchrow(query))

        return self._runner.run(work())


@contextmanager
def run() -> Iterator[Database]:
    """Run a server with an account that may create databases; it and its data are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="roadbed-bench-database-"))
    folder.chmod(0o755)
    tuning = Tuning(tcp_port=free_port(), max_connections=200, shared_buffers_megabytes=1024)
    server = EmbeddedPostgres(folder / "postgres", options=PostgresOptions(tuning=tuning))
    with asyncio.Runner() as runner:
        runner.run(server.start())
        try:
            database = Database(server, runner)
            database.execute("postgres", f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{PASSWORD}'")
            yield database
        finally:
            runner.run(server.stop())
            shutil.rmtree(folder)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
