"""Queries that tell whether a snapshot of the index belongs to this database as it is."""

from uuid import UUID

from sqlalchemy import exists, select, text

from roadbed.catalog.models import Change, Touch
from roadbed.core.db import ReadSession


async def find_database(session: ReadSession) -> str:
    """Return what tells this database from any other, whatever it is called and holds.

    Numbers of transactions mean something within one cluster only.
    """
    query = text(
        "SELECT system_identifier || ':' || (SELECT oid FROM pg_database WHERE datname = current_database())"
        " FROM pg_control_system()"
    )
    return str((await session.execute(query)).scalar_one())


async def find_change(session: ReadSession, position: int) -> str | None:
    """Return what tells the change at a position from another that came to stand there after a restored backup."""
    query = select(Change.entity_id, Change.digest, Change.at).where(Change.position == position)
    found = (await session.execute(query)).one_or_none()
    return None if found is None else f"{found.entity_id} {found.digest} {found.at.isoformat()}"


async def find_newest_touch(session: ReadSession, *, before: int) -> str | None:
    """Return the id of the newest touch by a transaction before that number."""
    query = select(Touch.id).where(Touch.transaction < before).order_by(Touch.transaction.desc()).limit(1)
    found = await session.scalar(query)
    return None if found is None else str(found)


async def has_touch(session: ReadSession, touch: str) -> bool:
    return bool(await session.scalar(select(exists().where(Touch.id == UUID(touch)))))
