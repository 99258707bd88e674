"""Asking for resources and giving them back: each is a run."""

from dataclasses import asdict
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.extension import Registry
from roadbed.kit.clock import now
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.kit.text import plural
from roadbed.provisioning import repository
from roadbed.provisioning.errors import ResourceInUse, ResourceInvalid
from roadbed.provisioning.models import Resource
from roadbed.provisioning.rules.requests import label_of
from roadbed.provisioning.service.reading import not_found, view_of
from roadbed.provisioning.types import RESOURCE_USERS, ResourceState, ResourcesWish, ResourceWish
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, start_run

ENSURE = "provisioning.ensure"
DELETE = "provisioning.delete"
APPLICATION_KINDS = ("system", "component")


async def ensure_resources(session: WriteSession, actor: Actor, wish: ResourcesWish) -> RunSummary:
    """Start the run that makes resources be as wished; what is so already is left alone.

    Raises:
        ResourceInvalid: nothing is wished for, one thing twice, or the application is no ref.
    """
    application = read_application(wish.environment.application)
    _check_unique(wish.resources)
    where = f"{parse_ref(application).name} in {wish.environment.name}"
    inputs = {
        "application": application,
        "environment": wish.environment.name,
        "environment_type": wish.environment_type,
        "resources": [asdict(one) for one in wish.resources],
    }
    names = ", ".join(one.id for one in wish.resources)
    applies = [
        StepPlan(f"apply-{one.type}-{one.id}", f"Make {one.type} {one.id}", "provisioning.apply", asdict(one))
        for one in wish.resources
    ]
    plan = RunPlan(
        kind=ENSURE,
        title=f"Provision {names} for {where}",
        steps=[
            StepPlan("match", "Choose definitions", "provisioning.match"),
            StepPlan("plan", "Plan changes", "provisioning.plan"),
            *applies,
            StepPlan("publish", "Show in the catalog", "provisioning.publish"),
        ],
        subject=application,
        inputs=inputs,
        key=wish.key,
        parent_run_id=wish.parent_run_id,
    )
    return await start_run(session, actor, plan)


def read_application(text: str) -> str:
    """Return the ref of an application as it is stored.

    Raises:
        ResourceInvalid: it names none.
    """
    try:
        ref = parse_ref(text, default_kind="component")
    except InvalidRef as error:
        raise _no_application(text, str(error)) from error
    if ref.kind.lower() not in APPLICATION_KINDS:
        raise _no_application(text, f"it is a {ref.kind}, not a system or a component")
    return str(ref)


def _no_application(text: str, reason: str) -> ResourceInvalid:
    return ResourceInvalid(
        f"{text!r} names no application: {reason}.",
        hint="Give a ref: `system:shop`, `component:orders`.",
        problems=[{"path": "application", "reason": reason}],
    )


def _check_unique(resources: tuple[ResourceWish, ...]) -> None:
    names = [(one.type, one.id) for one in resources]
    doubles = sorted({f"{type_} {name}" for type_, name in names if names.count((type_, name)) > 1})
    if doubles or not names:
        reason = f"{', '.join(doubles)} is asked for twice" if doubles else "No resource is asked for"
        raise ResourceInvalid(f"{reason}.", hint="Name each resource once.")


async def delete_resource(
    session: WriteSession, actor: Actor, resource_id: UUID, *, parent_run_id: UUID | None = None
) -> RunSummary:
    """Start the run that saves what the resource holds and takes it away; a second request finds the first's run.

    Raises:
        ResourceNotFound: there is none of that id.
        ResourceInUse: something runs that uses it, and no run that takes that away asks.
    """
    await lock_transaction(session, f"resource:{resource_id}")
    row = await repository.lock(session, resource_id)
    if row is None:
        raise not_found(resource_id)
    if parent_run_id is None and row.state != ResourceState.DELETING:
        await _check_unused(session, row)
    label = label_of(row.application, row.environment, row.name)
    plan = RunPlan(
        kind=DELETE,
        title=f"Delete {row.type} {row.name} of {parse_ref(row.application).name} in {row.environment}",
        steps=[
            StepPlan("destroy", f"Save and delete {label}", "provisioning.destroy"),
            StepPlan("forget", "Delete its secrets and its record", "provisioning.forget"),
        ],
        subject=row.application,
        inputs={"resource": str(row.id)},
        key=str(row.id),
        parent_run_id=parent_run_id,
    )
    run = await start_run(session, actor, plan)
    before, row.state, row.run_id, row.updated_at = row.state, ResourceState.DELETING, run.id, now()
    await record(
        session,
        actor,
        action="provisioning.deletion_asked",
        subject=f"resource:{row.id}",
        before=before,
        after=row.state,
        name=label,
        type=row.type,
    )
    return run


async def find_users(session: ReadSession, row: Resource) -> list[str]:
    """Name what uses a resource now."""
    users = session.services.get(Registry).get(RESOURCE_USERS)
    return [name for user in users for name in await user(session, view_of(row))]


async def _check_unused(session: WriteSession, row: Resource) -> None:
    found = await find_users(session, row)
    if found:
        raise ResourceInUse(
            f"The {row.type} {row.name!r} of {row.application} in {row.environment} is not deleted: "
            f"{' and '.join(found)} {'use' if len(found) > 1 else 'uses'} it.",
            hint="Deploy a version that does not name it, or take the deployment out of service, then delete it.",
        )


def describe_counts(new: int, changed: int, same: int) -> str:
    """Return what a plan does as one line."""
    parts = [(new, "to create"), (changed, "to change"), (same, "as it should be")]
    return ", ".join(f"{count} {words}" for count, words in parts if count) or plural(0, "change")
