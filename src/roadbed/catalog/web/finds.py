"""What the catalog adds to pages of others: results of the search, and what needs an owner's eye."""

from collections.abc import Sequence

from roadbed.catalog.access import ENTITY_READ
from roadbed.catalog.repository import statuses as status_rows
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.words import HEALTH_STATES, icon_of, kind_word
from roadbed.catalog.service.reading import search_entities
from roadbed.catalog.types import EntitySummary, Health, entity_href
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.needs import Need
from roadbed.core.search import Hit, SearchSource
from roadbed.kit.refs import parse_ref

_MOST = 20


async def _find(session: ReadSession, _: Actor, text: str, /, *, limit: int) -> Sequence[Hit]:
    kinds = session.services.get(Kinds)
    return [
        Hit(entity.title, entity.href, icon_of(entity, kinds), meta=_describe(entity))
        for entity in await search_entities(session, text, limit=limit)
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


SEARCH_SOURCE = SearchSource("Entities", 10, ENTITY_READ, _find)
