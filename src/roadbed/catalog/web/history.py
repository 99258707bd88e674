"""Pages: the versions of an entity, one of them with what it changed, and going back to it."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import ENTITY_WRITE, EntityReader, EntityWriter
from roadbed.catalog.rules.comparison import compare, compare_documents
from roadbed.catalog.rules.writing import write_entity
from roadbed.catalog.schemas.entities import AsOf
from roadbed.catalog.service import entities, history
from roadbed.catalog.service.past import open_moment
from roadbed.catalog.types import entity_href
from roadbed.catalog.web.entity import KindsInForce, RefOfPath
from roadbed.catalog.web.frame import frame_entity
from roadbed.core.access import DeciderService
from roadbed.core.db import Reading, Writing
from roadbed.core.etags import Condition
from roadbed.core.highlight import highlight_lines
from roadbed.core.html import render
from roadbed.core.paging import number_cursor, number_of_cursor

router = APIRouter()

PAGE = 25
WORDS = {
    "created": "Created",
    "updated": "Changed",
    "restored": "Back again",
    "orphaned": "Became an orphan",
    "deleted": "Deleted",
}


@router.get("/catalog/{kind}/{namespace}/{name}/history")
async def history_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    kinds: KindsInForce,
    ref: RefOfPath,
    cursor: str | None = None,
) -> HTMLResponse:
    """Show each version of an entity: who, when, from which commit, and what changed; also of one that is gone."""
    entity, gone = await history.get_known(session, ref)
    found = await history.list_versions(session, entity.ref, before=number_of_cursor(cursor), limit=PAGE)
    context = await frame_entity(request, session, entity, kinds, actor, "history") | {
        "gone": gone,
        "versions": found.items,
        "words": WORDS,
        "next_cursor": number_cursor(found.older) if found.older is not None else None,
    }
    return await render(request, "catalog/history.html", context)


@router.get("/catalog/{kind}/{namespace}/{name}/history/at")
async def version_at(
    session: Reading, _: EntityReader, ref: RefOfPath, as_of: Annotated[AsOf, Query()] = None
) -> RedirectResponse:
    """Lead to the version that an entity had at a time."""
    moment = await open_moment(session, as_of)
    if moment is None:
        return RedirectResponse(entity_href(ref), 303)
    change = await history.get_version_at(session, ref, moment.position)
    return RedirectResponse(f"{entity_href(ref)}/history/{change.position}", 303)


@router.get("/catalog/{kind}/{namespace}/{name}/history/{position}")
async def version_page(
    request: Request, session: Reading, actor: EntityReader, kinds: KindsInForce, ref: RefOfPath, position: int
) -> HTMLResponse:
    """Show an entity as it was after one change, what that changed, and what going back to it would."""
    entity, gone = await history.get_known(session, ref)
    version = await history.get_version(session, entity.ref, position)
    change = version.change
    refusal = await history.find_refusal(session, ref, position)
    text = write_entity(change.document)
    context = await frame_entity(request, session, entity, kinds, actor, "history") | {
        "gone": gone,
        "version": version,
        "what": WORDS[change.change],
        "text": compare_documents(version.before, change.document) if version.before is not None else None,
        "lines": highlight_lines(text, filename="entity.yaml"),
        "refusal": refusal,
        "is_current": gone is None and change.digest == entity.digest,
        "would_change": [] if gone else compare(entity.document, change.document, limit=20),
        "can_restore": request.app.state.services.get(DeciderService).has(actor, ENTITY_WRITE),
        "etag": "" if gone else entity.digest,
        "command": f"roadbed restore {entity.ref} --to {position}",
    }
    return await render(request, "catalog/version.html", context)


@router.post("/catalog/{kind}/{namespace}/{name}/history/{position}/restore")
async def restore_version(
    session: Writing, actor: EntityWriter, ref: RefOfPath, position: int, etag: Annotated[str, Form()] = ""
) -> RedirectResponse:
    """Restore a version, if the entity is still as it was shown; `etag` is empty when it was gone."""
    condition = Condition(frozenset({etag} if etag else ()))
    is_gone = not etag and await entities.find_entity(session, ref) is None
    await history.restore_version(session, actor, ref, position, condition=None if is_gone else condition)
    return RedirectResponse(entity_href(ref), 303)
