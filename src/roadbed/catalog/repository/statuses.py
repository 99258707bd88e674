"""Queries on what other domains report about entities."""

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.catalog.models import Entity, EntityStatus
from roadbed.core.db import ReadSession, WriteSession, among


async def put_status(session: WriteSession, row: dict[str, Any]) -> None:
    """Write a status; `since` stays while the state does."""
    statement = insert(EntityStatus).values(row)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["ref", "key"],
            set_={
                "state": new.state,
                "summary": new.summary,
                "source": new.source,
                "href": new.href,
                "detail": new.detail,
                "at": new.at,
                "since": case((EntityStatus.state == new.state, EntityStatus.since), else_=new.since),
            },
        )
    )


async def delete_status(session: WriteSession, *, ref: str, key: str) -> None:
    await session.execute(delete(EntityStatus).where(EntityStatus.ref == ref, EntityStatus.key == key))


async def list_statuses(session: ReadSession, refs: Iterable[str]) -> list[EntityStatus]:
    query = select(EntityStatus).where(among(EntityStatus.ref, list(refs))).order_by(EntityStatus.ref, EntityStatus.key)
    return list(await session.scalars(query))


async def list_statuses_of_owners(
    session: ReadSession, owners: Collection[str], *, key: str, states: Collection[str], limit: int
) -> list[tuple[EntityStatus, str]]:
    """Return statuses of what these own, in one of these states, with the entity's title; the newest first."""
    query = (
        select(EntityStatus, Entity.title)
        .join(Entity, Entity.ref == EntityStatus.ref)
        .where(Entity.owner_ref.in_(list(owners)), EntityStatus.key == key, EntityStatus.state.in_(list(states)))
        .order_by(EntityStatus.since.desc())
        .limit(limit)
    )
    return [(status, title) for status, title in await session.execute(query)]
