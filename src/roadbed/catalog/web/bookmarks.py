"""What a person keeps of entities, by buttons on pages: following one, and forgetting what one looked at."""

import re
from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse

from roadbed.catalog.access import EntityReader, FollowWriter
from roadbed.catalog.service import follows, visits
from roadbed.catalog.types import entity_href
from roadbed.catalog.web.entity import RefOfPath
from roadbed.core.db import Writing
from roadbed.kit.refs import EntityRef

router = APIRouter()

_OWN_PAGES = re.compile(r"/|/catalog(?:/unowned)?(?:\?[!-~]*)?")
Next = Annotated[str, Form(max_length=8_000)]


@router.post("/catalog/{kind}/{namespace}/{name}/follow")
async def follow(
    session: Writing,
    actor: FollowWriter,
    _: EntityReader,
    ref: RefOfPath,
    next: Next = "",  # noqa: A002 - the field's name
) -> RedirectResponse:
    """Follow an entity, and go back to where its star is."""
    await follows.follow_entity(session, actor, ref)
    return RedirectResponse(_return_to(next, ref), 303)


@router.post("/catalog/{kind}/{namespace}/{name}/unfollow")
async def unfollow(
    session: Writing,
    actor: FollowWriter,
    ref: RefOfPath,
    next: Next = "",  # noqa: A002 - the field's name
) -> RedirectResponse:
    """Follow an entity no longer, and go back to where its star is."""
    await follows.unfollow_entity(session, actor, ref)
    return RedirectResponse(_return_to(next, ref), 303)


@router.post("/catalog/visits/clear")
async def clear_visits(session: Writing, actor: FollowWriter) -> RedirectResponse:
    """Forget what the reader looked at."""
    await visits.clear_visits(session, actor)
    return RedirectResponse("/", 303)


def _return_to(target: str, ref: EntityRef) -> str:
    """Return the list or Home, where the button was; the page of the entity for anything else."""
    return target if _OWN_PAGES.fullmatch(target) else entity_href(ref)
