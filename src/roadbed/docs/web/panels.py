"""What documentation adds to pages of others: the entity page, the search, and what waits for owners."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import Request

from roadbed.catalog.contract import EntitySummary
from roadbed.core.access import DeciderService, current_actor
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession
from roadbed.core.needs import Need
from roadbed.core.search import Hit, SearchSource
from roadbed.core.services import Services
from roadbed.docs.access import DOCS_READ
from roadbed.docs.repository import sites as table
from roadbed.docs.rules.refs import find_runbook
from roadbed.docs.rules.words import builder_words, list_in_order, state_words
from roadbed.docs.service.reading import find_documented, find_page, search_pages
from roadbed.docs.types import LATEST, RUNBOOK, VersionSummary, docs_href
from roadbed.kit.text import name_actor

_MOST = 20
_SHOWN_PAGES = 8


async def load_facts(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return the links to documentation and runbook under the heading of an entity."""
    services: Services = request.app.state.services
    if not services.get(DeciderService).has(await current_actor(request), DOCS_READ):
        return None
    async with services.get(Database).read() as session:
        found = await find_documented(session, entity.ref)
        version = found.version if found else None
        runbook = await _find_runbook(session, entity, version)
    if found is None and runbook is None:
        return None
    return {"href": docs_href(entity.ref) if found else None, "edition": version, "runbook": runbook}


async def load_card(request: Request, entity: EntitySummary) -> Mapping[str, Any] | None:
    """Return what the page of an entity shows of its documentation."""
    services: Services = request.app.state.services
    if not services.get(DeciderService).has(await current_actor(request), DOCS_READ):
        return None
    async with services.get(Database).read() as session:
        found = await find_documented(session, entity.ref)
        if found is None:
            return None
        runbook = await _find_runbook(session, entity, found.version)
    pages = list_in_order(found.version.nav)[:_SHOWN_PAGES] if found.version else []
    return {
        "subject": found.subject,
        "site": found.site,
        "state": state_words(found.site),
        "edition": found.version,
        "builder": builder_words(found.version) if found.version else None,
        "pages": pages,
        "more": found.version.page_count - len(pages) if found.version else 0,
        "base": f"{docs_href(entity.ref)}/{LATEST}",
        "runbook": runbook,
    }


async def _find_runbook(
    session: ReadSession, entity: EntitySummary, version: VersionSummary | None
) -> dict[str, Any] | None:
    """Return where the runbook of an entity is; without an address when it is not there."""
    value = entity.annotations.get(RUNBOOK)
    if value is None:
        return None
    page, url = find_runbook(value)
    if url is not None:
        return {"href": url, "is_external": True}
    base = docs_href(entity.ref)
    for path in _names_of(page, version):
        if version is not None and await find_page(session, version, path) is not None:
            fragment = value.partition("#")[2]
            return {"href": f"{base}/{LATEST}/{path}" + (f"#text-{fragment}" if fragment else ""), "is_external": False}
    return {"href": None, "is_external": False, "value": value[:200]}


def _names_of(page: str | None, version: VersionSummary | None) -> list[str]:
    """Return the addresses that a runbook's annotation may mean: with `docs/` in front, or without."""
    if not page or version is None:
        return []
    bare = page[: page.rindex(".")] if page.lower().endswith((".md", ".markdown")) else page
    names = [bare, f"docs/{bare}", bare.removeprefix("docs/")]
    return list(dict.fromkeys([*names, *(f"{name}/index" for name in names)]))


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
