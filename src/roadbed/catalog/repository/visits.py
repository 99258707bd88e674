"""Queries on what people looked at last."""

from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.catalog.models import Entity, Visit
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.kit.clock import now


async def add_visit(session: WriteSession, account_id: str, ref: str, *, keep: int) -> None:
    """Note that somebody looked at an entity, and forget all but the newest few of them."""
    await lock_transaction(session, f"catalog.visits:{account_id}")
    statement = insert(Visit).values(account_id=account_id, ref=ref, at=now())
    await session.execute(
        statement.on_conflict_do_update(index_elements=["account_id", "ref"], set_={"at": statement.excluded.at})
    )
    mine = Visit.account_id == account_id
    newest = select(Visit.ref).where(mine).order_by(Visit.at.desc()).limit(keep)
    await session.execute(delete(Visit).where(mine, Visit.ref.not_in(newest)))


async def list_visits(session: ReadSession, account_id: str) -> list[Row[Any]]:
    """Return what somebody looked at and is still there, the newest first: ref, title, type, owner, at."""
    query = (
        select(Visit.ref, Entity.title, Entity.type, Entity.owner_ref.label("owner"), Visit.at)
        .join(Entity, Entity.ref == Visit.ref)
        .where(Visit.account_id == account_id)
        .order_by(Visit.at.desc())
    )
    return list(await session.execute(query))


async def delete_visits(session: WriteSession, account_id: str) -> None:
    await session.execute(delete(Visit).where(Visit.account_id == account_id))
