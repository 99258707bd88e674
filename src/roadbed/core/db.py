"""The database: engine, sessions, and the one transaction of a request or step.

`ReadSession` and `WriteSession` are different types, so that a function's signature tells whether it changes anything.
Nothing but this module commits. Queries live in repositories.
"""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from socket import gaierror
from typing import Annotated, Any, TypeVar, cast
from urllib.parse import urlsplit

import asyncpg
from fastapi import Depends, Request
from sqlalchemy import JSON, ColumnElement, DateTime, MetaData, Select, TextClause, any_, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import QueuePool

from roadbed.core.access import current_actor
from roadbed.core.actor import Actor
from roadbed.core.background import is_ending
from roadbed.core.connections import check_connections
from roadbed.core.errors import DatabaseAway, Deadlock, TextInvalid, TransactionLost, ValueTooLarge
from roadbed.core.services import Services
from roadbed.kit import jsons

T = TypeVar("T")
SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])
_PIECE_SIZE = 4_000_000
LOSS_SECONDS = 300.0
_NOT_TEXT = frozenset({"22021", "22P05"})  # in a text, and in a document
_TOO_LARGE = frozenset({"22003", "54000"})  # a number, and a text in an index
_DEADLOCK = "40P01"
_NUMBER_REFUSED = "value out of int"  # by the driver, before it is sent
_UNREACHABLE = frozenset(
    {
        errno.ENOENT,  # the Unix socket
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.ECONNABORTED,
        errno.EPIPE,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ETIMEDOUT,
    }
)


class Base(DeclarativeBase):
    """Base of all tables. Times are aware; dictionaries and lists are JSONB."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain attribute
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        list[str]: JSONB,
    }


class ReadSession(AsyncSession):
    """A session in a read-only transaction."""

    services: Services


class WriteSession(ReadSession):
    """A session whose transaction is committed once, at the edge, by `Database.write`.

    `before_commit` is done as the last part of it, in order, so that locks it takes are held for a moment only.
    `after_commit` is done then, in order: for what this process holds in memory. What must not be lost is an event.
    """

    before_commit: list[Callable[[], Awaitable[None]]]
    after_commit: list[Callable[[], Awaitable[None]]]


class Database:
    """One pool of connections to one PostgreSQL database."""

    def __init__(self, url: str, *, pool_size: int, statement_timeout_seconds: int, services: Services) -> None:
        self.url = async_url(url)
        self.services = services
        self.engine: AsyncEngine = create_async_engine(
            self.url,
            pool_size=pool_size,
            max_overflow=0,
            json_serializer=_write_document,
            connect_args={
                "server_settings": {
                    "application_name": "roadbed",
                    "timezone": "UTC",
                    "statement_timeout": f"{statement_timeout_seconds}s",
                    "idle_in_transaction_session_timeout": "60s",
                }
            },
        )
        check_connections(self.engine)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[ReadSession]:
        """Give a session that cannot change anything and sees one state throughout.

        Raises:
            DatabaseAway: the database does not answer.
        """
        async with _naming_losses(), ReadSession(self.engine, autoflush=False) as session:
            session.services = self.services
            await session.connection(
                execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
            )
            yield session

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Give a session and commit it at the end, or roll everything back when the block raises.

        Raises:
            DatabaseAway: the database does not answer. Whether it has committed is not known when that was the end.
            Deadlock: another transaction and this one waited for each other. Nothing of this one is kept.
        """
        async with _naming_losses(), WriteSession(self.engine, expire_on_commit=False) as session:
            session.services = self.services
            session.before_commit, session.after_commit = [], []
            yield session
            for work in session.before_commit:
                await work()
            await session.commit()
        for work in session.after_commit:
            await work()

    @property
    def connections_in_use(self) -> int:
        pool = self.engine.pool
        return pool.checkedout() if isinstance(pool, QueuePool) else 0

    async def check(self) -> None:
        """Raise when the database does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


def async_url(url: str) -> URL:
    """Return `url` for SQLAlchemy over asyncpg. A `host=` query with a folder means a Unix socket."""
    parsed = make_url(url)
    return parsed.set(drivername="postgresql+asyncpg")


def plain_url(url: str) -> str:
    """Return `url` as libpq and asyncpg take it, without SQLAlchemy's driver name."""
    parts = urlsplit(url)
    return url.replace(f"{parts.scheme}://", "postgresql://", 1)


