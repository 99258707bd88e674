"""Writing what became of a resource: matched, applied, failed, gone. Each is audited."""

from typing import Any
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.errors import RoadbedError
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.provisioning import repository
from roadbed.provisioning.errors import ResourceNotReady
from roadbed.provisioning.models import Resource
from roadbed.provisioning.rules.requests import secret_folder
from roadbed.provisioning.service.matching import Match, Wanted, match_wish
from roadbed.provisioning.types import Outputs, ResourceState
from roadbed.secrets.contract import SCHEME, delete_secrets_under, put_secret, resolve


async def put_match(session: WriteSession, actor: Actor, wanted: Wanted, run_id: UUID) -> Resource:
    """Match one wish and write what it should become; nothing outside is touched yet.

    Raises:
        ResourceNotReady: it is being deleted.
        RoadbedError: those of matching.
    """
    where = wanted.environment
    await lock_transaction(session, f"resource:{where.application}:{where.name}:{wanted.type}:{wanted.id}")
    row = await repository.find_by_name(session, where, type_=wanted.type, name=wanted.id)
    check_not_deleting(row)
    found = await match_wish(session, wanted, row)
    if row is None:
        row = _new(wanted, run_id)
        session.add(row)
        await _record(session, actor, row, "asked", before=None)
    _write(row, wanted, found, run_id)
    await session.flush()
    return row


def check_not_deleting(row: Resource | None) -> None:
    """Raises ResourceNotReady for a resource that is on its way out."""
    if row is not None and row.state == ResourceState.DELETING:
        raise ResourceNotReady(
            f"The {row.type} {row.name!r} in {row.environment} is being deleted.", hint="Ask again when that is done."
        )


def _new(wanted: Wanted, run_id: UUID) -> Resource:
    return Resource(
        id=new_id(),
        application=wanted.environment.application,
        environment=wanted.environment.name,
        type=wanted.type,
        name=wanted.id,
        state=ResourceState.PENDING,
        applied=None,
        outputs={},
        created_by_run=run_id,
        created_at=now(),
    )


def _write(row: Resource, wanted: Wanted, found: Match, run_id: UUID) -> None:
    row.environment_type = wanted.environment_type
    row.resource_class = found.class_
    row.params = wanted.params
    row.definition = found.definition.ref
    row.definition_version = found.definition.version
    row.driver = found.definition.driver
    row.inputs = dict(found.definition.inputs)
    row.why = found.why
    row.run_id = run_id
    row.updated_at = now()


async def put_outputs(session: WriteSession, actor: Actor, resource_id: UUID, outputs: Outputs) -> Resource:
    """Keep what the driver made: secret outputs among the secrets, the rest in the record."""
    row = await _lock(session, resource_id)
    before = {"state": row.state, "applied": row.applied}
    row.outputs = await _keep(session, actor, row, outputs)
    row.applied = applied_of(row)
    row.state = ResourceState.READY
    row.error = None
    row.updated_at = now()
    await _record(session, actor, row, "applied", before=before)
    return row


async def put_address(session: WriteSession, actor: Actor, resource_id: UUID, outputs: Outputs) -> None:
    """Keep outputs that say where the same resource is now."""
    row = await _lock(session, resource_id)
    before = row.outputs
    row.outputs = await _keep(session, actor, row, outputs)
    row.updated_at = now()
    await _record(session, actor, row, "readdressed", before=before)


async def _keep(session: WriteSession, actor: Actor, row: Resource, outputs: Outputs) -> dict[str, Any]:
    """Put secret outputs among the secrets; returns all outputs with references to them."""
    folder = folder_of(row)
    references = {}
    for name, value in outputs.secrets.items():
        info = await put_secret(session, actor, path=f"{folder}/{name}", value=value)
        references[name] = info.reference
    return {**outputs.values, **references}


def applied_of(row: Resource) -> dict[str, Any]:
    """Return what a driver compares the next wish with."""
    return {
        "class": row.resource_class,
        "params": row.params,
        "inputs": row.inputs,
        "definition": row.definition,
        "version": row.definition_version,
    }


async def put_failure(session: WriteSession, actor: Actor, resource_id: UUID, error: RoadbedError) -> None:
    """Keep why the driver failed; what was made before stays usable."""
    row = await _lock(session, resource_id)
    before = row.state
    row.state = ResourceState.FAILED
    row.error = {"code": error.code, "message": error.message, "hint": error.hint}
    row.updated_at = now()
    await _record(session, actor, row, "failed", before=before)


async def forget(session: WriteSession, actor: Actor, resource_id: UUID) -> Resource | None:
    """Delete the record and the secrets of a resource that is gone; None when that was done before."""
    row = await repository.lock(session, resource_id)
    if row is None:
        return None
    await delete_secrets_under(session, actor, folder=folder_of(row))
    await _record(session, actor, row, "deleted", before=row.state)
    await repository.remove(session, row.id)
    return row


async def read_secrets(session: ReadSession, row: Resource) -> dict[str, str]:
    """Return the values of the secret outputs that are stored."""
    references = {name: value for name, value in row.outputs.items() if str(value).startswith(SCHEME)}
    return {name: await resolve(session, reference) for name, reference in references.items()}


def folder_of(row: Resource) -> str:
    return secret_folder(row.application, row.environment, row.type, row.name)


async def _lock(session: WriteSession, resource_id: UUID) -> Resource:
    row = await repository.lock(session, resource_id)
    if row is None:
        raise ResourceNotReady(
            f"The resource {resource_id} was deleted while it was worked on.", hint="Ask for it again."
        )
    return row


async def _record(session: WriteSession, actor: Actor, row: Resource, what: str, *, before: Any) -> None:
    await record(
        session,
        actor,
        action=f"provisioning.resource_{what}",
        subject=f"resource:{row.id}",
        before=before,
        after=row.state if what != "deleted" else None,
        application=row.application,
        environment=row.environment,
        type=row.type,
        name=row.name,
    )
