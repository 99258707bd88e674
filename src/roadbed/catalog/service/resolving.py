"""What a filter of lists asks for and the index does not know: it is found out first."""

from dataclasses import replace

from roadbed.catalog.repository import follows as follow_rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.types import EntityFilter
from roadbed.core.db import ReadSession


async def resolve(session: ReadSession, wanted: EntityFilter) -> EntityFilter:
    """Return a filter that knows which locations cannot be read, and what is followed, if it asks for that."""
    if wanted.is_stale:
        failing = await location_rows.list_failing(session)
        wanted = replace(wanted, failing_locations=tuple(str(row.id) for row in failing if row.error))
    if wanted.followed_by is not None:
        wanted = replace(wanted, refs=tuple(await follow_rows.list_refs(session, wanted.followed_by)))
    return wanted
