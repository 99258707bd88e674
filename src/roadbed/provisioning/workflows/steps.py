"""The steps by which resources come to be and go."""

from functools import partial
from typing import Any
from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.core.errors import RoadbedError
from roadbed.kit.refs import parse_ref
from roadbed.provisioning import repository
from roadbed.provisioning.access import RESOURCE_DELETE
from roadbed.provisioning.errors import ResourceNotReady
from roadbed.provisioning.models import Resource
from roadbed.provisioning.rules.requests import label_of, plan_words
from roadbed.provisioning.service import publishing, records
from roadbed.provisioning.service.matching import Wanted, find_driver
from roadbed.provisioning.service.requests import describe_counts, find_users
from roadbed.provisioning.types import Driver, EnvironmentKey, ResourceContext, ResourceState
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepKind, Undone, needing


def _environment(context: StepContext) -> EnvironmentKey:
    return EnvironmentKey(context.run_inputs["application"], context.run_inputs["environment"])


def _wanted(context: StepContext, wish: dict[str, Any]) -> Wanted:
    return Wanted(
        environment=_environment(context),
        environment_type=context.run_inputs["environment_type"],
        type=wish["type"],
        id=wish["id"],
        class_=wish["class_"],
        params=dict(wish["params"]),
    )


async def _find(session: ReadSession, context: StepContext, wish: dict[str, Any]) -> Resource | None:
    return await repository.find_by_name(session, _environment(context), type_=wish["type"], name=wish["id"])


async def _match(context: StepContext) -> Outcome:
    """Choose a definition for each wish, and say why."""
    chosen = {}
    async with context.database.write() as session:
        for wish in context.run_inputs["resources"]:
            row = await records.put_match(session, context.actor, _wanted(context, wish), context.run_id)
            chosen[str(row.id)] = f"{row.definition} {row.definition_version}"
            context.log(f"{row.type} {row.name}, class {row.resource_class}:")
            for verdict in row.why:
                context.log(
                    f"  {verdict['definition']} {verdict['version']}: {verdict['outcome']}, {verdict['reason']}"
                )
    names = sorted({name.partition("/")[2] for name in chosen.values()})
    return Done({"definitions": chosen}, note=", ".join(names))


async def _context_of(session: ReadSession, context: StepContext, row: Resource) -> tuple[Driver, ResourceContext]:
    secrets = await records.read_secrets(session, row)
    context.mask(*secrets.values())
    made = ResourceContext(
        id=row.id,
        label=label_of(row.application, row.environment, row.name),
        type=row.type,
        class_=row.resource_class,
        params=row.params,
        inputs=row.inputs,
        applied=row.applied,
        secrets=secrets,
        operation=str(context.run_id),
        services=context.services,
        log=partial(context.log, stream="out"),
    )
    return find_driver(session, row.driver, row.type), made


async def _plan(context: StepContext) -> Outcome:
    """Ask the drivers what they would do."""
    plans: dict[str, list[dict[str, str]]] = {}
    for wish in context.run_inputs["resources"]:
        async with context.database.read() as session:
            row = await _get(session, context, wish)
            driver, given = await _context_of(session, context, row)
        changes = await driver.plan(given)
        plans[str(row.id)] = [{"action": change.action, "what": change.what} for change in changes]
        for change in changes:
            context.log(f"{plan_words(change.action)} {change.what}")
        if not changes:
            context.log(f"= {row.type} {row.name} is as it should be")
    new = sum(any(change["action"] == "create" for change in changes) for changes in plans.values())
    same = sum(not changes for changes in plans.values())
    return Done({"changes": plans}, note=describe_counts(new, len(plans) - new - same, same))


async def _get(session: ReadSession, context: StepContext, wish: dict[str, Any]) -> Resource:
    row = await _find(session, context, wish)
    if row is None:
        raise ResourceNotReady(
            f"The {wish['type']} {wish['id']!r} was deleted while this run was on its way.", hint="Ask for it again."
        )
    return row


