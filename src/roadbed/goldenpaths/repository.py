"""Every query on products."""

from uuid import UUID

from sqlalchemy import delete, func, select

from roadbed.core.db import ReadSession, WriteSession
from roadbed.goldenpaths.models import ProductRow


async def find_by_call(session: ReadSession, call_key: str) -> ProductRow | None:
    return (await session.scalars(select(ProductRow).where(ProductRow.call_key == call_key))).one_or_none()


async def find_of_repository(session: ReadSession, repository_id: UUID) -> ProductRow | None:
    return (await session.scalars(select(ProductRow).where(ProductRow.repository_id == repository_id))).one_or_none()


async def find_of_entity(session: ReadSession, entity_ref: str) -> ProductRow | None:
    """Return the newest product that was registered as an entity."""
    query = select(ProductRow).where(ProductRow.entity_ref == entity_ref).order_by(ProductRow.id.desc()).limit(1)
    return (await session.scalars(query)).one_or_none()


async def count_by_path(session: ReadSession) -> dict[str, int]:
    """Return how many products each path has, by its ref."""
    rows = await session.execute(select(ProductRow.path_ref, func.count()).group_by(ProductRow.path_ref))
    return {row[0]: row[1] for row in rows}


async def remove_of_repository(session: WriteSession, repository_id: UUID) -> None:
    await session.execute(delete(ProductRow).where(ProductRow.repository_id == repository_id))
