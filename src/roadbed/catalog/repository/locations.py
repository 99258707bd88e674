"""Queries on locations, their files and their errors."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import case, delete, func, or_, select

from roadbed.catalog.models import Entity, Location, LocationError, LocationFile, LocationMemo
from roadbed.catalog.rules.problems import ProblemCode
from roadbed.catalog.rules.schedule import MOST_SECONDS, SHARE, find_due_at
from roadbed.core.db import ReadSession, WriteSession, among, insert_rows, locking, upsert_rows

_BATCH = 1000


async def find_location(session: ReadSession, location_id: UUID) -> Location | None:
    return await session.get(Location, location_id)


async def list_by_ids(session: ReadSession, ids: Iterable[UUID]) -> list[Location]:
    return list(await session.scalars(select(Location).where(Location.id.in_(list(ids)))))


async def lock_location(session: WriteSession, location_id: UUID) -> Location | None:
    query = locking(select(Location).where(Location.id == location_id))
    return (await session.scalars(query)).one_or_none()


async def find_location_by_target(session: ReadSession, *, type_: str, target: str) -> Location | None:
    query = select(Location).where(Location.type == type_, Location.target == target)
    return (await session.scalars(query)).one_or_none()


async def find_by_entity_ref(session: ReadSession, ref: str) -> Location | None:
    return (await session.scalars(select(Location).where(Location.entity_ref == ref))).one_or_none()


async def find_source(session: ReadSession, ref: str) -> UUID | None:
    """Return the location that an entity is read from, or would be were it not faulty."""
    stands_for = select(Location.id).where(Location.entity_ref == ref)
    held = select(Entity.location_id).where(Entity.ref == ref, Entity.location_id.is_not(None))
    faulty = select(LocationError.location_id).where(LocationError.ref == ref, LocationError.location_id.is_not(None))
    found: UUID | None = await session.scalar(stands_for.union_all(held, faulty).limit(1))
    return found


async def list_foreign(session: ReadSession) -> list[Location]:
    """Return the locations that are not files of this server."""
    return list(await session.scalars(select(Location).where(Location.type != "file").order_by(Location.id)))


async def list_by_prefix(session: ReadSession, prefix: str) -> list[Location]:
    """Return the git locations whose target begins with `prefix`."""
    query = select(Location).where(Location.type == "git", Location.target.startswith(prefix, autoescape=True))
    return list(await session.scalars(query))


async def list_locations(session: ReadSession, *, after_id: UUID | None = None, limit: int) -> list[Location]:
    query = select(Location).order_by(Location.id).limit(limit)
    if after_id is not None:
        query = query.where(Location.id > after_id)
    return list(await session.scalars(query))


async def list_ids(session: ReadSession) -> list[UUID]:
    return list(await session.scalars(select(Location.id)))


async def list_failing(session: ReadSession) -> list[Location]:
    """Return the locations whose source could not be read the last time."""
    return list(await session.scalars(select(Location).where(Location.error.is_not(None)).order_by(Location.id)))


def _seconds(interval_seconds: int) -> Any:
    """Return the interval of a location, by its own settings or those for all."""
    return func.coalesce(Location.interval_seconds, interval_seconds)


async def list_due(session: ReadSession, *, at: datetime, interval_seconds: int, limit: int) -> list[UUID]:
    """Return locations that are to be looked at, the longest forgotten first."""
    seconds = _seconds(interval_seconds)
    after = Location.checked_at + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
    query = (
        select(Location.id, Location.checked_at, seconds)
        .where(or_(Location.checked_at.is_(None), after < at))
        .order_by(Location.checked_at.nulls_first())
    )
    found = await session.execute(query)
    return [
        location_id
        for location_id, checked_at, every in found
        if checked_at is None or find_due_at(location_id, checked_at, every) <= at
    ][:limit]


async def count_overdue(
    session: ReadSession, *, before: datetime, interval_seconds: int
) -> tuple[int, datetime | None]:
    """Return how many locations should have been looked at before a time, and since when the first of them waits."""
    seconds = _seconds(interval_seconds)
    delay = func.least(seconds * SHARE, MOST_SECONDS)
    due_at = Location.checked_at + func.make_interval(0, 0, 0, 0, 0, 0, seconds + delay)
    query = select(func.count(), func.min(due_at)).where(due_at < before)
    count, oldest = (await session.execute(query)).one()
    return count, oldest


async def list_long_missing(session: ReadSession) -> list[Location]:
    """Return the locations whose entry was missed as often as their settings allow."""
    return list(await session.scalars(select(Location).where(Location.missing_count >= Location.remove_after_missing)))


async def list_old_orphans(session: ReadSession, *, at: datetime, limit: int) -> list[Entity]:
    """Return the orphans whose time of grace, by the settings of their location, is over."""
    grace = func.make_interval(0, 0, 0, 0, Location.remove_orphans_after_hours)
    query = (
        select(Entity)
        .join(Location, Location.id == Entity.location_id)
        .where(Entity.orphaned_at.is_not(None), Entity.orphaned_at + grace <= at)
        .order_by(Entity.location_id, Entity.ref)
        .limit(limit)
    )
    return list(await session.scalars(query))


async def list_contested(session: ReadSession, location_id: UUID, *, limit: int) -> list[tuple[LocationError, str]]:
    """Return the conflicts of other locations with entities of this one, each with the other one's target."""
    query = (
        select(LocationError, Location.target)
        .join(Entity, Entity.ref == LocationError.ref)
        .join(Location, Location.id == LocationError.location_id)
        .where(
            Entity.location_id == location_id,
            LocationError.location_id != location_id,
            LocationError.code == ProblemCode.CONFLICT,
        )
        .order_by(LocationError.ref, Location.target)
        .limit(limit)
    )
    return [(error, target) for error, target in await session.execute(query)]


