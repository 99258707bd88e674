"""Queries on what other domains report about entities."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import case, delete, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.catalog.models import EntityStatus
from roadbed.core.db import ReadSession, WriteSession


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
    query = select(EntityStatus).where(EntityStatus.ref.in_(list(refs))).order_by(EntityStatus.ref, EntityStatus.key)
    return list(await session.scalars(query))
