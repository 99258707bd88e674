"""What frames every page of a repository: its name, its tabs, and what the reader may do."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Request

from roadbed.core.access import DeciderService, Permission
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.scm import access
from roadbed.scm.repository import changes as changes_table
from roadbed.scm.schemas import RepositoryPath
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.types import Repository

Named = Annotated[RepositoryPath, Depends()]


def may(request: Request, actor: Actor, permission: Permission) -> bool:
    return bool(request.app.state.services.get(DeciderService).has(actor, permission))


def base_of(repository: Repository) -> str:
    """Return the address of the repository's page."""
    return f"/repositories/{repository.full_name}"


def address(repository: Repository, place: str, path: str = "", **query: str | int | None) -> str:
    """Return the address of a place in a repository: a file in a state, the commits of a branch."""
    parts = [base_of(repository), place, quote(path)]
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return "/".join(part for part in parts if part) + (f"?{urlencode(given)}" if given else "")


async def frame(
    request: Request, session: ReadSession, actor: Actor, repository: Repository, *, tab: str
) -> dict[str, Any]:
    """Return what the templates of every page of a repository need."""
    base = base_of(repository)
    tabs = [
        {"label": "Files", "href": base, "is_current": tab == "files"},
        {"label": "Commits", "href": f"{base}/commits", "is_current": tab == "commits"},
        {
            "label": "Change requests",
            "href": f"{base}/changes",
            "is_current": tab == "changes",
            "count": await changes_table.count_open(session, repository.id) or None,
        },
    ]
    if may(request, actor, access.REPOSITORY_MANAGE):
        tabs.append({"label": "Settings", "href": f"{base}/settings", "is_current": tab == "settings"})
    return {
        "repository": repository,
        "base": base,
        "tabs": tabs,
        "clone_url": session.services.get(ScmHosts).of(repository).clone_url(repository),
        "address": lambda place, path="", **query: address(repository, place, path, **query),
    }


def name_of(label: str) -> str:
    """Return the name in an actor's label: `user:ada` → `ada`."""
    return label.partition(":")[2] or label
