"""The feed of changes: every change of every entity once, in order, for those who mirror the catalog."""

import time
from collections.abc import Sequence

from roadbed.catalog.errors import FeedAhead
from roadbed.catalog.models import Change
from roadbed.catalog.repository import changes as rows
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.sight import require_whole
from roadbed.core.db import Database
from roadbed.core.lifecycle import Stopping
from roadbed.core.services import Services

_PIECE_SECONDS = 1.0


async def read_feed(services: Services, *, after: int, limit: int, wait_seconds: float) -> Sequence[Change]:
    """Return the changes behind a position, oldest first.

    Args:
        services: of the server.
        after: a position; 0 begins with the first change that there ever was.
        limit: of changes.
        wait_seconds: how long to wait for the next change when there is none; shorter when the server stops.

    Raises:
        CatalogNarrowed: the one who asks sees a part of the catalog: a mirror of it could not know what left that part.
        FeedAhead: the catalog has not come to this position: it was restored to an earlier state.
    """
    require_whole("The feed of changes")
    deadline = time.monotonic() + wait_seconds
    while True:
        async with services.get(Database).read() as session:
            found = await rows.list_changes(session, after=after, limit=limit)
            newest = await rows.find_position(session) if not found else after
        if newest < after:
            raise FeedAhead(
                f"The newest change is {newest}, and the cursor is behind change {after}.",
                hint="The catalog was restored to an earlier state. Empty the mirror and begin without `since`.",
            )
        if found or not await _wait(services, after=after, deadline=deadline):
            return found


async def _wait(services: Services, *, after: int, deadline: float) -> bool:
    """Wait for a change behind a position; False when the time is over or the server stops."""
    index, stopping = services.get(CatalogIndex), services.get(Stopping)
    while (left := deadline - time.monotonic()) > 0 and not stopping.has_begun:
        if await index.wait_beyond(after, seconds=min(left, _PIECE_SECONDS)):
            return True
    return False
