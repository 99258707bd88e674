"""Queries on repositories and the refs that were seen in them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from roadbed.core.db import ReadSession, WriteSession, locking
from roadbed.kit.clock import now
from roadbed.scm.models import RefRow, RepositoryRow
from roadbed.scm.types import Repository


@dataclass(frozen=True)
class RepositoryFilter:
    """Which repositories: by owner, by entity, and by a part of the name or description."""

    owner: str | None = None
    entity_ref: str | None = None
    search: str = ""


async def find(session: ReadSession, owner: str, name: str) -> RepositoryRow | None:
    found: RepositoryRow | None = await session.scalar(
        select(RepositoryRow).where(RepositoryRow.owner == owner, RepositoryRow.name == name)
    )
    return found


async def find_by_id(session: ReadSession, repository_id: UUID, *, is_locked: bool = False) -> RepositoryRow | None:
    query = select(RepositoryRow).where(RepositoryRow.id == repository_id)
    found: RepositoryRow | None = await session.scalar(locking(query) if is_locked else query)
    return found


async def find_by_key(session: ReadSession, *, creator_id: str, key: str) -> RepositoryRow | None:
    found: RepositoryRow | None = await session.scalar(
        select(RepositoryRow).where(RepositoryRow.created_by_id == creator_id, RepositoryRow.idempotency_key == key)
    )
    return found


async def list_page(
    session: ReadSession, wanted: RepositoryFilter, *, after: tuple[str, str] | None, limit: int
) -> Sequence[RepositoryRow]:
    """List by owner and name, from after `after`."""
    name = (RepositoryRow.owner.collate("C"), RepositoryRow.name.collate("C"))
    query = select(RepositoryRow).order_by(*name).limit(limit)
    if wanted.owner:
        query = query.where(RepositoryRow.owner == wanted.owner)
    if wanted.entity_ref:
        query = query.where(RepositoryRow.entity_ref == wanted.entity_ref)
    if wanted.search:
        query = query.where(
            or_(
                (RepositoryRow.owner + "/" + RepositoryRow.name).icontains(wanted.search, autoescape=True),
                RepositoryRow.description.icontains(wanted.search, autoescape=True),
            )
        )
    if after:
        query = query.where(tuple_(*name) > tuple_(*after))
    return (await session.scalars(query)).all()


async def list_ids(session: ReadSession) -> Sequence[UUID]:
    return (await session.scalars(select(RepositoryRow.id))).all()


async def list_full_names(session: ReadSession) -> dict[UUID, str]:
    """Return `owner/name` of all repositories by their ids."""
    rows = await session.execute(select(RepositoryRow.id, RepositoryRow.owner, RepositoryRow.name))
    return {repository_id: f"{owner}/{name}" for repository_id, owner, name in rows}


async def list_interrupted(session: ReadSession) -> Sequence[RepositoryRow]:
    """List repositories whose last change of refs was begun and not recorded."""
    return (await session.scalars(select(RepositoryRow).where(RepositoryRow.writer.is_not(None)))).all()


async def remove(session: WriteSession, repository_id: UUID) -> None:
    await session.execute(delete(RepositoryRow).where(RepositoryRow.id == repository_id))


async def list_refs(session: ReadSession, repository_id: UUID) -> dict[str, str]:
    """Return where each ref was when it was last seen."""
    rows = await session.execute(select(RefRow.ref, RefRow.sha).where(RefRow.repository_id == repository_id))
    return {row.ref: row.sha for row in rows}


async def save_refs(
    session: WriteSession, repository_id: UUID, moved: Mapping[str, str], *, gone: Collection[str]
) -> None:
    """Remember where refs are now."""
    if gone:
        await session.execute(delete(RefRow).where(RefRow.repository_id == repository_id, RefRow.ref.in_(gone)))
    if moved:
        seen_at = now()
        statement = insert(RefRow).values(
            [{"repository_id": repository_id, "ref": ref, "sha": sha, "seen_at": seen_at} for ref, sha in moved.items()]
        )
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[RefRow.repository_id, RefRow.ref],
                set_={"sha": statement.excluded.sha, "seen_at": statement.excluded.seen_at},
            )
        )


def view(row: RepositoryRow) -> Repository:
    """Return what others see of a repository."""
    return Repository(
        id=row.id,
        owner=row.owner,
        name=row.name,
        description=row.description,
        default_branch=row.default_branch,
        is_protected=row.is_protected,
        host=row.host,
        entity_ref=row.entity_ref,
        created_by=row.created_by,
        created_by_id=row.created_by_id,
        created_by_run=row.created_by_run,
        required_checks=tuple(row.required_checks),
        has_commits=row.has_commits,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
