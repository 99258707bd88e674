"""Pages: the commits of a branch, and one commit."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from roadbed.core.db import Reading
from roadbed.core.html import render
from roadbed.scm.access import RepositoryReader
from roadbed.scm.repository import changes as changes_table
from roadbed.scm.rules.merging import summarise_checks
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_named
from roadbed.scm.service.statuses import list_commit_statuses
from roadbed.scm.types import CommitStatus
from roadbed.scm.web.files import CHECK_WORDS
from roadbed.scm.web.frame import Named, frame

router = APIRouter(prefix="/repositories/{owner}/{name}/commits")

PAGE = 50


@router.get("")
async def commits_page(
    request: Request,
    session: Reading,
    actor: RepositoryReader,
    named: Named,
    at: Annotated[str | None, Query(max_length=300)] = None,
    skip: Annotated[int, Query(ge=0, le=100_000)] = 0,
) -> HTMLResponse:
    """Show the commits of a branch, newest first, with what checks say."""
    repository = await get_named(session, named)
    host = session.services.get(ScmHosts).of(repository)
    branches = sorted(await host.list_branches(repository))
    shown_at = at or repository.default_branch
    found = await host.list_commits(repository, shown_at, skip=skip, limit=PAGE + 1) if branches else []
    by_sha: dict[str, list[CommitStatus]] = {}
    for status in await changes_table.list_statuses(session, repository.id, [commit.sha for commit in found]):
        by_sha.setdefault(status.sha, []).append(status)
    rows = []
    for commit in found[:PAGE]:
        statuses = by_sha.get(commit.sha)
        checks = summarise_checks(repository, statuses) if statuses else None
        rows.append({"commit": commit, "checks": CHECK_WORDS[checks] if checks else None})
    context = await frame(request, session, actor, repository, tab="commits") | {
        "rows": rows,
        "branches": branches,
        "shown_at": shown_at,
        "at": at,
        "skip": skip,
        "next_skip": skip + PAGE if len(found) > PAGE else None,
    }
    return await render(request, "scm/commits.html", context)


@router.get("/{sha}")
async def commit_page(
    request: Request, session: Reading, actor: RepositoryReader, named: Named, sha: str
) -> HTMLResponse:
    """Show one commit: its message, its checks and what it changed."""
    repository = await get_named(session, named)
    host = session.services.get(ScmHosts).of(repository)
    commit = (await host.list_commits(repository, sha, limit=1))[0]
    context = await frame(request, session, actor, repository, tab="commits") | {
        "commit": commit,
        "statuses": await list_commit_statuses(session, repository, commit.sha),
        "diff": await host.show(repository, commit),
    }
    return await render(request, "scm/commit.html", context)