async def outlast_losses(work: Callable[[], Awaitable[T]]) -> T:
    """Run a transaction, and run it again while it is lost (a restart, a failover, a deadlock), for five minutes.

    For background work only: a request fails at once and its sender decides.
    """
    deadline = time.monotonic() + LOSS_SECONDS
    while True:
        try:
            return await work()
        except TransactionLost:
            if time.monotonic() > deadline or is_ending():
                raise
        await asyncio.sleep(0.25)


@asynccontextmanager
async def _naming_losses() -> AsyncIterator[None]:
    try:
        yield
    except (OSError, DBAPIError) as error:
        _refuse_unstorable(error)
        if _sqlstate(error) == _DEADLOCK:
            raise Deadlock(
                "Something else was being changed at the same time, and both waited for each other.",
                hint="Nothing of this was changed. Try again.",
            ) from error
        if not _is_outage(error):
            raise
        raise DatabaseAway(
            "The database does not answer.",
            hint="It is usually back within seconds; try again then. The server's log says why.",
        ) from error


def _is_outage(error: OSError | DBAPIError) -> bool:
    """Tell what means "not now": no connection, a lost one, or a server that stops or starts."""
    if isinstance(error, OSError):
        return error.filename is None and (isinstance(error, gaierror) or error.errno in _UNREACHABLE)
    return error.connection_invalidated or _sqlstate(error).startswith(("08", "57P"))


def _refuse_unstorable(error: OSError | DBAPIError) -> None:
    """Raise what is wrong with a value of the request, when that is why a query failed."""
    state = _sqlstate(error)
    if state in _NOT_TEXT:
        raise TextInvalid(
            "A text of the request holds a character that cannot be: NUL.", hint="Send it without."
        ) from error
    if state in _TOO_LARGE or (isinstance(error, DBAPIError) and _NUMBER_REFUSED in str(error.orig)):
        raise ValueTooLarge("A value of the request is too large to be kept.", hint="Send a smaller one.") from error


def _sqlstate(error: OSError | DBAPIError) -> str:
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


async def lock_transaction(session: WriteSession, key: str) -> None:
    """Wait for, and hold until the end of the transaction, the advisory lock named `key`."""
    await session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))"), {"key": key})


def locking(query: SelectT, *, of: type[Base] | None = None, skip_locked: bool = False) -> SelectT:
    """Return a query that locks the rows that it finds, and gives them as they are then.

    Without this, a session gives what it read of a row before it waited for the lock.

    Args:
        query: of whole rows.
        of: whose rows are locked, when the query joins several tables.
        skip_locked: leave out what another transaction has locked, instead of waiting for it.
    """
    return query.with_for_update(of=of, skip_locked=skip_locked).execution_options(populate_existing=True)


async def plan_anew(session: ReadSession) -> None:
    """Have PostgreSQL plan each query of this transaction for the values that are asked and the tables as they are.

    For queries that take many values and join tables which may have grown at once: docs/decisions/0019.
    """
    await session.execute(text("SET LOCAL plan_cache_mode = force_custom_plan"))


def among(column: Any, values: Iterable[Any]) -> ColumnElement[bool]:
    """Return the condition that a column has one of many values, in one parameter: IN takes time for each of them."""
    found: ColumnElement[bool] = column == any_(bindparam(None, list(values), type_=ARRAY(column.type), unique=True))
    return found


