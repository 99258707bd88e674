"""Queries on the views that people save, and on with which the list opens for whom."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from roadbed.catalog.models import DefaultView, SavedView
from roadbed.catalog.types import EVERYBODY
from roadbed.core.db import ReadSession, WriteSession


@dataclass(frozen=True)
class Reader:
    """Who asks: their own views are theirs to see, and those shared with them; who governs sees all that are shared."""

    account_id: str
    groups: Collection[str]
    governs: bool

    def may_see(self) -> ColumnElement[bool]:
        mine = SavedView.account_id == self.account_id
        if self.governs:
            return or_(mine, SavedView.shared_with.is_not(None))
        return or_(mine, SavedView.shared_with.in_([EVERYBODY, *self.groups]))

    def may_restore(self) -> ColumnElement[bool]:
        """What was deleted is there for whom it would be there to be changed."""
        mine = SavedView.account_id == self.account_id
        return or_(mine, SavedView.shared_with.is_not(None)) if self.governs else mine

    def is_default(self) -> ColumnElement[bool]:
        return and_(DefaultView.view_id == SavedView.id, DefaultView.account_id == self.account_id)


Found = tuple[SavedView, bool]
"""A view, and whether the list opens with it for the reader."""


async def list_views(
    session: ReadSession, reader: Reader, *, after_id: UUID | None, limit: int, is_deleted: bool
) -> list[Found]:
    """Return what a reader may see, or may restore, in the order of saving."""
    query = (_deleted if is_deleted else _visible)(reader).order_by(SavedView.id).limit(limit)
    return await _read(session, query if after_id is None else query.where(SavedView.id > after_id))


async def list_nearest(session: ReadSession, reader: Reader, *, limit: int) -> list[Found]:
    """Return what a reader may see: the default first, then their own, then those of others, each by name."""
    order = (DefaultView.view_id.is_(None), SavedView.account_id != reader.account_id, func.lower(SavedView.name))
    return await _read(session, _visible(reader).order_by(*order, SavedView.id).limit(limit))


async def find_view(session: ReadSession, reader: Reader, view_id: UUID) -> Found | None:
    return next(iter(await _read(session, _visible(reader).where(SavedView.id == view_id))), None)


async def find_deleted(session: ReadSession, reader: Reader, view_id: UUID) -> Found | None:
    return next(iter(await _read(session, _deleted(reader).where(SavedView.id == view_id))), None)


async def find_default(session: ReadSession, reader: Reader) -> Found | None:
    return next(iter(await _read(session, _visible(reader).where(DefaultView.view_id.is_not(None)))), None)


async def find_named(session: ReadSession, account_id: str, name: str) -> SavedView | None:
    """Return somebody's own view of a name, compared without regard to case."""
    query = select(SavedView).where(SavedView.account_id == account_id, func.lower(SavedView.name) == func.lower(name))
    return (await session.scalars(query.where(SavedView.deleted_at.is_(None)))).one_or_none()


async def count_views(session: ReadSession, account_id: str) -> int:
    query = select(func.count()).where(SavedView.account_id == account_id, SavedView.deleted_at.is_(None))
    return int(await session.scalar(query) or 0)


async def forget_deleted_before(session: WriteSession, at: datetime) -> None:
    await session.execute(delete(SavedView).where(SavedView.deleted_at < at))


async def forget_deleted_of(session: WriteSession, account_id: str, *, keep: int) -> None:
    """Forget all but the last that somebody deleted."""
    mine = SavedView.account_id == account_id, SavedView.deleted_at.is_not(None)
    newest = select(SavedView.id).where(*mine).order_by(SavedView.deleted_at.desc(), SavedView.id).limit(keep)
    await session.execute(delete(SavedView).where(*mine, SavedView.id.not_in(newest)))


async def set_default(session: WriteSession, account_id: str, view_id: UUID) -> None:
    statement = insert(DefaultView).values(account_id=account_id, view_id=view_id)
    await session.execute(
        statement.on_conflict_do_update(index_elements=["account_id"], set_={"view_id": statement.excluded.view_id})
    )


async def clear_default(session: WriteSession, account_id: str, view_id: UUID) -> None:
    """Let the list open without this view; nothing happens when it is not the default."""
    mine = DefaultView.account_id == account_id, DefaultView.view_id == view_id
    await session.execute(delete(DefaultView).where(*mine))


def _visible(reader: Reader) -> Select[SavedView, bool]:
    return _select(reader).where(reader.may_see(), SavedView.deleted_at.is_(None))


def _deleted(reader: Reader) -> Select[SavedView, bool]:
    return _select(reader).where(reader.may_restore(), SavedView.deleted_at.is_not(None))


def _select(reader: Reader) -> Select[SavedView, bool]:
    query = select(SavedView, DefaultView.view_id.is_not(None))
    return query.outerjoin(DefaultView, reader.is_default())


async def _read(session: ReadSession, query: Select[SavedView, bool]) -> list[Found]:
    return [(view, is_default) for view, is_default in await session.execute(query)]
