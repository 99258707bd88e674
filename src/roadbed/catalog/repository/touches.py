"""Queries on touches: what changed about entities beside their content."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, text

from roadbed.catalog.models import Touch
from roadbed.core.db import ReadSession, WriteSession, insert_rows
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

CHANNEL = "roadbed_catalog"
_BEFORE = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# Asked each second, as `indexing.list_changed` is.
_TOUCHED = text(
    f"WITH horizon AS (SELECT {_BEFORE} AS before) "  # noqa: S608 - of our own words
    "SELECT before, ARRAY(SELECT DISTINCT ref FROM touches WHERE transaction >= :since AND transaction < before) "
    "FROM horizon"
)
_HORIZON = text(f"SELECT {_BEFORE}")


async def add_touches(session: WriteSession, refs: Iterable[str]) -> None:
    """Tell all indexes to look at these entities again once this transaction has ended."""
    at = now()
    rows = [{"id": new_id(), "ref": ref, "at": at} for ref in sorted(set(refs))]
    if rows:
        await insert_rows(session, Touch, rows)
        await notify(session)


async def notify(session: WriteSession) -> None:
    """Wake whoever follows the catalog."""
    await session.execute(text(f"NOTIFY {CHANNEL}"))


async def find_horizon(session: ReadSession) -> int:
    """Return the number below which all transactions have ended, as this session sees it."""
    return int((await session.execute(_HORIZON)).scalar_one())


async def list_touched(session: ReadSession, *, since: int) -> tuple[int, list[str]]:
    """Return the horizon, and the refs touched by transactions from `since` up to, and without, the horizon."""
    horizon, refs = (await session.execute(_TOUCHED, {"since": since})).one()
    return horizon, refs


async def purge(session: WriteSession, *, before: datetime) -> None:
    await session.execute(delete(Touch).where(Touch.at < before))
