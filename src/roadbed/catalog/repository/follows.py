"""Queries on what people follow."""

from typing import Any

from sqlalchemy import Row, and_, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.catalog.models import Entity, EntityStatus, Follow
from roadbed.core.db import ReadSession, WriteSession
from roadbed.kit.clock import now


async def list_follows(session: ReadSession, account_id: str, *, after: str | None, limit: int) -> list[Row[Any]]:
    """Return what somebody follows, by ref from behind `after`.

    Rows hold ref, kept (the title when they began), at; and title, type, owner, health of what is there.
    """
    health = and_(EntityStatus.ref == Follow.ref, EntityStatus.key == "health")
    query = (
        select(
            Follow.ref,
            Follow.title.label("kept"),
            Follow.created_at.label("at"),
            Entity.title,
            Entity.type,
            Entity.owner_ref.label("owner"),
            EntityStatus.state.label("health"),
        )
        .outerjoin(Entity, Entity.ref == Follow.ref)
        .outerjoin(EntityStatus, health)
        .where(Follow.account_id == account_id)
        .order_by(Follow.ref)
        .limit(limit)
    )
    return list(await session.execute(query if after is None else query.where(Follow.ref > after)))


async def list_refs(session: ReadSession, account_id: str) -> list[str]:
    return list(await session.scalars(select(Follow.ref).where(Follow.account_id == account_id)))


async def count_follows(session: ReadSession, account_id: str) -> int:
    return int(await session.scalar(select(func.count()).where(Follow.account_id == account_id)) or 0)


async def is_following(session: ReadSession, account_id: str, ref: str) -> bool:
    query = select(Follow.ref).where(Follow.account_id == account_id, Follow.ref == ref)
    return await session.scalar(query) is not None


async def add_follow(session: WriteSession, account_id: str, ref: str, title: str) -> None:
    """Follow an entity; nothing happens when it is followed already."""
    statement = insert(Follow).values(account_id=account_id, ref=ref, title=title, created_at=now())
    await session.execute(statement.on_conflict_do_nothing())


async def delete_follow(session: WriteSession, account_id: str, ref: str) -> None:
    await session.execute(delete(Follow).where(Follow.account_id == account_id, Follow.ref == ref))
