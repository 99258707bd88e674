"""Page: which secrets exist, with a form that only writes."""

from contextlib import suppress
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.errors import Invalid, NotFound
from roadbed.core.html import render
from roadbed.core.paging import text_cursor, text_of_cursor
from roadbed.secrets.access import SECRET_WRITE, SecretReader, SecretWriter
from roadbed.secrets.schemas import SecretQuery
from roadbed.secrets.service.values import delete_secret, list_secrets, put_secret

router = APIRouter()


@router.get("/secrets")
async def secrets_page(
    request: Request, session: Reading, actor: SecretReader, query: Annotated[SecretQuery, Query()]
) -> HTMLResponse:
    """Show which secrets exist."""
    return await _page(request, session, actor, query)


@router.post("/secrets")
async def put_from_page(
    request: Request,
    session: Writing,
    actor: SecretWriter,
    path: Annotated[str, Form()] = "",
    value: Annotated[str, Form()] = "",
) -> Response:
    """Store the value of the form; a fault is shown beside its field, and the value is never echoed."""
    try:
        await put_secret(session, actor, path=path.strip(), value=value)
    except Invalid as error:
        return await _page(request, session, actor, SecretQuery(), path=path, error=error)
    return RedirectResponse("/secrets", 303)


@router.post("/secrets/delete")
async def delete_from_page(
    session: Writing,
    actor: SecretWriter,
    path: Annotated[str, Form()],
    confirm_name: Annotated[str, Form()] = "",
) -> Response:
    """Delete a secret whose path was typed to confirm."""
    if confirm_name != path:
        raise Invalid(f"secret://{path} was not deleted: its path was not typed.", hint="Type the path to confirm.")
    with suppress(NotFound):  # somebody else was faster; the list shows it
        await delete_secret(session, actor, path=path)
    return RedirectResponse("/secrets", 303)


async def _page(
    request: Request,
    session: ReadSession,
    actor: Actor,
    query: SecretQuery,
    *,
    path: str = "",
    error: Invalid | None = None,
) -> HTMLResponse:
    found = await list_secrets(session, prefix=query.prefix, after=text_of_cursor(query.cursor), limit=query.limit + 1)
    shown = found[: query.limit]
    context = {
        "secrets": shown,
        "query": query,
        "next_cursor": text_cursor(shown[-1].path) if len(found) > query.limit else None,
        "can_write": request.app.state.services.get(DeciderService).has(actor, SECRET_WRITE),
        "path": path,
        "error": error,
    }
    return await render(request, "secrets/list.html", context, status=422 if error else 200)
