"""Queries on changes: the gapless order of everything that happened to entities."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVarTuple

from sqlalchemy import ARRAY, Row, Select, Text, cast, func, select, true, union
from sqlalchemy.orm import aliased

from roadbed.catalog.models import Change, Entity, Follow
from roadbed.catalog.rules.past import Version
from roadbed.catalog.types import ChangeKind
from roadbed.core.db import ReadSession, WriteSession, insert_rows, lock_transaction

Columns = TypeVarTuple("Columns")

LOCK = "catalog.changes"


async def take_position(session: WriteSession) -> int:
    """Return the newest position, and keep others from writing changes until this transaction ends."""
    await lock_transaction(session, LOCK)
    return await find_position(session)


async def find_position(session: ReadSession) -> int:
    return int((await session.scalar(select(func.max(Change.position)))) or 0)


async def find_position_at(session: ReadSession, at: datetime) -> int:
    """Return the newest position up to a time; 0 when nothing had happened yet."""
    newest = select(Change.position).where(Change.at <= at).order_by(Change.at.desc(), Change.position.desc())
    return int((await session.scalar(newest.limit(1))) or 0)


async def add_changes(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    await insert_rows(session, Change, rows)


async def list_changes_of(session: ReadSession, ref: str, *, before: int | None, limit: int) -> list[Change]:
    """Return the changes of an entity before a position, newest first."""
    query = select(Change).where(Change.ref == ref)
    if before is not None:
        query = query.where(Change.position < before)
    return list(await session.scalars(query.order_by(Change.position.desc()).limit(limit)))


async def find_definition(session: ReadSession, ref: str, position: int) -> Row[Any] | None:
    """Return type and definition of an API after a change, as texts."""
    spec = Change.document["spec"]
    query = select(spec["type"].astext.label("type"), spec["definition"].astext.label("text"))
    return (await session.execute(query.where(Change.ref == ref, Change.position == position))).one_or_none()


async def list_definitions(session: ReadSession, ref: str, *, limit: int) -> Sequence[Row[Any]]:
    """Return the newest changes of an API, with a digest of its definition each; newest first.

    Rows hold position, actor, revision, run_id, at, digest: documents stay where they are.
    """
    definition = Change.document["spec"]["definition"].astext
    query = select(
        Change.position,
        Change.actor,
        Change.revision,
        Change.run_id,
        Change.at,
        func.md5(definition).label("digest"),
    )
    return (await session.execute(query.where(Change.ref == ref).order_by(Change.position.desc()).limit(limit))).all()


async def find_change(session: ReadSession, ref: str, position: int) -> Change | None:
    return (await session.scalars(select(Change).where(Change.ref == ref, Change.position == position))).one_or_none()


async def find_written(session: ReadSession, ref: str, *, until: int) -> Change | None:
    """Return the newest change up to a position that wrote the content of an entity."""
    written = (ChangeKind.CREATED, ChangeKind.UPDATED, ChangeKind.RESTORED)
    query = select(Change).where(Change.ref == ref, Change.position <= until, Change.change.in_(written))
    return (await session.scalars(query.order_by(Change.position.desc()).limit(1))).one_or_none()


async def list_refs_between(session: ReadSession, *, after: int, until: int) -> list[str]:
    """Return what has changed behind one position and up to another, sorted."""
    query = select(Change.ref).where(Change.position > after, Change.position <= until).distinct().order_by(Change.ref)
    return list(await session.scalars(query))


async def list_as_of(session: ReadSession, refs: Sequence[str], position: int) -> list[Change]:
    """Return the newest change of each of these entities up to a position, where there is one."""
    return list(await session.scalars(_newest(select(Change), refs, position)))


async def list_versions(session: ReadSession, refs: Sequence[str], position: int) -> list[Version]:
    """Return those of these entities that there were at a position, their documents unread."""
    columns = (
        Change.entity_id,
        Change.ref,
        cast(Change.document, Text).label("document"),
        Change.digest,
        Change.location_id,
        Change.at,
        Change.change,
    )
    query = _newest(select(*columns), refs, position).where(Change.change != ChangeKind.DELETED)
    return [
        Version(
            uid=str(row.entity_id),
            ref=row.ref,
            written=row.document,
            digest=row.digest,
            location_id=str(row.location_id) if row.location_id else None,
            at=row.at,
            is_orphan=row.change == ChangeKind.ORPHANED,
        )
        for row in await session.execute(query)
    ]


def _newest(query: Select[*Columns], refs: Sequence[str], position: int) -> Select[*Columns]:
    asked = select(func.unnest(cast(list(refs), ARRAY(Text))).label("ref")).subquery()
    older = aliased(Change)
    newest = (
        select(older.position)
        .where(older.ref == asked.c.ref, older.position <= position)
        .order_by(older.position.desc())
        .limit(1)
        .lateral()
    )
    return query.select_from(asked).join(newest, true()).join(Change, Change.position == newest.c.position)


async def list_changes(session: ReadSession, *, after: int, limit: int) -> list[Change]:
    query = select(Change).where(Change.position > after).order_by(Change.position).limit(limit)
    return list(await session.scalars(query))


async def list_recent(
    session: ReadSession, *, owners: Collection[str], follower: str | None, limit: int
) -> Sequence[Row[Any]]:
    """Return the newest changes of what these own or an account follows; of everything without any; newest first.

    Rows hold ref, change, actor, run_id, at, and the entity's title and name: documents stay where they are.
    """
    metadata = Change.document["metadata"]
    query = select(
        Change.ref,
        Change.change,
        Change.actor,
        Change.run_id,
        Change.at,
        metadata["title"].astext.label("title"),
        metadata["name"].astext.label("name"),
    )
    owned = select(Entity.ref).where(Entity.owner_ref.in_(list(owners)))
    followed = select(Follow.ref).where(Follow.account_id == follower)
    if owners and follower is not None:
        query = query.where(Change.ref.in_(union(owned, followed)))
    elif owners or follower is not None:
        query = query.where(Change.ref.in_(owned if owners else followed))
    return (await session.execute(query.order_by(Change.position.desc()).limit(limit))).all()
