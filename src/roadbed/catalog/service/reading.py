"""What pages and the API show: one entity with everything around it, pages of lists, locations with their counts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from roadbed.catalog.models import LocationError
from roadbed.catalog.repository import changes as change_rows
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.sources import OWN_REPOSITORIES
from roadbed.catalog.rules.words import health_of
from roadbed.catalog.service.care import INTERVAL_SECONDS
from roadbed.catalog.service.entities import get_entity
from roadbed.catalog.service.history import get_version_at
from roadbed.catalog.service.index import sees
from roadbed.catalog.service.listing import read_entities
from roadbed.catalog.service.locations import INGEST
from roadbed.catalog.service.past import Moment
from roadbed.catalog.service.shipped import holds_only_shipped
from roadbed.catalog.service.sight import is_narrowed
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.service.views import summarise, summarise_change, summarise_location
from roadbed.catalog.types import (
    ChangeKind,
    EntitySummary,
    LocationSummary,
    RecentChange,
    Status,
)
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.kit.clock import now
from roadbed.kit.refs import EntityRef, parse_ref
from roadbed.runs.contract import RunState, list_unfinished_runs

_CONTESTED = 200
_RECENT = 500
_PATIENCE = timedelta(minutes=2)
"""How long after its time a location may be looked at: the schedule looks once a minute."""


@dataclass(frozen=True)
class Related:
    """The other end of a relation; `entity` is None when it is not in the catalog."""

    type: str
    ref: EntityRef
    entity: EntitySummary | None
    health: Status | None


@dataclass(frozen=True)
class EntityDetail:
    """An entity with its relations, statuses, problems and location."""

    entity: EntitySummary
    relations: Sequence[Related]
    statuses: Sequence[Status]
    problems: Sequence[LocationError]
    location: LocationSummary | None

    def related(self, *types: str) -> list[Related]:
        return [related for related in self.relations if related.type in types]


async def get_detail(session: ReadSession, ref: EntityRef) -> EntityDetail:
    """Return an entity with everything around it.

    Raises:
        EntityNotFound: there is none.
    """
    return await get_detail_of(session, await get_entity(session, ref))


async def get_detail_of(session: ReadSession, entity: EntitySummary) -> EntityDetail:
    """Return everything around an entity that was read already."""
    ref = entity.ref
    edges = await entity_rows.list_relations(session, str(ref))
    targets = {target: parse_ref(target) for _, target in edges}
    held = await entity_rows.list_by_refs(session, targets)
    found = {row.ref: summarise(row) for row in held if sees(session, row.ref)}
    statuses = await list_statuses(session, [entity.ref, *targets.values()])
    problems = await location_rows.list_errors_of_entity(session, str(ref))
    location = await location_rows.find_location(session, entity.location_id) if entity.location_id else None
    return EntityDetail(
        entity=entity,
        relations=[
            Related(type_, targets[target], found.get(target), health_of(statuses[targets[target]]))
            for type_, target in edges
        ],
        statuses=statuses[entity.ref],
        problems=problems,
        location=summarise_location(location) if location else None,
    )


async def get_past_detail(session: ReadSession, ref: EntityRef, moment: Moment) -> EntityDetail:
    """Return an entity as it was at a moment, with its relations then. Statuses and problems of then are not kept.

    Raises:
        EntityNotFound: it was not there.
    """
    change = await get_version_at(session, ref, moment.position)
    entity = summarise_change(change, session.services.get(Kinds))
    edges = moment.catalog.relations_of(str(ref)) | set(
        await entity_rows.list_relations(session, str(ref), until=moment.position)
    )
    targets = {target: parse_ref(target) for _, target in edges}
    found = {str(one.ref): one for one in await read_entities(session, targets, moment=moment)}
    location = await location_rows.find_location(session, entity.location_id) if entity.location_id else None
    return EntityDetail(
        entity=entity,
        relations=[Related(type_, targets[target], found.get(target), None) for type_, target in sorted(edges)],
        statuses=[],
        problems=[],
        location=summarise_location(location) if location else None,
    )


async def list_recent_changes(
    session: ReadSession, *, owners: Collection[str] = (), follower: Actor | None = None, limit: int
) -> list[RecentChange]:
    """Return the newest changes of what these owners (refs) own and somebody follows, newest first.

    Without owners and follower they are those of the whole catalog. Where the one who asks sees a part of it, these are
    the newest of that part among the last few hundred.
    """
    account_id = follower.id if follower is not None else None
    read = max(limit, _RECENT) if is_narrowed() else limit
    rows = await change_rows.list_recent(session, owners=owners, follower=account_id, limit=read)
    return [
        RecentChange(
            ref=parse_ref(row.ref),
            title=row.title or row.name,
            change=ChangeKind(row.change),
            actor=row.actor,
            run_id=row.run_id,
            at=row.at,
        )
        for row in [row for row in rows if sees(session, row.ref)][:limit]
    ]


async def get_titles(session: ReadSession, refs: Sequence[EntityRef]) -> Mapping[EntityRef, str]:
    """Return the titles of those of these entities that exist."""
    found = await entity_rows.list_by_refs(session, {str(ref) for ref in refs})
    return {parse_ref(row.ref): row.title for row in found if sees(session, row.ref)}


@dataclass(frozen=True)
class Overview:
    """The sentence over the catalog, without the locations of Roadbed's own.

    It is empty while it holds nothing but what came with Roadbed.
    """

    locations: int
    failing_locations: int
    newest: datetime | None
    is_empty: bool


async def get_overview(session: ReadSession) -> Overview:
    locations, failing = await location_rows.count_locations(session, without=OWN_REPOSITORIES)
    newest = await entity_rows.find_newest_update(session)
    return Overview(locations, failing, newest, await holds_only_shipped(session))


@dataclass(frozen=True)
class LocationCounts:
    entities: Mapping[UUID, int]
    errors: Mapping[UUID, int]


async def list_location_page(
    session: ReadSession, *, after_id: UUID | None, limit: int
) -> tuple[list[LocationSummary], LocationCounts]:
    """Return up to `limit` locations in the order of registration, with their counts."""
    found = await location_rows.list_locations(session, after_id=after_id, limit=limit)
    return [summarise_location(row) for row in found], await count_for(session, [row.id for row in found])


async def count_for(session: ReadSession, ids: Sequence[UUID]) -> LocationCounts:
    return LocationCounts(
        await location_rows.count_entities(session, ids), await location_rows.count_errors(session, ids)
    )


async def list_problems(session: ReadSession, location_id: UUID) -> list[LocationError]:
    """Return what is wrong with the files of a location, errors first."""
    return await location_rows.list_errors(session, location_id)


async def list_contested(session: ReadSession, location_id: UUID) -> list[tuple[LocationError, str]]:
    """Return what other locations have under names that this one holds, each with the target of the other one."""
    return await location_rows.list_contested(session, location_id, limit=_CONTESTED)


@dataclass(frozen=True)
class Backlog:
    """How far reading is behind.

    Args:
        overdue: locations that should have been looked at before now, with a little patience.
        overdue_since: when the first of them was due.
        unread: runs that read locations and have not ended.
        unread_since: when the first of them was asked for.
        waiting: how many of them wait for their source.
    """

    overdue: int
    overdue_since: datetime | None
    unread: int
    unread_since: datetime | None
    waiting: int

    @property
    def oldest(self) -> datetime | None:
        """When the first of all that is pending was due."""
        return min((at for at in (self.overdue_since, self.unread_since) if at is not None), default=None)


async def get_backlog(session: ReadSession) -> Backlog:
    """Return how far the reading of locations is behind."""
    overdue, overdue_since = await location_rows.count_overdue(
        session, before=now() - _PATIENCE, interval_seconds=INTERVAL_SECONDS
    )
    runs = await list_unfinished_runs(session, kind=INGEST)
    return Backlog(
        overdue=overdue,
        overdue_since=overdue_since,
        unread=len(runs),
        unread_since=min((run.created_at for run in runs), default=None),
        waiting=sum(run.state is RunState.WAITING for run in runs),
    )
