"""Finding repositories and change requests, or saying that there is none."""

from collections.abc import Collection, Mapping
from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.paging import text_cursor, text_of_cursor
from roadbed.scm.errors import ChangeRequestNotFound, RepositoryNotFound
from roadbed.scm.models import ChangeRequestRow, RepositoryRow
from roadbed.scm.repository import changes as changes_table
from roadbed.scm.repository import repositories as table
from roadbed.scm.schemas import ChangeRequestQuery, CommitQuery, RepositoryPath, RepositoryQuery
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.types import ChangeRequest, ChangeRequestState, Commit, OpenChanges, Repository


async def find_repository(session: ReadSession, owner: str, name: str) -> Repository | None:
    row = await table.find(session, owner, name)
    return table.view(row) if row else None


async def find_created_repository(session: ReadSession, actor: Actor, key: str) -> Repository | None:
    """Return the repository that `actor` created with this idempotency key."""
    row = await table.find_by_key(session, creator_id=actor.id, key=key)
    return table.view(row) if row else None


async def get_repository(session: ReadSession, owner: str, name: str) -> Repository:
    """Return the repository `owner/name`.

    Raises:
        RepositoryNotFound: there is none.
    """
    return table.view(await get_row(session, owner, name))


async def get_named(session: ReadSession, named: RepositoryPath) -> Repository:
    """Return the repository that an address names, as `get_repository` does."""
    return await get_repository(session, named.owner, named.name)


async def list_repositories_page(session: ReadSession, query: RepositoryQuery) -> tuple[list[Repository], str | None]:
    """Return the repositories of a page, and the cursor of the next one."""
    wanted = table.RepositoryFilter(owner=query.owner, entity_ref=query.entity, search=query.q)
    cursor = text_of_cursor(query.cursor)
    owner, _, name = (cursor or "").partition("/")
    rows = await table.list_page(session, wanted, after=(owner, name) if cursor else None, limit=query.limit + 1)
    shown = [table.view(row) for row in rows[: query.limit]]
    return shown, text_cursor(shown[-1].full_name) if len(rows) > query.limit else None


async def list_changes_page(
    session: ReadSession, repository: Repository, query: ChangeRequestQuery
) -> tuple[list[ChangeRequest], str | None]:
    """Return the change requests of a page, newest first, and the cursor of the next one."""
    cursor = text_of_cursor(query.cursor)
    before = int(cursor) if cursor is not None and cursor.isdecimal() else None
    states = [query.state] if query.state else list(ChangeRequestState)
    rows = await changes_table.list_page(session, repository.id, states=states, before=before, limit=query.limit + 1)
    shown = [changes_table.view(row) for row in rows[: query.limit]]
    return shown, text_cursor(str(shown[-1].number)) if len(rows) > query.limit else None


async def count_open_changes(session: ReadSession, refs: Collection[str]) -> Mapping[str, OpenChanges]:
    """Count the open change requests of entities by their refs; one that has no repository here is left out."""
    found = await changes_table.count_open_by_entity(session, refs)
    return {ref: OpenChanges(f"{owner}/{name}", count) for ref, owner, name, count in found}


async def list_open_changes_of_file(
    session: ReadSession, repository: Repository, path: str, *, target_branch: str
) -> list[ChangeRequest]:
    """Return the open change requests that bring a change of a file into a branch, newest first."""
    rows = await changes_table.list_open_of_file(session, repository.id, path, target_branch=target_branch)
    return [changes_table.view(row) for row in rows]


async def list_commits_page(
    session: ReadSession, repository: Repository, query: CommitQuery
) -> tuple[list[Commit], str | None]:
    """Return the commits of a page, newest first, and the cursor of the next one, which new commits do not shift."""
    host = session.services.get(ScmHosts).of(repository)
    head, _, seen = (text_of_cursor(query.cursor) or "").partition("+")
    head = head or await host.get_commit(repository, query.at or repository.default_branch)
    skip = int(seen) if seen.isdecimal() else 0
    found = await host.list_commits(repository, head, path=query.path, skip=skip, limit=query.limit + 1)
    next_cursor = text_cursor(f"{head}+{skip + query.limit}") if len(found) > query.limit else None
    return found[: query.limit], next_cursor


async def get_repository_by_id(session: ReadSession, repository_id: UUID) -> Repository:
    """Return a repository by its id.

    Raises:
        RepositoryNotFound: there is none.
    """
    row = await table.find_by_id(session, repository_id)
    if row is None:
        raise repository_gone(repository_id)
    return table.view(row)


async def get_row(session: ReadSession, owner: str, name: str) -> RepositoryRow:
    row = await table.find(session, owner, name)
    if row is None:
        raise RepositoryNotFound(
            f"There is no repository {owner}/{name}.", hint="GET /api/v1/repositories lists those that exist."
        )
    return row


async def get_change_row(
    session: ReadSession, repository: Repository, number: int, *, is_locked: bool = False
) -> ChangeRequestRow:
    row = await changes_table.find(session, repository.id, number, is_locked=is_locked)
    if row is None:
        raise ChangeRequestNotFound(
            f"{repository.full_name} has no change request #{number}.",
            hint=f"GET /api/v1/repositories/{repository.full_name}/change-requests lists those that exist.",
        )
    return row


def repository_gone(repository_id: UUID) -> RepositoryNotFound:
    return RepositoryNotFound(f"There is no repository with the id {repository_id}.", hint="It may have been deleted.")