async def list_memos(session: ReadSession, location_id: UUID) -> dict[str, dict[str, Any]]:
    query = select(LocationMemo.key, LocationMemo.value).where(LocationMemo.location_id == location_id)
    return {key: value for key, value in await session.execute(query)}  # noqa: C416 - rows are no pairs to mypy


async def keep_memos(session: WriteSession, location_id: UUID, changes: Mapping[str, dict[str, Any] | None]) -> None:
    """Keep what changed of a source's memory; None forgets a key."""
    kept = [
        {"location_id": location_id, "key": key, "value": value} for key, value in changes.items() if value is not None
    ]
    await upsert_rows(session, LocationMemo, kept)
    gone = [key for key, value in changes.items() if value is None]
    for start in range(0, len(gone), _BATCH):
        await session.execute(
            delete(LocationMemo).where(
                LocationMemo.location_id == location_id, among(LocationMemo.key, gone[start : start + _BATCH])
            )
        )


async def count_locations(session: ReadSession, *, without: str | None = None) -> tuple[int, int]:
    """Return how many locations there are whose target does not begin so, and how many of them have errors."""
    faulty = select(LocationError.location_id).where(LocationError.severity == "error").distinct().subquery()
    query = (
        select(
            func.count(),
            func.count(case((or_(Location.error.is_not(None), faulty.c.location_id.is_not(None)), 1))),
        )
        .select_from(Location)
        .outerjoin(faulty, faulty.c.location_id == Location.id)
    )
    if without is not None:
        query = query.where(~Location.target.startswith(without, autoescape=True))
    total, failing = (await session.execute(query)).one()
    return total, failing


async def count_entities(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, int]:
    """Return how many entities each location holds, orphans left out."""
    query = (
        select(Entity.location_id, func.count())
        .where(Entity.location_id.in_(list(ids)), Entity.orphaned_at.is_(None))
        .group_by(Entity.location_id)
    )
    return {location_id: count for location_id, count in await session.execute(query) if location_id is not None}


async def count_errors(session: ReadSession, ids: Iterable[UUID]) -> dict[UUID, int]:
    query = (
        select(LocationError.location_id, func.count())
        .where(LocationError.location_id.in_(list(ids)), LocationError.severity == "error")
        .group_by(LocationError.location_id)
    )
    return {location_id: count for location_id, count in await session.execute(query) if location_id is not None}


async def delete_location(session: WriteSession, location_id: UUID) -> None:
    await session.execute(delete(Location).where(Location.id == location_id))


async def list_files(session: ReadSession, location_id: UUID) -> list[LocationFile]:
    return list(await session.scalars(select(LocationFile).where(LocationFile.location_id == location_id)))


async def put_files(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    await upsert_rows(session, LocationFile, rows)


async def delete_files(session: WriteSession, location_id: UUID, paths: Iterable[str]) -> None:
    wanted = list(paths)
    for start in range(0, len(wanted), _BATCH):
        await session.execute(
            delete(LocationFile).where(
                LocationFile.location_id == location_id, among(LocationFile.path, wanted[start : start + _BATCH])
            )
        )


async def list_errors(
    session: ReadSession, location_id: UUID, *, limit: int = 500, code: str | None = None
) -> list[LocationError]:
    query = (
        select(LocationError)
        .where(LocationError.location_id == location_id)
        .order_by(LocationError.severity, LocationError.file, LocationError.line, LocationError.id)
        .limit(limit)
    )
    if code is not None:
        query = query.where(LocationError.code == code)
    return list(await session.scalars(query))


async def list_errors_of_entity(session: ReadSession, ref: str) -> list[LocationError]:
    query = (
        select(LocationError)
        .where(LocationError.ref == ref)
        .order_by(LocationError.severity, LocationError.file, LocationError.line)
    )
    return list(await session.scalars(query))


async def list_own_faulty(session: ReadSession, refs: Sequence[str]) -> set[str]:
    """Return which of these entities, that no location holds, have errors."""
    query = select(LocationError.ref).where(LocationError.location_id.is_(None), among(LocationError.ref, refs))
    return set(await session.scalars(query))


async def delete_own_errors(session: WriteSession, refs: Iterable[str]) -> None:
    """Delete the errors of entities that no location holds."""
    wanted = list(refs)
    for start in range(0, len(wanted), _BATCH):
        await session.execute(
            delete(LocationError).where(
                LocationError.location_id.is_(None), among(LocationError.ref, wanted[start : start + _BATCH])
            )
        )


async def list_faults(session: ReadSession, refs: Iterable[str]) -> dict[str, LocationError]:
    """Return the first error in the newer content of each of these entities that was therefore not taken."""
    query = (
        select(LocationError)
        .join(Entity, Entity.ref == LocationError.ref)
        .where(
            among(LocationError.ref, list(refs)),
            LocationError.severity == "error",
            LocationError.location_id == Entity.location_id,
            LocationError.file == Entity.file,
        )
        .order_by(LocationError.line.desc(), LocationError.id.desc())
    )
    return {row.ref: row for row in await session.scalars(query)}


async def delete_errors(
    session: WriteSession, location_id: UUID, *, files: Iterable[str] = (), codes: Iterable[str] = ()
) -> None:
    """Delete the errors of these files, and those that the catalog found itself under these codes."""
    wanted = list(files)
    for start in range(0, len(wanted), _BATCH):
        await session.execute(
            delete(LocationError).where(
                LocationError.location_id == location_id, among(LocationError.file, wanted[start : start + _BATCH])
            )
        )
    own = list(codes)
    if own:
        await session.execute(
            delete(LocationError).where(LocationError.location_id == location_id, LocationError.code.in_(own))
        )


async def add_errors(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    await insert_rows(session, LocationError, rows)