async def insert_rows(session: WriteSession, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows with the same columns in the same order, many times faster than one statement each."""
    if not rows:
        return
    table, columns = model.__table__, list(rows[0])
    documents = {name for name in columns if isinstance(table.c[name].type, JSON)}
    records = [
        tuple(
            _write_document(value) if name in documents and value is not None else value for name, value in row.items()
        )
        if documents
        else tuple(row.values())
        for row in rows
    ]
    await copy_rows(session, model, columns, records)


async def copy_rows(
    session: WriteSession, model: type[Base], columns: Sequence[str], records: Sequence[tuple[Any, ...]]
) -> None:
    """Insert many rows that are tuples of these columns, none of them a document."""
    if not records:
        return
    await session.execute(text("SELECT 1"))  # the driver begins a transaction with the first statement
    pooled = await (await session.connection()).get_raw_connection()
    connection: asyncpg.Connection[Any] = cast("Any", pooled.driver_connection)
    try:
        await connection.copy_records_to_table(model.__tablename__, records=records, columns=columns)
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DBAPIError(f"COPY {model.__tablename__}", None, error) from error


async def update_rows(session: WriteSession, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Update many rows by `id`; each holds the id and all columns that any row changes."""
    if not rows:
        return
    table, columns = model.__tablename__, ", ".join(f'"{name}" = new."{name}"' for name in rows[0] if name != "id")
    statement = text(
        f"UPDATE {table} SET {columns} FROM "  # noqa: S608 - names of our own tables
        f"json_populate_recordset(NULL::{table}, CAST(:rows AS json)) AS new WHERE {table}.id = new.id"
    )
    await _execute_in_pieces(session, statement, rows)


async def upsert_rows(session: WriteSession, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert many rows, or change those whose primary key is there; each holds all columns of the table."""
    if not rows:
        return
    keys = [column.name for column in model.__table__.primary_key]
    table, target = model.__tablename__, ", ".join(f'"{name}"' for name in keys)
    columns = ", ".join(f'"{name}" = excluded."{name}"' for name in rows[0] if name not in keys)
    statement = text(
        f"INSERT INTO {table} SELECT new.* FROM "  # noqa: S608 - names of our own tables
        f"json_populate_recordset(NULL::{table}, CAST(:rows AS json)) AS new "
        f"ON CONFLICT ({target}) DO UPDATE SET {columns}"
    )
    await _execute_in_pieces(session, statement, rows)


async def _execute_in_pieces(session: WriteSession, statement: TextClause, rows: Sequence[Mapping[str, Any]]) -> None:
    piece: list[bytes] = []
    size = 0
    for number, row in enumerate(rows, 1):  # in pieces that neither side is troubled by
        piece.append(jsons.write_json(row))
        size += len(piece[-1])
        if size > _PIECE_SIZE or number == len(rows):
            await session.execute(statement, {"rows": f"[{b','.join(piece).decode()}]"})
            piece, size = [], 0


def _write_document(value: Any) -> str:
    return jsons.write_json(value).decode()


async def _read(request: Request, _: Annotated[Actor, Depends(current_actor)]) -> AsyncIterator[ReadSession]:
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        yield session


async def _write(request: Request, _: Annotated[Actor, Depends(current_actor)]) -> AsyncIterator[WriteSession]:
    database: Database = request.app.state.services.get(Database)
    async with database.write() as session:
        yield session


# Sessions of a request, as handler parameters. Finding out who asks takes a connection of its own and gives it back
# first: a request that held one while waiting for another could wait for ever. The scope makes the commit happen
# before the answer is sent.
Reading = Annotated[ReadSession, Depends(_read, scope="function")]
Writing = Annotated[WriteSession, Depends(_write, scope="function")]

__all__ = [
    "Base",
    "Database",
    "ReadSession",
    "Reading",
    "WriteSession",
    "Writing",
    "among",
    "async_url",
    "copy_rows",
    "insert_rows",
    "lock_transaction",
    "locking",
    "outlast_losses",
    "plain_url",
    "plan_anew",
    "update_rows",
    "upsert_rows",
]
