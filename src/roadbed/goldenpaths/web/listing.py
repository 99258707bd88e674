"""Page: what can be created: golden paths, with a search, and the other ways to begin something."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import BaseModel, ConfigDict

from roadbed.catalog.contract import LOCATION_WRITE, EntitySummary, entity_href, list_by_refs
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession
from roadbed.core.html import render
from roadbed.goldenpaths.access import RUN_START, PathReader
from roadbed.goldenpaths.service.paths import list_paths
from roadbed.goldenpaths.types import GoldenPath
from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref
from roadbed.provisioning.contract import RESOURCE_WRITE
from roadbed.scm.contract import REPOSITORY_CREATE

router = APIRouter()

SEARCH_FROM = 6
"""With fewer paths than these there is nothing to search."""


class PathQuery(BaseModel):
    """What the list is narrowed to."""

    model_config = ConfigDict(extra="ignore")

    q: str = ""
    type: str = ""
    tag: str = ""

    @property
    def is_set(self) -> bool:
        return bool(self.q.strip() or self.type or self.tag)


@router.get("/create")
async def list_page(
    request: Request, session: Reading, actor: PathReader, query: Annotated[PathQuery, Query()]
) -> HTMLResponse:
    """Show the golden paths, and what else can be created."""
    paths = await list_paths(session)
    owners = await find_owners(session, paths)
    shown = [path for path in paths if _fits(path, query, owners)]
    context = {
        "rows": [{"path": path, **show_owner(path, owners)} for path in shown],
        "total": len(paths),
        "query": query,
        "has_search": len(paths) >= SEARCH_FROM or query.is_set,
        "types": _count(path.type for path in paths if path.type),
        "tags": _count(tag for path in paths for tag in path.tags),
        "may_start": request.app.state.services.get(DeciderService).has(actor, RUN_START),
        "others": _list_others(request, actor),
    }
    return await render(request, "goldenpaths/list.html", context)


def _fits(path: GoldenPath, query: PathQuery, owners: Mapping[EntityRef, EntitySummary]) -> bool:
    if (query.type and path.type != query.type) or (query.tag and query.tag not in path.tags):
        return False
    owner = show_owner(path, owners)["owner"] or ""
    text = " ".join([path.title, path.name, path.description, path.type, owner, *path.tags]).lower()
    return all(word in text for word in query.q.lower().split())


def _count(values: Any) -> list[dict[str, str]]:
    counted = Counter(values)
    return [{"value": value, "label": f"{value} ({counted[value]})"} for value in sorted(counted)]


async def find_owners(session: ReadSession, paths: Sequence[GoldenPath]) -> dict[EntityRef, EntitySummary]:
    """Return those owners of paths that the catalog has."""
    refs = {ref for path in paths if (ref := _owner_ref(path)) is not None}
    return await list_by_refs(session, refs) if refs else {}


def show_owner(path: GoldenPath, owners: Mapping[EntityRef, EntitySummary]) -> dict[str, str | None]:
    """Return who owns a path: a title and, where the catalog has it, an address."""
    ref = _owner_ref(path)
    if ref is None:
        return {"owner": path.owner, "owner_href": None}
    entity = owners.get(ref)
    return {
        "owner": entity.title if entity else ref.shorten(default_kind="Group"),
        "owner_href": entity_href(ref) if entity else None,
    }


def _owner_ref(path: GoldenPath) -> EntityRef | None:
    try:
        return parse_ref(path.owner, default_kind="Group") if path.owner else None
    except InvalidRef:
        return None


def _list_others(request: Request, actor: Actor) -> list[dict[str, str]]:
    """Return what else `actor` may create."""
    may = request.app.state.services.get(DeciderService).has
    others = [
        (RESOURCE_WRITE, "Ask for a resource", "/resources/ask", "database", "A database for what you have already."),
        (REPOSITORY_CREATE, "Create a repository", "/repositories/new", "git-branch", "An empty one, to push code to."),
        (
            LOCATION_WRITE,
            "Register entities",
            "/catalog/register",
            "list-search",
            "What runs already, from the catalog files in its repository.",
        ),
    ]
    return [
        {"label": label, "href": href, "icon": icon, "text": text}
        for permission, label, href, icon, text in others
        if may(actor, permission)
    ]
