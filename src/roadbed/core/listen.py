"""Listening to PostgreSQL's notifications on a connection of its own, for as long as the process runs."""

import asyncio
import contextlib
from collections.abc import Callable

import asyncpg
import structlog

from roadbed.core.db import Database, plain_url

log = structlog.get_logger(__name__)

RETRY_SECONDS = 1.0
# The last is what asyncpg raises when a server closes the connection in the middle of its greeting.
CONNECT_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)


async def listen(database: Database, channel: str, on_notify: Callable[[str], None]) -> None:
    """Call `on_notify` with each payload on `channel`, and with "" after each (re)connection, until cancelled.

    Notifications sent while the connection was down are lost: whoever listens also looks by itself now and then.
    """
    url = plain_url(database.url.render_as_string(hide_password=False))
    while True:
        try:
            connection = await asyncpg.connect(url)
        except CONNECT_ERRORS as error:
            log.warning("listen.connect_failed", channel=channel, error=str(error), retry_seconds=RETRY_SECONDS)
            await asyncio.sleep(RETRY_SECONDS)
            continue
        closed = asyncio.Event()
        connection.add_termination_listener(lambda *_, closed=closed: closed.set())
        try:
            await connection.add_listener(channel, lambda *notification: on_notify(str(notification[3])))
            on_notify("")
            await closed.wait()
        finally:
            with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=1)
