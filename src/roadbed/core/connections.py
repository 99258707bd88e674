"""Whether a pooled connection still stands, looked at when it is taken out of the pool.

The driver learns by itself when the server closes a connection or ends. It does not learn that something between the
two has forgotten it, as firewalls and load balancers do with what was idle for minutes: only then is the server asked,
which takes four round trips.
"""

import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine

IDLE_SECONDS = 30.0
_IDLE_SINCE = "roadbed_idle_since"


def check_connections(engine: AsyncEngine) -> None:
    """Have the pool of `engine` replace connections that are broken, when they are taken out."""
    dialect = engine.sync_engine.dialect

    def note_idle(_: Any, record: Any) -> None:
        record.info[_IDLE_SINCE] = time.monotonic()

    def check(connection: Any, record: Any, _: Any) -> None:
        if connection.driver_connection.is_closed():
            raise DisconnectionError("the server closed it")
        idle_since = record.info.get(_IDLE_SINCE)
        if idle_since is None or time.monotonic() - idle_since < IDLE_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise DisconnectionError("the server does not answer on it") from error

    event.listen(engine.sync_engine, "checkin", note_idle)
    event.listen(engine.sync_engine, "checkout", check)
