"""Queries on touches: what changed about entities beside their content."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, delete, select, text

from roadbed.catalog.models import Touch
from roadbed.core.db import ReadSession, WriteSession, insert_rows
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

CHANNEL = "roadbed_catalog"
# Asked each second, as `indexing.list_changed` is.
_TOUCHED = (
    select(Touch.ref).where(Touch.transaction >= bindparam("since"), Touch.transaction < bindparam("before")).distinct()
)
_HORIZON = text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")


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


async def list_touched(session: ReadSession, *, since: int, before: int) -> list[str]:
    """Return the refs touched by transactions from `since` up to, and without, `before`."""
    return list(await session.scalars(_TOUCHED, {"since": since, "before": before}))


async def purge(session: WriteSession, *, before: datetime) -> None:
    await session.execute(delete(Touch).where(Touch.at < before))
