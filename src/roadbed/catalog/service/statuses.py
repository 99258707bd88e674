"""What other domains report about entities."""

from collections.abc import Iterable, Mapping

from roadbed.catalog.repository import statuses as rows
from roadbed.catalog.repository.touches import add_touches
from roadbed.catalog.service.views import summarise_status
from roadbed.catalog.types import Status, StatusReport
from roadbed.core.db import ReadSession, WriteSession
from roadbed.kit.clock import now
from roadbed.kit.refs import EntityRef


async def report_status(session: WriteSession, ref: EntityRef, report: StatusReport) -> None:
    """Say how it is with an entity, which need not be there yet; the same `key` again replaces what was said."""
    at = now()
    known = next((row for row in await rows.list_statuses(session, [str(ref)]) if row.key == report.key), None)
    if known is None or known.state != report.state:
        await add_touches(session, [str(ref)])
    await rows.put_status(
        session,
        {
            "ref": str(ref),
            "key": report.key,
            "state": report.state,
            "summary": report.summary,
            "source": report.source,
            "href": report.href,
            "detail": dict(report.detail),
            "since": at,
            "at": at,
        },
    )


async def withdraw_status(session: WriteSession, ref: EntityRef, key: str) -> None:
    """Take back what was reported; nothing happens when there is nothing."""
    await rows.delete_status(session, ref=str(ref), key=key)
    await add_touches(session, [str(ref)])


async def list_statuses(session: ReadSession, refs: Iterable[EntityRef]) -> Mapping[EntityRef, list[Status]]:
    """Return the statuses of each of these entities, by key."""
    found: dict[EntityRef, list[Status]] = {ref: [] for ref in refs}
    for row in await rows.list_statuses(session, map(str, found)):
        status = summarise_status(row)
        found[status.ref].append(status)
    return found
