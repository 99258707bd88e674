"""Pages: the list of repositories, and a new one."""

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel
from starlette.responses import Response

from roadbed.core.db import Reading, Writing
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.scm.access import REPOSITORY_CREATE, REPOSITORY_MANAGE, RepositoryCreator, RepositoryReader
from roadbed.scm.errors import InvalidName, RepositoryExists
from roadbed.scm.schemas import RepositoryQuery
from roadbed.scm.service.lookup import list_repositories_page
from roadbed.scm.service.repositories import RepositoryWish, create_repository
from roadbed.scm.web.frame import base_of, may

router = APIRouter()


class NewRepositoryForm(BaseModel):
    """The form of a new repository."""

    owner: str = ""
    name: str = ""
    description: str = ""


@router.get("/repositories")
async def repositories_page(
    request: Request, session: Reading, actor: RepositoryReader, query: Annotated[RepositoryQuery, Query()]
) -> HTMLResponse:
    """Show all repositories, with a search."""
    shown, next_cursor = await list_repositories_page(session, query)
    context = {
        "repositories": shown,
        "query": query,
        "next_cursor": next_cursor,
        "can_create": may(request, actor, REPOSITORY_CREATE),
        "can_manage": may(request, actor, REPOSITORY_MANAGE),
    }
    return await render(request, "scm/list.html", context, fragment="results")


@router.get("/repositories/new")
async def new_repository_page(request: Request, _: RepositoryCreator) -> HTMLResponse:
    """Show the form of a new repository."""
    return await _form(request, NewRepositoryForm())


@router.post("/repositories/new")
async def create_from_page(
    request: Request, session: Writing, actor: RepositoryCreator, form: Annotated[NewRepositoryForm, Form()]
) -> Response:
    """Create the repository of the form."""
    wish = RepositoryWish(form.owner.strip(), form.name.strip(), form.description.strip()[:500])
    try:
        repository = await create_repository(session, actor, wish)
    except (InvalidName, RepositoryExists) as error:
        return await _form(request, form, error)
    return RedirectResponse(base_of(repository), 303)


async def _form(request: Request, form: NewRepositoryForm, error: RoadbedError | None = None) -> HTMLResponse:
    is_about_owner = isinstance(error, InvalidName) and "the owner" in error.message
    said = {"message": f"{error.message} {error.hint or ''}"} if error else None
    context = {
        "form": form,
        "owner_error": said if is_about_owner else None,
        "name_error": None if is_about_owner else said,
    }
    return await render(request, "scm/new.html", context, status=422 if error else 200)
