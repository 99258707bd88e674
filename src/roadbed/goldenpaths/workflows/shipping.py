"""At start-up: the paths that this Roadbed ships go into the repository `roadbed/paths`, and the catalog reads it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
import yaml

from roadbed.catalog.contract import LocationExists, LocationType, register_location
from roadbed.core.actor import system_actor
from roadbed.core.bundled import BundledFile, read_bundled
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.goldenpaths.types import VERSION_ANNOTATION
from roadbed.goldenpaths.workflows.tidying import remove_left_behind
from roadbed.scm.contract import (
    FileContent,
    Repository,
    RepositoryWish,
    TreeChange,
    author_of,
    branch_ref,
    commit_files,
    create_repository,
    find_commit,
    find_repository,
    read_tree,
    set_roadbed_ref,
)

log = structlog.get_logger(__name__)

OWNER, NAME, BRANCH = "roadbed", "paths", "main"
LOCATION = f"roadbed:{OWNER}/{NAME}#{BRANCH}:*/template.yaml"
DESCRIPTION = (
    "The golden paths that came with this Roadbed. A start brings them back as shipped; keep your own elsewhere."
)
ACTOR = system_actor("golden paths")


@asynccontextmanager
async def open_paths(services: Services) -> AsyncIterator[None]:
    """Bring the shipped paths up to date, and remove workspaces that are left over."""
    await remove_left_behind(services)
    await ship(services, await asyncio.to_thread(read_bundled, "paths"))
    yield


async def ship(services: Services, shipped: dict[str, BundledFile]) -> str:
    """Commit the shipped paths where they have changed, tag new versions, and register them; returns the commit."""
    files = {path: FileContent(file.data, file.is_executable) for path, file in shipped.items()}
    repository = await _ensure_repository(services)
    commit = await find_commit(services, repository, BRANCH)
    if commit is None or await read_tree(services, repository, commit) != files:
        change = TreeChange(
            ref=branch_ref(BRANCH),
            files=files,
            message=f"Bring {', '.join(sorted(_versions(shipped)))} as shipped.",
            author=author_of(ACTOR),
            is_whole=True,
        )
        commit = await commit_files(services, ACTOR, repository.id, change)
        log.info("goldenpaths.shipped", commit=commit, files=len(files))
    for tag in _versions(shipped):
        if await find_commit(services, repository, tag) is None:
            await set_roadbed_ref(services, ACTOR, repository.id, ref=f"refs/tags/{tag}", sha=commit)
    await _ensure_location(services)
    return commit


async def _ensure_repository(services: Services) -> Repository:
    async with services.get(Database).write() as session:
        existing = await find_repository(session, OWNER, NAME)
        if existing is not None:
            return existing
        wish = RepositoryWish(OWNER, NAME, DESCRIPTION, default_branch=BRANCH)
        return await create_repository(session, ACTOR, wish)


async def _ensure_location(services: Services) -> None:
    async with services.get(Database).write() as session:
        try:
            await register_location(session, ACTOR, type_=LocationType.GIT, target=LOCATION)
        except LocationExists:
            return  # it is read again after each push


def _versions(shipped: dict[str, BundledFile]) -> list[str]:
    """Return a tag, `python-fastapi-1.0.0`, for each template."""
    tags = []
    for path, file in shipped.items():
        if path.count("/") == 1 and path.endswith("/template.yaml"):
            template: dict[str, Any] = yaml.safe_load(file.data)
            metadata = template["metadata"]
            version = (metadata.get("annotations") or {}).get(VERSION_ANNOTATION)
            if version:
                tags.append(f"{metadata['name']}-{version}")
    return tags
