"""Keeping what golden paths created."""

from uuid import UUID

from roadbed.core.db import WriteSession
from roadbed.core.events import Envelope
from roadbed.core.services import Services
from roadbed.goldenpaths import repository as rows
from roadbed.goldenpaths.models import ProductRow
from roadbed.goldenpaths.types import PATH_REF, ActionScope
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.scm.contract import Repository, RepositoryDeleted, find_commit, list_branches


async def add_product(session: WriteSession, scope: ActionScope, repository: Repository, *, run_id: UUID) -> None:
    """Note that a call created a repository; once."""
    if await rows.find_by_call(session, scope.key) is not None:
        return
    session.add(
        ProductRow(
            id=new_id(),
            run_id=run_id,
            call_key=scope.key,
            path_ref=scope.origin.ref,
            version=scope.origin.version,
            commit=scope.origin.source.commit,
            repository_id=repository.id,
            repository=repository.full_name,
            created_by=scope.actor.label,
            created_at=now(),
        )
    )


async def note_entity(session: WriteSession, repository_id: UUID, entity_ref: str) -> None:
    """Note what the repository is in the catalog."""
    row = await rows.find_of_repository(session, repository_id)
    if row is not None:
        row.entity_ref = entity_ref


async def remove_product(session: WriteSession, repository_id: UUID) -> None:
    await rows.remove_of_repository(session, repository_id)


async def find_work(services: Services, repository: Repository) -> str | None:
    """Return what others did in a repository since it was made from a path, in words; None when nobody did anything."""
    branches = await list_branches(services, repository)
    made = await find_commit(services, repository, PATH_REF)
    moved = sorted(name for name, commit in branches.items() if commit != made)
    if made is None or not moved:
        return None
    return f"it has commits on {', '.join(moved)} that this run did not make"


async def forget_deleted(session: WriteSession, envelope: Envelope[RepositoryDeleted]) -> None:
    """Consume `scm.repository_deleted`: what was made there is no more."""
    await rows.remove_of_repository(session, UUID(envelope.event.repository_id))
