"""Pages: change requests, and the forms that move them on."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from starlette.responses import Response

from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, ReadSession, Writing
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.core.markdown import render_markdown
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.scm import access
from roadbed.scm.access import ChangeApprover, ChangeMerger, ChangeWriter, RepositoryReader
from roadbed.scm.errors import ChangeRequestExists, InvalidChangeRequest, InvalidName, MergeBlocked, MergeConflict
from roadbed.scm.schemas import ChangeRequestQuery
from roadbed.scm.service import changes
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_named, list_changes_page
from roadbed.scm.types import ChangeRequestState, MergeMethod, Repository, StatusState
from roadbed.scm.web.frame import Named, base_of, frame, may, name_of

router = APIRouter(prefix="/repositories/{owner}/{name}/changes")

STATE_WORDS = {
    ChangeRequestState.OPEN: ("run", "Open", "git-pull-request"),
    ChangeRequestState.MERGED: ("ok", "Merged", "git-merge"),
    ChangeRequestState.CLOSED: ("off", "Closed", "circle-x"),
}
STATUS_WORDS = {
    StatusState.SUCCESS: ("ok", "Passed"),
    StatusState.FAILURE: ("bad", "Failed"),
    StatusState.ERROR: ("bad", "Could not run"),
    StatusState.PENDING: ("run", "Running"),
}
SHOWN_FILES_OPEN = 30


class NewChangeForm(BaseModel):
    """The form of a new change request."""

    source: str = ""
    target: str = ""
    title: str = ""
    description: str = ""


@router.get("")
async def changes_page(
    request: Request,
    session: Reading,
    actor: RepositoryReader,
    named: Named,
    query: Annotated[ChangeRequestQuery, Query()],
) -> HTMLResponse:
    """Show the change requests of a repository, the open ones first of all."""
    repository = await get_named(session, named)
    wanted = query if "state" in query.model_fields_set else query.model_copy(update={"state": ChangeRequestState.OPEN})
    shown, next_cursor = await list_changes_page(session, repository, wanted)
    context = await frame(request, session, actor, repository, tab="changes") | {
        "changes": shown,
        "state": wanted.state,
        "next_cursor": next_cursor,
        "words": STATE_WORDS,
        "name_of": name_of,
        "can_open": may(request, actor, access.CHANGE_WRITE),
    }
    return await render(request, "scm/changes.html", context)


@router.get("/new")
async def new_change_page(
    request: Request, session: Reading, actor: ChangeWriter, named: Named, form: Annotated[NewChangeForm, Query()]
) -> HTMLResponse:
    """Show the form of a new change request, with what it would bring."""
    return await _form(request, session, actor, await get_named(session, named), form)


@router.post("/new")
async def open_from_page(
    request: Request, session: Writing, actor: ChangeWriter, named: Named, form: Annotated[NewChangeForm, Form()]
) -> Response:
    """Open the change request of the form."""
    repository = await get_named(session, named)
    wish = changes.ChangeRequestWish(form.source, form.title, form.description, form.target or None)
    try:
        change = await changes.open_change_request(session, actor, repository, wish)
    except (InvalidChangeRequest, ChangeRequestExists, InvalidName) as error:
        return await _form(request, session, actor, repository, form, error=error)
    return RedirectResponse(f"{base_of(repository)}/changes/{change.number}", 303)


@router.get("/{number}")
async def change_page(
    request: Request, session: Reading, actor: RepositoryReader, named: Named, number: int
) -> HTMLResponse:
    """Show a change request: checks, approvals, what it changes, and the way on."""
    return await _change(request, session, actor, await get_named(session, named), number)


@router.post("/{number}/approve")
async def approve_from_page(session: Writing, actor: ChangeApprover, named: Named, number: int) -> Response:
    """Approve the newest commit."""
    repository = await get_named(session, named)
    await changes.approve_change_request(session, actor, repository, number)
    return _back(repository, number)


@router.post("/{number}/comment")
async def comment_from_page(
    session: Writing, actor: ChangeWriter, named: Named, number: int, body: Annotated[str, Form()] = ""
) -> Response:
    """Add a comment; an empty one is nothing."""
    repository = await get_named(session, named)
    if body.strip():
        await changes.comment_change_request(session, actor, repository, number, body)
    return _back(repository, number)


@router.post("/{number}/close")
async def close_from_page(session: Writing, actor: ChangeWriter, named: Named, number: int) -> Response:
    """Close without merging."""
    repository = await get_named(session, named)
    await changes.close_change_request(session, actor, repository, number)
    return _back(repository, number)


@router.post("/{number}/merge")
async def merge_from_page(
    request: Request,
    actor: ChangeMerger,
    named: Named,
    number: int,
    method: Annotated[MergeMethod, Form()] = MergeMethod.MERGE,
) -> Response:
    """Merge; what stands in the way is shown on the page of the change request."""
    services: Services = request.app.state.services
    async with services.get(Database).read() as session:
        repository = await get_named(session, named)
    try:
        await changes.merge_change_request(services, actor, repository.id, number, method=method)
    except (MergeBlocked, MergeConflict) as error:
        async with services.get(Database).read() as session:
            return await _change(request, session, actor, repository, number, error=error)
    return _back(repository, number)


async def _change(
    request: Request,
    session: ReadSession,
    actor: Actor,
    repository: Repository,
    number: int,
    *,
    error: RoadbedError | None = None,
) -> HTMLResponse:
    overview = await changes.get_overview(session, repository, number)
    change = overview.change
    is_open = change.state is ChangeRequestState.OPEN
    approved = [row for row in overview.approvals if row.sha == change.head_sha]
    context = await frame(request, session, actor, repository, tab="changes") | {
        "overview": overview,
        "change": change,
        "state": STATE_WORDS[change.state],
        "statuses": [(status, STATUS_WORDS[status.state]) for status in overview.statuses],
        "missing_checks": sorted(set(repository.required_checks) - {status.context for status in overview.statuses}),
        "approved": approved,
        "required_approvals": session.services.get(Settings).scm.required_approvals,
        "has_approved": any(row.actor_id == actor.id for row in approved),
        "is_open": is_open,
        "can_merge": is_open and not overview.blocks and not overview.conflicts,
        "may_approve": is_open and may(request, actor, access.CHANGE_APPROVE),
        "may_merge": is_open and may(request, actor, access.CHANGE_MERGE),
        "may_write": may(request, actor, access.CHANGE_WRITE),
        "description": _markdown(change.description),
        "comments": [(comment, _markdown(comment.body)) for comment in overview.comments],
        "name_of": name_of,
        "error": error,
    }
    return await render(request, "scm/change.html", context, status=409 if error else 200)


async def _form(
    request: Request,
    session: ReadSession,
    actor: Actor,
    repository: Repository,
    form: NewChangeForm,
    *,
    error: RoadbedError | None = None,
) -> HTMLResponse:
    host = session.services.get(ScmHosts).of(repository)
    branches = await host.list_branches(repository)
    target = form.target or repository.default_branch
    context: dict[str, Any] = await frame(request, session, actor, repository, tab="changes") | {
        "form": form,
        "target": target,
        "branches": sorted(branches),
        "error": error,
        "commits": [],
        "diff": None,
        "title": form.title,
    }
    if form.source in branches and target in branches:
        head, base = branches[form.source], branches[target]
        commits = await host.list_range(repository, base, head, limit=changes.SHOWN_COMMITS)
        context |= {
            "commits": commits,
            "diff": await host.compare(repository, base, head) if commits else None,
            "title": form.title or (commits[-1].subject if commits else ""),
        }
    return await render(request, "scm/change_new.html", context, status=422 if error else 200)


def _markdown(text: str) -> Any:
    return render_markdown(text, link=lambda _: None, image=lambda _: None)


def _back(repository: Repository, number: int) -> Response:
    return RedirectResponse(f"{base_of(repository)}/changes/{number}", 303)
