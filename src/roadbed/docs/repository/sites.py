"""Queries on sites and the entities that they document."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, func, or_, select, update

from roadbed.core.db import ReadSession, WriteSession, among, locking, upsert_rows
from roadbed.docs.models import DocsReport, DocsSite, DocsSubject, DocsVersion
from roadbed.docs.types import (
    Builder,
    NavEntry,
    SiteSource,
    SiteState,
    SiteSummary,
    SubjectSummary,
    VersionSummary,
)
from roadbed.kit.refs import EntityRef

_BATCH = 1000


def view_site(row: DocsSite) -> SiteSummary:
    source = SiteSource(row.folder, row.label, row.repository_id, row.location_id, row.branch, row.web_url)
    return SiteSummary(row.id, source, SiteState(row.state), row.error, row.run_id, row.asked_at)


def view_subject(row: DocsSubject) -> SubjectSummary:
    ref = EntityRef(row.kind, row.namespace, row.name)
    return SubjectSummary(ref, row.title, row.owner_ref, row.techdocs_ref, row.site_id, row.problem)


def view_version(row: DocsVersion) -> VersionSummary:
    return VersionSummary(
        id=row.id,
        site_id=row.site_id,
        revision=row.revision,
        builder=Builder(row.builder),
        fallback=row.fallback,
        title=row.title,
        home=row.home,
        nav=tuple(NavEntry.of(entry) for entry in row.nav),
        notes=tuple(row.notes),
        page_count=row.page_count,
        broken_count=row.broken_count,
        external_count=row.external_count,
        size_bytes=row.size_bytes,
        run_id=row.run_id,
        built_at=row.built_at,
    )


async def find_subject(session: ReadSession, ref: str) -> DocsSubject | None:
    return await session.get(DocsSubject, ref)


async def list_subjects_by_refs(session: ReadSession, refs: Iterable[str]) -> dict[str, DocsSubject]:
    wanted = list(refs)
    found: dict[str, DocsSubject] = {}
    for start in range(0, len(wanted), _BATCH):
        query = select(DocsSubject).where(among(DocsSubject.ref, wanted[start : start + _BATCH]))
        found |= {row.ref: row for row in await session.scalars(query)}
    return found


async def list_subjects(
    session: ReadSession, *, text: str = "", after: tuple[str, str] | None = None, limit: int
) -> list[tuple[DocsSubject, DocsSite | None, DocsVersion | None]]:
    """List documented entities by title, with their site and its newest version."""
    query = (
        select(DocsSubject, DocsSite, DocsVersion)
        .outerjoin(DocsSite, DocsSite.id == DocsSubject.site_id)
        .outerjoin(DocsVersion, DocsVersion.id == DocsSite.version_id)
        .order_by(DocsSubject.title, DocsSubject.ref)
        .limit(limit)
    )
    if text:
        query = query.where(_names(text))
    if after is not None:
        title, ref = after
        query = query.where(or_(DocsSubject.title > title, and_(DocsSubject.title == title, DocsSubject.ref > ref)))
    return [(subject, site, version) for subject, site, version in await session.execute(query)]


async def count_subjects(session: ReadSession, *, text: str = "") -> int:
    query = select(func.count()).select_from(DocsSubject)
    return await session.scalar(query.where(_names(text)) if text else query) or 0


def _names(text: str) -> Any:
    return or_(DocsSubject.title.icontains(text, autoescape=True), DocsSubject.name.icontains(text, autoescape=True))


async def count_states(session: ReadSession) -> dict[str, int]:
    """Return how many sites are in each state."""
    found = await session.execute(select(DocsSite.state, func.count()).group_by(DocsSite.state))
    return {state: count for state, count in found}  # noqa: C416 - rows are no pairs to mypy


async def save_subjects(session: WriteSession, rows: Sequence[dict[str, Any]]) -> None:
    """Add documented entities, or change those that are known."""
    await upsert_rows(session, DocsSubject, rows)


async def delete_subjects(session: WriteSession, refs: Iterable[str]) -> list[str]:
    """Delete documented entities; returns those that there were."""
    wanted = list(refs)
    gone: list[str] = []
    for start in range(0, len(wanted), _BATCH):
        statement = delete(DocsSubject).where(among(DocsSubject.ref, wanted[start : start + _BATCH]))
        gone += await session.scalars(statement.returning(DocsSubject.ref))
    return sorted(gone)


async def find_site(session: ReadSession, site_id: UUID) -> DocsSite | None:
    return await session.get(DocsSite, site_id)


async def lock_site(session: WriteSession, site_id: UUID) -> DocsSite | None:
    found: DocsSite | None = await session.scalar(locking(select(DocsSite).where(DocsSite.id == site_id)))
    return found


async def lock_by_run(session: WriteSession, run_id: UUID) -> DocsSite | None:
    found: DocsSite | None = await session.scalar(locking(select(DocsSite).where(DocsSite.run_id == run_id)))
    return found


async def list_sites_by_keys(session: ReadSession, keys: Iterable[str]) -> dict[str, DocsSite]:
    wanted = list(keys)
    found: dict[str, DocsSite] = {}
    for start in range(0, len(wanted), _BATCH):
        query = select(DocsSite).where(among(DocsSite.key, wanted[start : start + _BATCH]))
        found |= {row.key: row for row in await session.scalars(query)}
    return found


async def delete_unused_sites(session: WriteSession) -> list[DocsSite]:
    """Delete the sites that document nothing any more, with all that belongs to them; returns them."""
    used = select(DocsSubject.ref).where(DocsSubject.site_id == DocsSite.id).exists()
    return list(await session.scalars(delete(DocsSite).where(~used).returning(DocsSite)))


async def mark_pushed(
    session: WriteSession, repository_id: UUID, branch: str, *, is_default_branch: bool, at: datetime
) -> None:
    """Have the sites of a branch built when there is time."""
    is_of_branch = DocsSite.branch == branch
    await _mark_due(
        session,
        DocsSite.repository_id == repository_id,
        or_(is_of_branch, DocsSite.branch.is_(None)) if is_default_branch else is_of_branch,
        at=at,
    )


async def mark_read(session: WriteSession, location_id: UUID, *, at: datetime) -> None:
    """Have the sites of a location built when there is time."""
    await _mark_due(session, DocsSite.location_id == location_id, at=at)


async def _mark_due(session: WriteSession, *which: Any, at: datetime) -> None:
    statement = update(DocsSite).where(~DocsSite.is_due, *which).values(is_due=True, asked_at=at)
    await session.execute(statement)


async def take_due(session: WriteSession, *, limit: int) -> list[DocsSite]:
    """Lock and return the sites that wait longest for a build and are not being built."""
    query = (
        select(DocsSite)
        .where(DocsSite.is_due, DocsSite.state != SiteState.BUILDING)
        .order_by(DocsSite.asked_at, DocsSite.id)
        .limit(limit)
    )
    return list(await session.scalars(locking(query, skip_locked=True)))


async def list_building(session: WriteSession) -> list[DocsSite]:
    return list(await session.scalars(locking(select(DocsSite).where(DocsSite.state == SiteState.BUILDING))))


async def find_first_subject(session: ReadSession, site_id: UUID) -> DocsSubject | None:
    """Return the entity that stands for a site which documents several."""
    query = select(DocsSubject).where(DocsSubject.site_id == site_id).order_by(DocsSubject.ref).limit(1)
    found: DocsSubject | None = await session.scalar(query)
    return found


async def add_report(session: WriteSession, row: DocsReport) -> None:
    session.add(row)
    await session.flush()


async def list_reports(session: ReadSession, site_id: UUID, *, limit: int) -> list[DocsReport]:
    """List the reports of a site that are not settled, newest first."""
    query = select(DocsReport).where(DocsReport.site_id == site_id, DocsReport.settled_at.is_(None))
    return list(await session.scalars(query.order_by(DocsReport.id.desc()).limit(limit)))


async def lock_report(session: WriteSession, report_id: UUID) -> DocsReport | None:
    query = locking(select(DocsReport).where(DocsReport.id == report_id))
    found: DocsReport | None = await session.scalar(query)
    return found


async def list_reports_of_owners(
    session: ReadSession, owners: Iterable[str], *, limit: int
) -> list[tuple[DocsReport, DocsSubject]]:
    """List the reports that are not settled on what these own, newest first."""
    query = (
        select(DocsReport, DocsSubject)
        .join(DocsSubject, DocsSubject.site_id == DocsReport.site_id)
        .where(DocsReport.settled_at.is_(None), DocsSubject.owner_ref.in_(list(owners)))
        .order_by(DocsReport.id.desc(), DocsSubject.ref)
        .limit(limit)
    )
    return [(report, subject) for report, subject in await session.execute(query)]
