"""REST: what one follows, and what one looked at last."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from roadbed.catalog.access import EntityReader, FollowWriter
from roadbed.catalog.schemas.views import BookmarkOut, BookmarkPageOut
from roadbed.catalog.service import follows, visits
from roadbed.core.db import Reading, Writing
from roadbed.core.paging import PageQuery, text_cursor, text_of_cursor
from roadbed.kit.refs import EntityRef

router = APIRouter(tags=["catalog"])

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]


@router.get("/follows")
async def list_follows(session: Reading, actor: EntityReader, query: Annotated[PageQuery, Query()]) -> BookmarkPageOut:
    """List the entities that you follow, by ref; also those that are gone."""
    found = await follows.list_followed(session, actor, after=text_of_cursor(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    return BookmarkPageOut(
        items=[BookmarkOut.of(bookmark) for bookmark in shown],
        next_cursor=text_cursor(str(shown[-1].ref)) if len(found) > query.limit else None,
    )


@router.put("/entities/{kind}/{namespace}/{name}/follow", status_code=204)
async def follow(session: Writing, actor: FollowWriter, _: EntityReader, ref: RefOfPath) -> None:
    """Follow an entity: what happens to it is told on your Home."""
    await follows.follow_entity(session, actor, ref)


@router.delete("/entities/{kind}/{namespace}/{name}/follow", status_code=204)
async def unfollow(session: Writing, actor: FollowWriter, ref: RefOfPath) -> None:
    """Follow an entity no longer; it may be gone."""
    await follows.unfollow_entity(session, actor, ref)


@router.get("/visits")
async def list_visits(session: Reading, actor: EntityReader) -> BookmarkPageOut:
    """List the entities whose pages you looked at last with a browser, the newest first: at most 20."""
    items = [BookmarkOut.of(bookmark) for bookmark in await visits.list_visited(session, actor)]
    return BookmarkPageOut(items=items, next_cursor=None)


@router.delete("/visits", status_code=204)
async def clear_visits(session: Writing, actor: FollowWriter) -> None:
    """Forget what you looked at."""
    await visits.clear_visits(session, actor)
