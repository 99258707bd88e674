"""All entities of a filter, piece by piece: no transaction stays open while a reader takes its time."""

from collections.abc import AsyncIterator
from datetime import datetime

from roadbed.catalog.rules.tables import Exported
from roadbed.catalog.rules.words import health_of
from roadbed.catalog.service.fixing import with_failing
from roadbed.catalog.service.listing import read_entities
from roadbed.catalog.service.past import layers_of, open_moment
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import EntityFilter
from roadbed.core.db import Database
from roadbed.core.services import Services

_PIECE = 500
_ALL = 10**9


async def export_entities(
    services: Services, wanted: EntityFilter, *, as_of: datetime | None, limit: int | None
) -> AsyncIterator[list[Exported]]:
    """Yield the entities of a filter by title. What is deleted meanwhile is left out, what is added is not there."""
    database = services.get(Database)
    async with database.read() as session:
        wanted = await with_failing(session, wanted)
        refs = layers_of(session, await open_moment(session, as_of)).take(wanted, limit or _ALL).refs
    for start in range(0, len(refs), _PIECE):
        async with database.read() as session:
            moment = await open_moment(session, as_of)
            found = await read_entities(session, refs[start : start + _PIECE], moment=moment)
            statuses = await list_statuses(session, [entity.ref for entity in found] if moment is None else [])
        yield [Exported(entity, health_of(statuses.get(entity.ref, ()))) for entity in found]
