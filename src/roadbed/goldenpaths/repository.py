"""Every query on products and drafts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select

from roadbed.core.db import ReadSession, WriteSession
from roadbed.goldenpaths.models import DraftRow, ProductRow


async def find_by_call(session: ReadSession, call_key: str) -> ProductRow | None:
    return (await session.scalars(select(ProductRow).where(ProductRow.call_key == call_key))).one_or_none()


async def find_of_repository(session: ReadSession, repository_id: UUID) -> ProductRow | None:
    return (await session.scalars(select(ProductRow).where(ProductRow.repository_id == repository_id))).one_or_none()


async def list_of_run(session: ReadSession, run_id: UUID) -> list[ProductRow]:
    query = select(ProductRow).where(ProductRow.run_id == run_id).order_by(ProductRow.id)
    return list(await session.scalars(query))


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


async def find_draft(session: ReadSession, draft_id: UUID) -> DraftRow | None:
    return await session.get(DraftRow, draft_id)


async def remove_drafts_before(session: WriteSession, moment: datetime) -> None:
    await session.execute(delete(DraftRow).where(DraftRow.updated_at < moment))
