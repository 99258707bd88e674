"""REST: repositories, their content and the statuses of commits."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.idempotency import Once
from roadbed.scm.access import RepositoryCreator, RepositoryManager, RepositoryReader, StatusWriter
from roadbed.scm.schemas import (
    BranchesOut,
    BranchOut,
    CommitOut,
    CommitQuery,
    CommitsOut,
    FileQuery,
    RepositoryIn,
    RepositoryOut,
    RepositoryPageOut,
    RepositoryPatch,
    RepositoryPath,
    RepositoryQuery,
    StatusesOut,
    StatusIn,
    StatusOut,
    TreeEntryOut,
    TreeOut,
)
from roadbed.scm.service.contents import FILE_LIMIT_BYTES
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_named, list_commits_page, list_repositories_page
from roadbed.scm.service.repositories import (
    RepositoryChange,
    RepositoryWish,
    change_repository,
    create_repository,
    delete_repository,
)
from roadbed.scm.service.statuses import StatusWish, list_commit_statuses, set_commit_status
from roadbed.scm.types import Repository

router = APIRouter(prefix="/repositories", tags=["repositories"])

Named = Annotated[RepositoryPath, Depends()]
Files = Annotated[FileQuery, Query()]


def show(session: ReadSession, repository: Repository) -> RepositoryOut:
    """Return a repository as the API gives it."""
    fields = {name: getattr(repository, name) for name in RepositoryOut.model_fields if name != "clone_url"}
    clone_url = session.services.get(ScmHosts).of(repository).clone_url(repository)
    return RepositoryOut.model_validate({**fields, "clone_url": clone_url})


@router.get("")
async def list_repositories(
    session: Reading, _: RepositoryReader, query: Annotated[RepositoryQuery, Query()]
) -> RepositoryPageOut:
    """List repositories by owner and name."""
    shown, next_cursor = await list_repositories_page(session, query)
    return RepositoryPageOut(items=[show(session, repository) for repository in shown], next_cursor=next_cursor)


@router.post("", status_code=201)
async def create_one_repository(
    session: Writing, actor: RepositoryCreator, body: RepositoryIn, once: Once
) -> RepositoryOut:
    """Create an empty repository; its creator pushes the first commits to its default branch."""
    if known := await once.find(RepositoryOut):
        return known
    created = await create_repository(session, actor, RepositoryWish(**body.model_dump()))
    return await once.keep(show(session, created))


@router.get("/{owner}/{name}")
async def get_one_repository(session: Reading, _: RepositoryReader, named: Named) -> RepositoryOut:
    """Return a repository."""
    return show(session, await get_named(session, named))


@router.patch("/{owner}/{name}")
async def change_one_repository(
    session: Writing, actor: RepositoryManager, named: Named, body: RepositoryPatch
) -> RepositoryOut:
    """Change a repository's name, description, protection or required checks."""
    checks = None if body.required_checks is None else tuple(body.required_checks)
    change = RepositoryChange(**body.model_dump(exclude={"required_checks"}), required_checks=checks)
    return show(session, await change_repository(session, actor, await get_named(session, named), change))


@router.delete("/{owner}/{name}", status_code=204)
async def delete_one_repository(session: Writing, actor: RepositoryManager, named: Named) -> None:
    """Delete a repository with all commits and change requests."""
    await delete_repository(session, actor, await get_named(session, named))


@router.get("/{owner}/{name}/branches")
async def list_branches(session: Reading, _: RepositoryReader, named: Named) -> BranchesOut:
    """List the branches and their newest commits."""
    repository = await get_named(session, named)
    branches = await session.services.get(ScmHosts).of(repository).list_branches(repository)
    return BranchesOut(
        items=[
            BranchOut(name=branch, sha=sha, is_default=branch == repository.default_branch)
            for branch, sha in sorted(branches.items())
        ]
    )


@router.get("/{owner}/{name}/tree")
async def list_folder(session: Reading, _: RepositoryReader, named: Named, query: Files) -> TreeOut:
    """List a folder, folders first."""
    repository = await get_named(session, named)
    host = session.services.get(ScmHosts).of(repository)
    entries = await host.list_tree(repository, query.at or repository.default_branch, query.path)
    return TreeOut(items=[TreeEntryOut.model_validate(entry) for entry in entries])


@router.get(
    "/{owner}/{name}/file",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def read_one_file(session: Reading, _: RepositoryReader, named: Named, query: Files) -> Response:
    """Return the content of a file, as bytes."""
    repository = await get_named(session, named)
    host = session.services.get(ScmHosts).of(repository)
    revision = query.at or repository.default_branch
    data = await host.read_file(repository, revision, query.path, limit_bytes=FILE_LIMIT_BYTES)
    return Response(data, media_type="application/octet-stream", headers={"Content-Disposition": "attachment"})


@router.get("/{owner}/{name}/commits")
async def list_commits(
    session: Reading, _: RepositoryReader, named: Named, query: Annotated[CommitQuery, Query()]
) -> CommitsOut:
    """List the commits of a branch, or those that changed a path, newest first."""
    shown, next_cursor = await list_commits_page(session, await get_named(session, named), query)
    return CommitsOut(items=[CommitOut.model_validate(commit) for commit in shown], next_cursor=next_cursor)


@router.get("/{owner}/{name}/commits/{sha}/statuses")
async def list_statuses(session: Reading, _: RepositoryReader, named: Named, sha: str) -> StatusesOut:
    """List what is said about a commit."""
    statuses = await list_commit_statuses(session, await get_named(session, named), sha)
    return StatusesOut(items=[StatusOut.model_validate(status) for status in statuses])


@router.post("/{owner}/{name}/commits/{sha}/statuses", status_code=201)
async def say_status(session: Writing, actor: StatusWriter, named: Named, sha: str, body: StatusIn) -> StatusOut:
    """Say whether a commit passes a check; the same context again replaces what it said before."""
    wish = StatusWish(body.context, body.state, body.description, body.url)
    said = await set_commit_status(session, actor, await get_named(session, named), sha=sha, status=wish)
    return StatusOut.model_validate(said)
