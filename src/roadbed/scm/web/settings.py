"""Page: what may be changed about a repository, its webhooks, and its end."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from starlette.responses import Response

from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.errors import Invalid, RoadbedError
from roadbed.core.html import render
from roadbed.scm.access import RepositoryManager
from roadbed.scm.errors import InvalidName, RepositoryExists, RevisionNotFound
from roadbed.scm.repository import webhooks as webhooks_table
from roadbed.scm.service import webhooks
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_named
from roadbed.scm.service.repositories import RepositoryChange, change_repository, delete_repository
from roadbed.scm.types import Repository
from roadbed.scm.web.frame import Named, base_of, frame

router = APIRouter(prefix="/repositories/{owner}/{name}/settings")


class SettingsForm(BaseModel):
    """The form of a repository's settings. Required checks come one a line."""

    new_name: str = ""
    description: str = ""
    default_branch: str = ""
    is_protected: list[str] = []
    required_checks: list[str] = []


@router.get("")
async def settings_page(request: Request, session: Reading, actor: RepositoryManager, named: Named) -> HTMLResponse:
    """Show the settings of a repository."""
    return await _page(request, session, actor, await get_named(session, named))


@router.post("")
async def change_from_page(
    request: Request, session: Writing, actor: RepositoryManager, named: Named, form: Annotated[SettingsForm, Form()]
) -> Response:
    """Change what the form says."""
    repository = await get_named(session, named)
    change = RepositoryChange(
        name=form.new_name.strip() or None,
        description=form.description.strip()[:500],
        default_branch=form.default_branch or None,
        is_protected="true" in form.is_protected,
        required_checks=tuple(check.strip() for check in form.required_checks if check.strip()),
    )
    try:
        changed = await change_repository(session, actor, repository, change)
    except (InvalidName, RepositoryExists, RevisionNotFound) as error:
        return await _page(request, session, actor, repository, error=error)
    return RedirectResponse(f"{base_of(changed)}/settings", 303)


@router.post("/delete")
async def delete_from_page(
    session: Writing, actor: RepositoryManager, named: Named, confirm_name: Annotated[str, Form()] = ""
) -> Response:
    """Delete the repository whose name was typed to confirm."""
    repository = await get_named(session, named)
    if confirm_name != repository.full_name:
        raise Invalid(f"{repository.full_name} was not deleted: its name was not typed.", hint="Type it to confirm.")
    await delete_repository(session, actor, repository)
    return RedirectResponse("/repositories", 303)


@router.post("/webhooks")
async def add_webhook_from_page(
    request: Request,
    session: Writing,
    actor: RepositoryManager,
    named: Named,
    url: Annotated[str, Form()] = "",
    secret: Annotated[str, Form()] = "",
) -> Response:
    """Have an address told of pushes and change requests."""
    repository = await get_named(session, named)
    wish = webhooks.WebhookWish(url.strip(), webhooks.EVENTS, secret or None)
    try:
        await webhooks.add_webhook(session, actor, repository, wish)
    except RoadbedError as error:
        return await _page(request, session, actor, repository, webhook_error=error, webhook_url=url)
    return RedirectResponse(f"{base_of(repository)}/settings#webhooks", 303)


@router.post("/webhooks/{webhook_id}/remove")
async def remove_webhook_from_page(
    session: Writing, actor: RepositoryManager, named: Named, webhook_id: UUID
) -> Response:
    """Stop telling an address."""
    repository = await get_named(session, named)
    await webhooks.remove_webhook(session, actor, repository, webhook_id)
    return RedirectResponse(f"{base_of(repository)}/settings#webhooks", 303)


async def _page(
    request: Request, session: ReadSession, actor: Actor, repository: Repository, **said: RoadbedError | str
) -> HTMLResponse:
    rows = await webhooks_table.list_of(session, repository.id)
    newest = {row.id: await webhooks_table.list_deliveries(session, row.id, limit=1) for row in rows}
    context = await frame(request, session, actor, repository, tab="settings") | {
        "branches": sorted(await session.services.get(ScmHosts).of(repository).list_branches(repository)),
        "webhooks": [(row, newest[row.id][0] if newest[row.id] else None) for row in rows],
        "error": said.get("error"),
        "webhook_error": said.get("webhook_error"),
        "webhook_url": said.get("webhook_url", ""),
    }
    return await render(request, "scm/settings.html", context, status=422 if said else 200)