async def _apply(context: StepContext) -> Outcome:
    """Have the driver make one resource, and keep its outputs."""
    async with context.database.read() as session:
        row = await _get(session, context, context.inputs)
        driver, given = await _context_of(session, context, row)
    changes = await driver.plan(given)
    if not changes and row.state == ResourceState.READY:
        if row.applied != records.applied_of(row):
            await _keep_version(context, row)
        return Skip("It is as it should be")
    try:
        outputs = await driver.apply(given)
    except RoadbedError as error:
        async with context.database.write() as session:
            await records.put_failure(session, context.actor, row.id, error)
        raise
    context.mask(*outputs.secrets.values())
    async with context.database.write() as session:
        row = await records.put_outputs(session, context.actor, row.id, outputs)
    context.log(f"Outputs: {', '.join(sorted(row.outputs))}; secret ones under secret://{records.folder_of(row)}")
    await context.link("resource", title=given.label, href=f"/resources/{row.id}", meta=row.type)
    return Done({"resource": str(row.id), "outputs": row.outputs}, note=f"{row.definition.partition('/')[2]}")


async def _keep_version(context: StepContext, row: Resource) -> None:
    async with context.database.write() as session:
        found = await repository.lock(session, row.id)
        if found is not None:
            found.applied = records.applied_of(found)


async def _undo_apply(context: StepContext) -> Undone:
    """Save and take away what this run made new; what was there before stays, and what somebody uses."""
    async with context.database.read() as session:
        row = await _find(session, context, context.inputs)
        if row is None or row.created_by_run != context.run_id:
            return Undone()
        what = f"{row.type} {row.name} of {parse_ref(row.application).name} in {row.environment}"
        users = await find_users(session, row)
        if users:
            return Undone(kept=(f"{what}, because {' and '.join(users)} {'use' if len(users) > 1 else 'uses'} it",))
        driver, given = await _context_of(session, context, row)
    copy = await driver.destroy(given)
    await _forget_row(context, row.id)
    return Undone((f"{what}; its last copy is {copy}" if copy else what,))


async def _undo_match(context: StepContext) -> Undone:
    """Forget what was asked for and never made."""
    for wish in context.run_inputs["resources"]:
        async with context.database.read() as session:
            row = await _find(session, context, wish)
        if row is not None and row.created_by_run == context.run_id and row.applied is None:
            await _forget_row(context, row.id)
    return Undone()


async def _publish(context: StepContext) -> Outcome:
    """Put an entity for each resource into the catalog."""
    async with context.database.write() as session:
        for wish in context.run_inputs["resources"]:
            row = await _get(session, context, wish)
            if not await publishing.publish(session, row):
                context.log(f"{publishing.ref_of(row)} is declared in a file, and stays as it is there")
    return Done()


async def _destroy(context: StepContext) -> Outcome:
    """Have the driver save and take away one resource."""
    async with context.database.read() as session:
        row = await repository.find(session, UUID(context.run_inputs["resource"]))
        if row is None:
            return Skip("It is gone already")
        driver, given = await _context_of(session, context, row)
    copy = await driver.destroy(given)
    return Done({"copy": copy}, note=f"Last copy: {copy}" if copy else "It held nothing")


async def _forget(context: StepContext) -> Outcome:
    return await _forget_row(context, UUID(context.run_inputs["resource"]))


async def _forget_row(context: StepContext, resource_id: UUID) -> Outcome:
    async with context.database.write() as session:
        row = await repository.find(session, resource_id)
        if row is not None:
            await publishing.withdraw(session, row)
        gone = await records.forget(session, context.actor, resource_id)
    return Done() if gone else Skip("It was forgotten already")


STEP_KINDS = (
    StepKind("provisioning.match", _match, undo=_undo_match),
    StepKind("provisioning.plan", _plan, needs_host=True),
    StepKind("provisioning.apply", _apply, undo=_undo_apply, needs_host=True, guard_undo=needing(RESOURCE_DELETE)),
    StepKind("provisioning.publish", _publish),
    StepKind("provisioning.destroy", _destroy, needs_host=True, guard_retry=needing(RESOURCE_DELETE)),
    StepKind("provisioning.forget", _forget, guard_retry=needing(RESOURCE_DELETE)),
)
