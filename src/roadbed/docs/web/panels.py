"""What documentation adds to pages of others: the entity page, the search, and what waits for owners."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from roadbed.catalog.contract import EntitySummary, find_entity, find_health, is_bad
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession
from roadbed.core.needs import Need
from roadbed.core.search import Hit, SearchSource
from roadbed.core.services import Services
from roadbed.docs.access import DOCS_READ
from roadbed.docs.repository import sites as table
from roadbed.docs.service.reading import find_documented, search_pages
from roadbed.docs.service.runbooks import find_runbook
from roadbed.docs.types import RUNBOOK, docs_href
from roadbed.kit.text import name_actor

_MOST = 20


async def load_facts(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the link to the runbook under the heading of an entity."""
    services: Services = request.app.state.services
    if RUNBOOK not in entity.annotations or not await _may_read(request, services):
        return None
    async with services.get(Database).read() as session:
        return {"runbook": await find_runbook(session, entity)}


async def load_tab(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the tab of an entity that leads to its documentation."""
    services: Services = request.app.state.services
    if not await _may_read(request, services):
        return None
    async with services.get(Database).read() as session:
        found = await find_documented(session, entity.ref)
    if found is None:
        return None
    return {"href": docs_href(entity.ref), "word": None if found.version else "not built"}


async def load_alarm(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the runbook to be opened when an entity fails, or what it depends on does: of the one that fails."""
    services: Services = request.app.state.services
    if not await _may_read(request, services):
        return None
    async with services.get(Database).read() as session:
        failing = await _find_failing(session, entity)
        runbook = await find_runbook(session, failing) if failing is not None else None
    if failing is None or runbook is None or runbook.href is None:
        return None
    return {"title": failing.title, "runbook": runbook}


async def _find_failing(session: ReadSession, entity: EntitySummary) -> EntitySummary | None:
    health = await find_health(session, entity.ref)
    if health.own is not None and is_bad(health.own.state):
        return entity
    for rolled in (health.dependencies, health.parts):
        if rolled.rollup.is_bad:
            return await find_entity(session, rolled.path[-1][0])
    return None


async def _may_read(request: Request, services: Services) -> bool:
    return services.get(DeciderService).has(await current_actor(request), DOCS_READ)


async def find_pages(session: ReadSession, _: Actor, text: str, /, *, limit: int) -> Sequence[Hit]:
    """Find pages of documentation for the search."""
    return [
        Hit(match.title, match.href, "book", meta=match.subject)
        for match in await search_pages(session, text, limit=limit)
    ]


async def find_needs(session: ReadSession, actor: Actor, /) -> list[Need]:
    """Return the reports of problems with documentation that the actor owns."""
    owners = actor.groups | ({actor.entity_ref} if actor.entity_ref else set())
    if not owners or not session.services.get(DeciderService).has(actor, DOCS_READ):
        return []
    found = await table.list_reports_of_owners(session, owners, limit=_MOST)
    needs: dict[Any, Need] = {}
    for report, row in found:
        subject = table.view_subject(row)
        needs.setdefault(
            report.id,
            Need(
                state=("warn", "Report"),
                title=f"The documentation of {subject.title} has a problem: {report.page}",
                href=f"{subject.href}/about#reports",
                at=report.reported_at,
                meta=f"{name_actor(report.reported_by)}: {report.text[:120]}",
            ),
        )
    return list(needs.values())


SEARCH_SOURCE = SearchSource("Documentation", 20, DOCS_READ, find_pages)
