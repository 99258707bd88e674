"""What other git hosts call when somebody pushed, and the page on which they are let in."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from starlette.responses import Response

from roadbed.core.access import anonymous
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.scm.access import RepositoryManager
from roadbed.scm.errors import InvalidIncomingHook
from roadbed.scm.service import incoming
from roadbed.scm.service.incoming import NewIncomingHook

router = APIRouter()

PAGE = "/repositories/incoming"


@router.post("/webhooks/{hook_id}", status_code=202)
async def receive_push(
    request: Request, _: Annotated[Actor, anonymous("the signature of each delivery is checked")], hook_id: UUID
) -> JSONResponse:
    """Take what another git host tells."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    receipt = await incoming.receive(request.app.state.services, hook_id, headers, await request.body())
    return JSONResponse({"status": receipt}, 202)


@router.get(PAGE)
async def incoming_page(request: Request, session: Reading, _: RepositoryManager) -> HTMLResponse:
    """Show the incoming webhooks, and the form for a new one."""
    return await _page(request, session)


@router.post(PAGE)
async def add_from_page(
    request: Request, session: Writing, actor: RepositoryManager, url: Annotated[str, Form()] = ""
) -> HTMLResponse:
    """Let the host of a repository tell of pushes, and show address and secret this once."""
    try:
        made = await incoming.add_incoming_hook(session, actor, url.strip())
    except InvalidIncomingHook as error:
        return await _page(request, session, error=error, url=url)
    await session.flush()
    return await _page(request, session, made=made)


@router.post(PAGE + "/{hook_id}/remove")
async def remove_from_page(session: Writing, actor: RepositoryManager, hook_id: UUID) -> Response:
    """Listen no more."""
    await incoming.remove_incoming_hook(session, actor, hook_id)
    return RedirectResponse(PAGE, 303)


async def _page(
    request: Request,
    session: ReadSession,
    *,
    made: NewIncomingHook | None = None,
    error: RoadbedError | None = None,
    url: str = "",
) -> HTMLResponse:
    context = {
        "hooks": await incoming.list_incoming_hooks(session),
        "made": made,
        "address": made.address if made else None,
        "error": error,
        "url": url,
    }
    return await render(request, "scm/incoming.html", context, status=422 if error else 200)
