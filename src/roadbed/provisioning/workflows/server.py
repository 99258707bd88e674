"""The PostgreSQL for workloads: apart from Roadbed's own, on a TCP port of this machine, started when first needed.

Each resource has a role and a database of its own. Nobody but a database's role may connect to it.
"""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from roadbed.core.errors import RoadbedError
from roadbed.core.home import Home
from roadbed.core.postgres import (
    EmbeddedPostgres,
    PostgresEvent,
    PostgresOptions,
    PostgresUnavailable,
    Tuning,
    dump_database,
)
from roadbed.core.postgres.config import HOST
from roadbed.core.services import Services
from roadbed.core.settings import Settings

log = structlog.get_logger(__name__)

FOLDER = "workload-postgres"
PORT_FILE = "port"
PORTS = range(20_000, 30_000)  # below those that Linux gives to outgoing connections
MAX_CONNECTIONS = 200
_ATTEMPTS = 5
_HALF_DROPPED = -2  # pg_database.datconnlimit of a database that an interrupted DROP DATABASE left behind


@dataclass(frozen=True)
class DatabaseWish:
    """A database and its role, both of one name. `verifier` None leaves the password as it is."""

    name: str
    verifier: str | None
    connections: int


class WorkloadServer:
    """The server, and the few statements that are said to it. Changes are made one at a time."""

    def __init__(self, home: Home, settings: Settings) -> None:
        self._home = home
        self._settings = settings
        self._server: EmbeddedPostgres | None = None
        self._starting = asyncio.Lock()
        self._changing = asyncio.Lock()

    @property
    def folder(self) -> Path:
        return self._home.path / FOLDER

    @property
    def has_data(self) -> bool:
        """Whether it was ever started; its port is remembered from then on."""
        return (self.folder / PORT_FILE).exists()

    @property
    def is_running(self) -> bool:
        return self._server is not None

    @property
    def pid(self) -> int | None:
        return self._server.pid if self._server else None

    @property
    def port(self) -> int:
        """The TCP port. Known once the server was started."""
        return int((self.folder / PORT_FILE).read_text())

    async def start(self, *, port: int | None = None) -> EmbeddedPostgres:
        """Return the running server; start it on the first call, a new one on `port` if that is given and free."""
        async with self._starting:
            if self._server is None:
                self._server = await self._start(port)
            return self._server

    def attach(self) -> None:
        """Reach the server that another process of ours runs; `stop` then leaves it alone."""
        server = EmbeddedPostgres(self.folder, options=self._options(self.port))
        server.locate()
        self._server = server

    async def stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def _start(self, wanted: int | None) -> EmbeddedPostgres:
        self._home.folder(FOLDER)
        if self.has_data:
            return await self._start_on(self.port)
        for attempt in range(_ATTEMPTS):
            port = _find_port(wanted)
            try:
                server = await self._start_on(port)
            except PostgresUnavailable as error:
                if "port is in use" not in error.message or attempt == _ATTEMPTS - 1:
                    raise
                continue  # somebody took it between the look and the start
            fresh = self.folder / f"{PORT_FILE}.new"
            fresh.write_text(f"{port}\n")
            fresh.replace(self.folder / PORT_FILE)
            return server
        raise AssertionError("unreachable")

    async def _start_on(self, port: int) -> EmbeddedPostgres:
        server = EmbeddedPostgres(self.folder, options=self._options(port), on_event=_report)
        report = await server.start()
        log.info("workload_postgres.ready", port=port, version=report.version, seconds=round(report.seconds, 2))
        async with server.connect() as connection:
            for database in ("postgres", "template1"):
                await connection.execute(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        return server

    def _options(self, port: int) -> PostgresOptions:
        tuning = Tuning(tcp_port=port, max_connections=MAX_CONNECTIONS, shared_buffers_megabytes=32)
        return PostgresOptions(pg_bin=self._settings.pg_bin, tuning=tuning)

    async def put_database(self, wish: DatabaseWish) -> None:
        """Make the role and the database, or bring them to what is wished."""
        server = await self.start()
        name = quote_name(wish.name)
        password = "" if wish.verifier is None else f" PASSWORD {quote_text(wish.verifier)}"
        async with self._changing, server.connect() as connection:
            is_known = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", wish.name)
            verb = "ALTER" if is_known else "CREATE"
            limits = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
            await connection.execute(f"{verb} ROLE {name} LOGIN {limits} CONNECTION LIMIT {wish.connections}{password}")
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", wish.name):
                # closed until the right to connect is taken from everybody else
                await connection.execute(f"CREATE DATABASE {name} OWNER {name} ALLOW_CONNECTIONS false")
            await connection.execute(f"REVOKE ALL ON DATABASE {name} FROM PUBLIC")
            await connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    async def has_database(self, name: str) -> bool:
        return any(name == found for found in await self.list_databases())

    async def list_databases(self) -> list[str]:
        """List the databases of workloads; none while the server was never needed."""
        return await self._names(
            "SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1"
        )

    async def list_wishes(self) -> list[DatabaseWish]:
        """List the databases that can be connected to, as they would have to be wished for again."""
        if not self.has_data:
            return []
        server = await self.start()
        query = (
            "SELECT datname AS name, rolpassword AS verifier, rolconnlimit AS connections FROM pg_database"
            " JOIN pg_authid ON rolname = datname WHERE datallowconn ORDER BY 1"
        )
        async with server.connect() as connection:
            return [DatabaseWish(**row) for row in await connection.fetch(query)]

    async def list_roles(self) -> list[str]:
        """List the roles of workloads."""
        return await self._names(
            "SELECT rolname AS name FROM pg_roles WHERE rolname !~ '^pg_' AND NOT rolsuper ORDER BY 1"
        )

    async def _names(self, query: str) -> list[str]:
        if not self.has_data:
            return []
        server = await self.start()
        async with server.connect() as connection:
            return [row["name"] for row in await connection.fetch(query)]

    async def drop_database(self, name: str, *, dump: Path) -> None:
        """Close the database to its workload, dump it into a file, then drop it with its role.

        What is gone already is passed over. Fails before anything is dropped when the dump cannot be written; the
        workload may then connect again. A database whose drop was interrupted can only be dropped: PostgreSQL lets
        nobody connect to it, and its dump was written before.
        """
        server = await self.start()
        async with self._changing, server.connect() as connection:
            limit = await connection.fetchval("SELECT datconnlimit FROM pg_database WHERE datname = $1", name)
            if limit is not None:
                if limit != _HALF_DROPPED:
                    await self._close_and_dump(server, connection, name, dump)
                await connection.execute(f"DROP DATABASE {quote_name(name)} WITH (FORCE)")
            await connection.execute(f"DROP ROLE IF EXISTS {quote_name(name)}")

    async def _close_and_dump(self, server: EmbeddedPostgres, connection: Any, name: str, dump: Path) -> None:
        await connection.execute(f"ALTER ROLE {quote_name(name)} NOLOGIN")
        await connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
        try:
            await dump_database(server.programs, url=server.url(name), file=dump)
        except (RoadbedError, OSError):
            await connection.execute(f"ALTER ROLE {quote_name(name)} LOGIN")
            raise


def _report(event: PostgresEvent) -> None:
    log.warning("workload_postgres.event", kind=event.kind, pid=event.pid, detail=event.detail)


def _find_port(wanted: int | None) -> int:
    """Return a port of this machine that is free now, `wanted` before all others."""
    first = [] if wanted is None else [wanted]
    for port in first + random.sample(PORTS, len(PORTS)):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise PostgresUnavailable(
        f"No port between {PORTS.start} and {PORTS.stop} is free on {HOST}.", hint="Stop something that listens there."
    )


def quote_name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@asynccontextmanager
async def open_server(services: Services) -> AsyncIterator[None]:
    """Offer the server to steps, and stop it at the end."""
    server = WorkloadServer(services.get(Home), services.get(Settings))
    services.put(WorkloadServer, server)
    try:
        yield
    finally:
        await server.stop()
