"""Creating, changing and deleting repositories."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import WriteSession, lock_transaction
from roadbed.core.events import Envelope, publish
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.scm.errors import RepositoryExists, RevisionNotFound
from roadbed.scm.models import RepositoryRow
from roadbed.scm.repository import repositories as table
from roadbed.scm.rules.names import check_branch, check_slug
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_row
from roadbed.scm.types import BUILTIN_HOST, Repository, RepositoryDeleted


@dataclass(frozen=True)
class RepositoryWish:
    """What a new repository is to be. `idempotency_key`: the same key by the same account gives the same repository.

    What is pushed to it first belongs to `created_by_run`, the run that makes it.
    """

    owner: str
    name: str
    description: str = ""
    default_branch: str = "main"
    is_protected: bool = True
    entity_ref: str | None = None
    idempotency_key: str | None = None
    created_by_run: UUID | None = None


@dataclass(frozen=True)
class RepositoryChange:
    """What is to be different; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    default_branch: str | None = None
    is_protected: bool | None = None
    entity_ref: str | None = None
    required_checks: tuple[str, ...] | None = None


async def create_repository(session: WriteSession, actor: Actor, wish: RepositoryWish) -> Repository:
    """Create an empty repository. Commits can be made in it once this transaction is committed.

    Raises:
        InvalidName: owner, name or branch is not one.
        RepositoryExists: the name is taken, by another wish than this one.
    """
    check_slug(wish.owner, noun="owner")
    check_slug(wish.name, noun="name")
    check_branch(wish.default_branch)
    await lock_transaction(session, f"repository:{wish.owner}/{wish.name}")
    if wish.idempotency_key is not None:
        earlier = await table.find_by_key(session, creator_id=actor.id, key=wish.idempotency_key)
        if earlier is not None:
            return table.view(earlier)
    if await table.find(session, wish.owner, wish.name) is not None:
        raise _exists(wish.owner, wish.name)
    row = _new_row(actor, wish)
    session.add(row)
    await record(
        session,
        actor,
        action="scm.repository_created",
        subject=f"repository:{wish.owner}/{wish.name}",
        after=_state(row),
        id=str(row.id),
    )
    return table.view(row)


async def change_repository(
    session: WriteSession, actor: Actor, repository: Repository, change: RepositoryChange
) -> Repository:
    """Change what a repository is called or how it is protected. Clones keep working under the new name only.

    Raises:
        InvalidName: the name is not one.
        RepositoryExists: the name is taken.
        RevisionNotFound: there is no such branch to be the default.
    """
    row = await get_row(session, repository.owner, repository.name)
    before = _state(row)
    if change.name is not None and change.name != row.name:
        await _rename(session, row, change.name)
    if change.default_branch is not None and change.default_branch != row.default_branch:
        await _set_default_branch(session, row, change.default_branch)
    for field in ("description", "is_protected", "entity_ref"):
        value = getattr(change, field)
        if value is not None:
            setattr(row, field, value)
    if change.required_checks is not None:
        row.required_checks = sorted(set(change.required_checks))
    row.updated_at = now()
    after = _state(row)
    changed = sorted(name for name, value in after.items() if before[name] != value)
    if changed:
        subject = f"repository:{row.owner}/{row.name}"
        await record(
            session,
            actor,
            action="scm.repository_changed",
            subject=subject,
            before=before,
            after=after,
            changed=changed,
        )
    return table.view(row)


async def delete_repository(session: WriteSession, actor: Actor, repository: Repository) -> None:
    """Delete a repository with its change requests; its git data goes after the commit."""
    publish(
        session,
        RepositoryDeleted(
            repository_id=str(repository.id),
            owner=repository.owner,
            repository=repository.name,
            host=repository.host,
        ),
    )
    await table.remove(session, repository.id)
    await record(
        session,
        actor,
        action="scm.repository_deleted",
        subject=f"repository:{repository.full_name}",
        before={"id": str(repository.id)},
        id=str(repository.id),
    )


async def remove_git_data(session: WriteSession, envelope: Envelope[RepositoryDeleted]) -> None:
    """Consume `scm.repository_deleted`: have the host remove its data."""
    event = envelope.event
    await session.services.get(ScmHosts).named(event.host).delete(UUID(event.repository_id))


async def _rename(session: WriteSession, row: RepositoryRow, name: str) -> None:
    check_slug(name, noun="name")
    await lock_transaction(session, f"repository:{row.owner}/{name}")
    if await table.find(session, row.owner, name) is not None:
        raise _exists(row.owner, name)
    row.name = name


async def _set_default_branch(session: WriteSession, row: RepositoryRow, branch: str) -> None:
    repository = table.view(row)
    host = session.services.get(ScmHosts).of(repository)
    check_branch(branch)
    if row.has_commits and branch not in await host.list_branches(repository):
        raise RevisionNotFound(f"{row.owner}/{row.name} has no branch {branch}.", hint="Push the branch first.")
    row.default_branch = branch
    await host.set_head(repository, branch)


def _new_row(actor: Actor, wish: RepositoryWish) -> RepositoryRow:
    created_at = now()
    return RepositoryRow(
        id=new_id(),
        owner=wish.owner,
        name=wish.name,
        description=wish.description,
        default_branch=wish.default_branch,
        is_protected=wish.is_protected,
        host=BUILTIN_HOST,
        entity_ref=wish.entity_ref,
        required_checks=[],
        has_commits=False,
        writer=None,
        next_number=1,
        idempotency_key=wish.idempotency_key,
        created_by=actor.label,
        created_by_id=actor.id,
        created_by_run=wish.created_by_run,
        created_at=created_at,
        updated_at=created_at,
    )


def _exists(owner: str, name: str) -> RepositoryExists:
    return RepositoryExists(
        f"There is a repository {owner}/{name} already.",
        hint="Choose another name, or use that one: its page says who created it.",
        owner=owner,
        name=name,
    )


def _state(row: RepositoryRow) -> dict[str, Any]:
    fields = ("owner", "name", "description", "default_branch", "is_protected", "entity_ref", "required_checks")
    return {field: getattr(row, field) for field in fields}
