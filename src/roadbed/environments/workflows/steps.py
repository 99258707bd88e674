"""The steps of a deployment. Each finds its own earlier work, so that it may be taken up anywhere."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from roadbed.catalog.contract import find_entity
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.sandbox import Sandbox
from roadbed.core.services import Services
from roadbed.environments.access import ENVIRONMENT_DEPLOY, require_isolation
from roadbed.environments.errors import ResourcesFailed, WorkloadNotReady
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.rules.names import resource_id
from roadbed.environments.rules.placeholders import resolve_json
from roadbed.environments.rules.score import read_score
from roadbed.environments.rules.variables import bind_variables
from roadbed.environments.service import progress, undoing
from roadbed.environments.service.instances import read_log, retire_instance, start_instance, wait_until_ready
from roadbed.environments.service.routes import refresh_routes
from roadbed.environments.types import Variable, WorkloadSpec
from roadbed.kit.refs import EntityRef, parse_ref
from roadbed.kit.text import plural
from roadbed.provisioning.contract import EnvironmentKey, ResourcesWish, ResourceWish, ensure_resources, get_outputs
from roadbed.runs.contract import (
    Done,
    Outcome,
    RunState,
    Skip,
    StepContext,
    StepKind,
    Undone,
    find_run,
    list_children,
    needing,
    wait_for_run,
)

LOG_SECONDS = 0.2
LOG_LINES = 1_000


def _key(context: StepContext) -> EnvironmentKey:
    return EnvironmentKey(context.run_inputs["application"], context.run_inputs["environment"])


def _resource_id(context: StepContext, spec: WorkloadSpec, name: str) -> str:
    application = parse_ref(context.run_inputs["application"]).name
    return resource_id(workload=spec.name, application=application, name=name, wanted=spec.resources[name].id)


async def _begin(context: StepContext) -> Outcome:
    """Let older deployments of the component give way, and wait until they have."""
    async with context.database.write() as session:
        other = await progress.begin(session, context.run_id)
    if other is not None:
        context.log(f"{other.title} gives way to this one", stream="info")
        return wait_for_run(other)
    return Done()


async def _undo_begin(context: StepContext) -> Undone:
    async with context.database.write() as session:
        return await undoing.release_application(session, context.actor, context.run_inputs["application"])


async def _provision(context: StepContext) -> Outcome:
    """Have the resources made that the Score file names, in a run of their own."""
    if context.resumed is not None:
        return await _after_provisioning(context)
    spec = read_score(context.run_inputs["score"])
    wishes = [
        ResourceWish(
            id=_resource_id(context, spec, name),
            type=need.type,
            class_=need.class_,
            params=resolve_json(need.params, metadata=spec.metadata),
        )
        for name, need in spec.resources.items()
    ]
    # Two names may stand for one shared resource. Parameters are JSON, which has no hash.
    distinct = tuple(wish for number, wish in enumerate(wishes) if wish not in wishes[:number])
    async with context.database.write() as session:
        place = await progress.open_deployment(session, context.run_id)
        earlier = [run for run in await list_children(session, context.run_id) if run.kind.startswith("provisioning.")]
        if earlier and not earlier[-1].state.is_finished:
            return wait_for_run(earlier[-1])
        wish = ResourcesWish(
            environment=_key(context),
            environment_type=place.environment.type,
            resources=distinct,
            key=f"{context.step_id}:{len(earlier)}",  # a retry after a failure asks anew
            parent_run_id=context.run_id,
        )
        run = await ensure_resources(session, context.actor, wish)
    return wait_for_run(run)


async def _after_provisioning(context: StepContext) -> Outcome:
    assert context.resumed is not None
    async with context.database.read() as session:
        run = await find_run(session, UUID(context.resumed["run_id"]))
    assert run is not None
    if run.state is not RunState.SUCCEEDED:
        reason = (run.error or {}).get("message") or f"{run.title} was {run.state}."
        raise ResourcesFailed(reason, hint=(run.error or {}).get("hint") or "Its run shows why. Then retry this one.")
    return Done(note="As they should be")


async def _bind(context: StepContext) -> Outcome:
    """Exchange placeholders: what the workload will find in its environment."""
    spec = read_score(context.run_inputs["score"])
    async with context.database.read() as session:
        outputs = {
            name: await get_outputs(session, _key(context), _resource_id(context, spec, name), type_=need.type)
            for name, need in spec.resources.items()
        }
        common = await _common_variables(session, context.run_inputs["environment"])
    variables = bind_variables(spec, common=common, resources=outputs)
    for one in variables:
        context.log(f"{one.name} from {one.source}{', a secret' if one.is_secret else ''}")
    for note in spec.notes:
        context.log(note, stream="info")
    return Done({"variables": [asdict(one) for one in variables]}, note=plural(len(variables), "variable"))


async def _common_variables(session: ReadSession, environment_type: str) -> dict[str, str]:
    type_ = await find_entity(session, EntityRef("EnvironmentType", "default", environment_type))
    return dict(type_.spec.get("variables", {})) if type_ else {}


async def _ensure_instance(context: StepContext) -> UUID:
    """Have the one instance of this deployment run; returns it."""
    variables = tuple(Variable(**one) for one in context.outputs["bind"]["variables"])
    async with context.database.write() as session:
        instance_id = await progress.put_instance(session, context.run_id, variables)
    start_instance(context.services, instance_id)
    return instance_id


async def _start(context: StepContext) -> Outcome:
    return Done({"instance": str(await _ensure_instance(context))})


async def _drop_instance(context: StepContext) -> None:
    """Stop the instance, unless requests go to it."""
    async with context.database.write() as session:
        dropped = await progress.drop_instances(session, context.run_id)
    for instance_id in dropped:
        await retire_instance(context.services, instance_id)


async def _undo_start(context: StepContext) -> Undone:
    return await undoing.drop_workload(context.services, context.run_id)


async def _ready(context: StepContext) -> Outcome:
    """Wait until the workload is ready; one that does not become so is stopped, and what ran before runs on."""
    instance_id = await _ensure_instance(context)
    tail = _Tail(context, instance_id)
    following = asyncio.create_task(tail.follow())
    try:
        summary = await wait_until_ready(context.services, instance_id)
    except WorkloadNotReady:
        await _drop_instance(context)
        raise
    except asyncio.CancelledError:
        if context.is_cancelled():
            await _drop_instance(context)
        raise
    finally:
        following.cancel()
        await asyncio.wait({following})
        await tail.hand_on()
    return Done({"summary": summary}, note=summary)


class _Tail:
    """Shows in the run what a workload prints."""

    def __init__(self, context: StepContext, instance_id: UUID) -> None:
        self._context = context
        self._instance_id = instance_id
        self._position = 0

    async def follow(self) -> None:
        while True:
            await self.hand_on()
            await asyncio.sleep(LOG_SECONDS)

    async def hand_on(self) -> None:
        piece = await asyncio.to_thread(
            read_log, self._context.services, self._instance_id, position=self._position, limit=LOG_LINES
        )
        self._position = piece.next_position
        for line in piece.lines:
            self._context.log(line)


async def _switch(context: StepContext) -> Outcome:
    async with context.database.write() as session:
        await progress.switch(session, context.actor, context.run_id, summary=context.outputs["ready"]["summary"])
        place = await progress.find_place(session, context.run_id)
    assert place is not None
    page = f"/environments/{place.application.name}/{place.environment.name}"
    await context.link(
        "environment",
        title=f"{place.application.name} in {place.environment.name}",
        href=page,
        meta=place.deployment.version,
    )
    return Done({"set": place.deployment.set_id}, note=(place.deployment.set_id or "")[:19])


async def _undo_switch(context: StepContext) -> Undone:
    return await undoing.take_down(context.services, context.run_id)


async def _tidy(context: StepContext) -> Outcome:
    """Stop the processes that requests went to before."""
    await refresh_routes(context.services)
    async with context.database.write() as session:
        instances, workloads = await progress.list_replaced(session, context.run_id)
    for instance_id in instances:
        await retire_instance(context.services, instance_id)
    async with context.database.write() as session:
        await workload_rows.remove_workloads(session, workloads)
    return Done(note=f"{plural(len(instances), 'instance')} stopped") if instances else Skip("It is the first one")


def _guard_retry(services: Services, actor: Actor, run_inputs: Mapping[str, Any], inputs: Mapping[str, Any]) -> None:  # noqa: ARG001 - a guard's signature
    services.get(DeciderService).require(actor, ENVIRONMENT_DEPLOY)
    require_isolation(services.get(Sandbox).isolation, actor)


_GUARD_UNDO = needing(ENVIRONMENT_DEPLOY)

STEP_KINDS = (
    StepKind(
        "environments.begin",
        _begin,
        undo=_undo_begin,
        needs_host=True,
        guard_retry=_guard_retry,
        guard_undo=_GUARD_UNDO,
    ),
    StepKind("environments.resources", _provision, needs_host=True),
    StepKind("environments.bind", _bind, needs_host=True),
    StepKind(
        "environments.start",
        _start,
        undo=_undo_start,
        needs_host=True,
        guard_retry=_guard_retry,
        guard_undo=_GUARD_UNDO,
    ),
    StepKind("environments.ready", _ready, needs_host=True),
    StepKind("environments.switch", _switch, undo=_undo_switch, needs_host=True, guard_undo=_GUARD_UNDO),
    StepKind("environments.tidy", _tidy, needs_host=True),
)
