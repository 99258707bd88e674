"""Queries on stored secrets."""

from collections.abc import Collection, Sequence

from sqlalchemy import delete, func, select

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.secrets.models import SecretRow


async def find(session: ReadSession, path: str, *, is_locked: bool = False) -> SecretRow | None:
    query = select(SecretRow).where(SecretRow.path == path)
    found: SecretRow | None = await session.scalar(locking(query) if is_locked else query)
    return found


async def list_by_paths(session: ReadSession, paths: Collection[str]) -> Sequence[SecretRow]:
    return (await session.scalars(select(SecretRow).where(SecretRow.path.in_(paths)))).all()


async def list_all(session: ReadSession) -> Sequence[SecretRow]:
    return (await session.scalars(select(SecretRow).order_by(SecretRow.path))).all()


async def list_page(session: ReadSession, *, prefix: str, after: str | None, limit: int) -> Sequence[SecretRow]:
    """List by path, from after `after`. `prefix` is the beginning of the path."""
    query = select(SecretRow).order_by(SecretRow.path.collate("C")).limit(limit)
    if prefix:
        query = query.where(SecretRow.path.startswith(prefix, autoescape=True))
    if after:
        query = query.where(SecretRow.path.collate("C") > after)
    return (await session.scalars(query)).all()


async def list_under(session: WriteSession, folder: str) -> Sequence[SecretRow]:
    """List and lock all secrets below `folder`."""
    query = select(SecretRow).where(SecretRow.path.startswith(folder.rstrip("/") + "/", autoescape=True))
    return (await session.scalars(locking(query))).all()


async def remove(session: WriteSession, rows: Collection[SecretRow]) -> None:
    await session.execute(delete(SecretRow).where(SecretRow.id.in_([row.id for row in rows])))


async def count(session: ReadSession) -> int:
    return await session.scalar(select(func.count()).select_from(SecretRow)) or 0
