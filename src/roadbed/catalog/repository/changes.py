"""Queries on changes: the gapless order of everything that happened to entities."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, insert, select

from roadbed.catalog.models import Change
from roadbed.core.db import ReadSession, WriteSession, lock_transaction

LOCK = "catalog.changes"


async def take_position(session: WriteSession) -> int:
    """Return the newest position, and keep others from writing changes until this transaction ends."""
    await lock_transaction(session, LOCK)
    return await find_position(session)


async def find_position(session: ReadSession) -> int:
    return int((await session.scalar(select(func.max(Change.position)))) or 0)


async def add_changes(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await session.execute(insert(Change), rows)


async def list_changes_of(session: ReadSession, ref: str, *, limit: int) -> list[Change]:
    """Return the changes of an entity, newest first."""
    query = select(Change).where(Change.ref == ref).order_by(Change.position.desc()).limit(limit)
    return list(await session.scalars(query))


async def list_changes(session: ReadSession, *, after: int, limit: int) -> list[Change]:
    query = select(Change).where(Change.position > after).order_by(Change.position).limit(limit)
    return list(await session.scalars(query))
