"""All entities of a filter, piece by piece: no transaction stays open while a reader takes its time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from roadbed.catalog.rules.index.sorts import read_sorting
from roadbed.catalog.rules.tables import COMPUTED, Column, Exported
from roadbed.catalog.rules.words import health_of
from roadbed.catalog.service.computing import compute_named
from roadbed.catalog.service.listing import read_entities
from roadbed.catalog.service.past import layers_of, open_moment
from roadbed.catalog.service.resolving import resolve
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import EntityFilter
from roadbed.core.db import Database
from roadbed.core.services import Services

_PIECE = 500
_COMPUTED_PIECE = 50
"""Others are answered between two pieces, also where values have to be worked out."""
_ALL = 10**9


@dataclass(frozen=True)
class Wanted:
    """Which entities, as of when, how many at most, with which columns, in which order."""

    filter: EntityFilter
    as_of: datetime | None
    limit: int | None
    columns: Sequence[Column]
    sort: str


async def export_entities(services: Services, wanted: Wanted) -> AsyncIterator[list[Exported]]:
    """Yield the entities of a filter in order. What is deleted meanwhile is left out, what is added is not there.

    Computed properties are worked out where a column asks for them: not as of a time.
    """
    database = services.get(Database)
    names = {column.key for column in wanted.columns if column.part == COMPUTED}
    async with database.read() as session:
        chosen = await resolve(session, wanted.filter)
        layers = layers_of(session, await open_moment(session, wanted.as_of))
        sorting = read_sorting(wanted.sort, is_past=wanted.as_of is not None)
        refs = layers.take(chosen, wanted.limit or _ALL, sorting=sorting).refs
    size = _COMPUTED_PIECE if names else _PIECE
    for start in range(0, len(refs), size):
        async with database.read() as session:
            moment = await open_moment(session, wanted.as_of)
            found = await read_entities(session, refs[start : start + size], moment=moment)
            statuses = await list_statuses(session, [entity.ref for entity in found] if moment is None else [])
            computed = compute_named(session, found, names) if moment is None else {}
        yield [
            Exported(
                entity,
                health_of(statuses.get(entity.ref, ())),
                {name: value.value for name, value in computed.get(entity.ref, {}).items()},
            )
            for entity in found
        ]
