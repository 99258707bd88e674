"""REST: the views that people save of the list of entities."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from roadbed.catalog.access import EntityReader, ViewWriter
from roadbed.catalog.schemas.views import ViewIn, ViewOut, ViewPageOut, ViewsQuery
from roadbed.catalog.service import saved_views
from roadbed.core.db import Reading, Writing
from roadbed.core.etags import NOT_MODIFIED, Fresh, IfMatch
from roadbed.core.idempotency import Once
from roadbed.core.paging import id_cursor, id_of_cursor

router = APIRouter(prefix="/views", tags=["catalog"])


@router.get("")
async def list_views(session: Reading, actor: EntityReader, query: Annotated[ViewsQuery, Query()]) -> ViewPageOut:
    """List your own views and those that are shared with you, in the order in which they were saved."""
    after_id = id_of_cursor(query.cursor)
    found = await saved_views.list_views(
        session, actor, after_id=after_id, limit=query.limit + 1, is_deleted=query.deleted
    )
    shown = found[: query.limit]
    return ViewPageOut(
        items=[ViewOut.of(view) for view in shown],
        next_cursor=id_cursor(shown[-1].id) if len(found) > query.limit else None,
    )


@router.post("", status_code=201)
async def save_view(session: Writing, actor: ViewWriter, body: ViewIn, once: Once) -> ViewOut:
    """Save a view under a name that none of yours has."""
    if known := await once.find(ViewOut):
        return known
    return await once.keep(ViewOut.of(await saved_views.save_view(session, actor, body.to_wish())))


@router.get("/{view_id}", response_model=ViewOut, responses=NOT_MODIFIED)
async def get_view(session: Reading, actor: EntityReader, fresh: Fresh, view_id: UUID) -> ViewOut | Response:
    """Return a view."""
    shown = ViewOut.of(await saved_views.get_view(session, actor, view_id))
    return fresh.answer(shown, shown.etag)


@router.put("/{view_id}")
async def change_view(session: Writing, actor: ViewWriter, view_id: UUID, body: ViewIn, if_match: IfMatch) -> ViewOut:
    """Change name, query and readers of a view: one of your own, or as an admin one that is shared."""
    return ViewOut.of(await saved_views.change_view(session, actor, view_id, body.to_wish(), condition=if_match))


@router.delete("/{view_id}", status_code=204)
async def delete_view(session: Writing, actor: ViewWriter, view_id: UUID, if_match: IfMatch) -> None:
    """Delete a view, for everybody with whom it is shared. It can be restored for 30 days, the last 20 of them."""
    await saved_views.delete_view(session, actor, view_id, condition=if_match)


@router.post("/{view_id}/restore")
async def restore_view(session: Writing, actor: ViewWriter, view_id: UUID) -> ViewOut:
    """Have a view again that was deleted, for all who saw it."""
    return ViewOut.of(await saved_views.restore_view(session, actor, view_id))


@router.put("/{view_id}/default", status_code=204)
async def set_default(session: Writing, actor: ViewWriter, view_id: UUID) -> None:
    """Have the list open with this view, for you."""
    await saved_views.set_default_view(session, actor, view_id, is_default=True)


@router.delete("/{view_id}/default", status_code=204)
async def clear_default(session: Writing, actor: ViewWriter, view_id: UUID) -> None:
    """Have the list no longer open with this view."""
    await saved_views.set_default_view(session, actor, view_id, is_default=False)
