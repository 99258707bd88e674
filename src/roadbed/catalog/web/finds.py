"""What the catalog adds to pages of others: results of the search, what needs an owner's eye, what a run is about."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from fastapi import Request

from roadbed.catalog.access import ENTITY_READ
from roadbed.catalog.repository import statuses as status_rows
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import HEALTH_STATES, icon_of, kind_word
from roadbed.catalog.service.entities import find_entity
from roadbed.catalog.service.listing import search_entities
from roadbed.catalog.types import EntitySummary, Health, entity_href
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession
from roadbed.core.needs import Need
from roadbed.core.search import Hit, SearchSource
from roadbed.core.services import Services
from roadbed.kit.refs import InvalidRef, parse_ref

_MOST = 20


async def _find(session: ReadSession, _: Actor, text: str, /, *, limit: int) -> Sequence[Hit]:
    kinds = session.services.get(Kinds)
    found = await search_entities(session, text, limit=limit)
    remark = "Spelt alike · " if found.are_alike else ""
    return [
        Hit(entity.title, entity.href, icon_of(entity, kinds), meta=remark + _describe(entity))
        for entity in found.entities
    ]


def _describe(entity: EntitySummary) -> str:
    parts = [kind_word(entity)]
    if entity.title.lower() != entity.ref.name.lower():
        parts.append(entity.ref.name)
    if entity.owner is not None:
        parts.append(entity.owner.shorten(default_kind="Group"))
    return " · ".join(parts)


async def find_needs(session: ReadSession, actor: Actor, /) -> list[Need]:
    """Return what the actor owns and is not healthy."""
    owners = actor.groups | ({actor.entity_ref} if actor.entity_ref else set())
    if not owners or not session.services.get(DeciderService).has(actor, ENTITY_READ):
        return []
    found = await status_rows.list_statuses_of_owners(
        session, owners, key="health", states=(Health.DEGRADED, Health.FAILING), limit=_MOST
    )
    return [
        Need(
            state=HEALTH_STATES[Health(status.state)],
            title=f"{title} is {status.state}",
            href=status.href or entity_href(parse_ref(status.ref)),
            at=status.since,
            meta=status.summary,
        )
        for status, title in found
    ]


class _Run(Protocol):
    @property
    def subject(self) -> Any: ...


async def load_run_subject(request: Request, run: _Run) -> Mapping[str, Any] | None:
    """Return the entity that a run is about; None when it is about something else."""
    services: Services = request.app.state.services
    try:
        ref = parse_ref(run.subject)
    except InvalidRef:
        return None
    if not services.get(DeciderService).has(await current_actor(request), ENTITY_READ):
        return None
    async with services.get(Database).read() as session:
        entity = await find_entity(session, ref)
    return None if entity is None else {"entity": entity, "icon": icon_of(entity, services.get(Kinds))}


SEARCH_SOURCE = SearchSource("Entities", 10, ENTITY_READ, _find)
