"""How a deployment goes on: its turn among others, its instance, the switch, its end. Each is one transaction."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from roadbed.approvals.contract import supersede_of_run
from roadbed.audit.contract import record
from roadbed.catalog.contract import Health
from roadbed.core.actor import Actor, system_actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.core.events import publish
from roadbed.environments.errors import DeploymentNotFound, DeploymentSuperseded, WorkloadTaken
from roadbed.environments.models import Application, Deployment, Environment, Instance, Workload
from roadbed.environments.repository import deployments as rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.rules.score import read_score
from roadbed.environments.rules.sets import change_set, set_id_of
from roadbed.environments.service.health import clear_health, set_health
from roadbed.environments.service.instances import InstanceWish, add_instance
from roadbed.environments.types import DeploymentFinished, DeploymentState, InstanceState, Variable
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.runs.contract import RunState, RunSummary, cancel_run, find_run

ACTOR = system_actor("environments")


@dataclass(frozen=True)
class Place:
    """A deployment, and where it leads."""

    deployment: Deployment
    environment: Environment
    application: Application


async def find_place(session: ReadSession, run_id: UUID) -> Place | None:
    found = await rows.find_deployment_of_run(session, run_id)
    return Place(*found) if found else None


async def open_deployment(session: WriteSession, run_id: UUID) -> Place:
    """Lock the deployment of a run for its next step; one that failed is on its way again.

    Raises:
        DeploymentNotFound: its environment was deleted.
        DeploymentSuperseded: a newer one of the component has begun.
    """
    found = await rows.lock_deployment_of_run(session, run_id)
    if found is None:
        raise DeploymentNotFound("The environment of this deployment is gone.", hint="Deploy again.")
    place = Place(*found)
    deployment = place.deployment
    rivals = await rows.list_rivals(session, deployment)
    newer = [one for one in rivals if one.id > deployment.id and one.has_begun]
    if deployment.state == DeploymentState.SUPERSEDED or (newer and deployment.state != DeploymentState.SUCCEEDED):
        version = newer[-1].version if newer else "a newer one"
        raise DeploymentSuperseded(
            f"{deployment.version} gave way to {version} in {place.environment.name}.",
            hint="Deploy it again if it should run after all.",
        )
    if deployment.state != DeploymentState.SUCCEEDED:
        deployment.state, deployment.error, deployment.finished_at = DeploymentState.RUNNING, None, None
    return place


async def begin(session: WriteSession, run_id: UUID) -> RunSummary | None:
    """Come to the turn of a deployment: older ones of the component give way. Returns a run that has yet to end.

    Raises:
        DeploymentNotFound, DeploymentSuperseded.
    """
    found = await rows.find_deployment_of_run(session, run_id)
    if found is not None:  # before the deployment: whoever comes to its turn locks those that are to give way
        await lock_turns(session, found[0])
    place = await open_deployment(session, run_id)
    deployment = place.deployment
    deployment.has_begun = True
    for older in await rows.list_rivals(session, deployment):
        run = await find_run(session, older.run_id) if older.id < deployment.id else None
        if run is None or run.state.is_finished:
            continue
        await rows.lock_deployment_of_run(session, older.run_id)
        if older.state == DeploymentState.RUNNING:
            await _give_way(session, older, words=f"Version {deployment.version} was deployed before it was done.")
        return run
    return None


async def supersede_waiting(session: WriteSession, deployment: Deployment, environment: Environment) -> None:
    """Have older deployments of the component whose approval nobody has decided on give way to one that asks now."""
    await lock_turns(session, deployment)
    for older in await rows.list_rivals(session, deployment):
        run = await find_run(session, older.run_id) if older.id < deployment.id and not older.has_begun else None
        if run is None or run.state.is_finished or older.state != DeploymentState.RUNNING:
            continue
        words = f"{older.version} gave way to {deployment.version}, which waits for {environment.name} now."
        if await supersede_of_run(session, run.id, because=words):
            await _give_way(session, older, words=words)


async def lock_turns(session: WriteSession, deployment: Deployment) -> None:
    """Let only one deployment of a component in an environment at a time decide which ones give way."""
    await lock_transaction(session, f"deployments:{deployment.environment_id}:{deployment.component}")


async def _give_way(session: WriteSession, older: Deployment, *, words: str) -> None:
    """End a deployment that a newer one makes pointless; `words` name that one."""
    older.state, older.error = DeploymentState.SUPERSEDED, words
    because = DeploymentSuperseded(words, hint="Deploy it again if it should run after all.")
    await cancel_run(session, ACTOR, older.run_id, because=because)


async def put_instance(session: WriteSession, run_id: UUID, variables: tuple[Variable, ...]) -> UUID:
    """Want the one instance of a deployment, and return its id.

    Raises:
        DeploymentNotFound, DeploymentSuperseded.
        WorkloadTaken: another component has a workload of this name.
    """
    place = await open_deployment(session, run_id)
    deployment = place.deployment
    workload = await workload_rows.put_workload(session, _workload_values(deployment))
    if workload.component != deployment.component:
        raise WorkloadTaken(
            f"The workload {workload.name!r} in {place.environment.name} belongs to {workload.component}.",
            hint="Give the workload another name in `metadata.name` of score.yaml.",
        )
    if workload.active_instance_id is None:
        await set_health(session, workload.id, Health.DEPLOYING, f"{deployment.version} is being deployed")
    wish = InstanceWish(
        workload_id=workload.id,
        deployment_id=deployment.id,
        artifact=deployment.artifact,
        spec=read_score(deployment.wanted["score"]),
        variables=variables,
    )
    return await add_instance(session, wish)


def _workload_values(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": new_id(),
        "environment_id": deployment.environment_id,
        "name": deployment.wanted["workload"],
        "component": deployment.component,
        "health": Health.UNKNOWN,
        "health_summary": "Nothing runs",
        "created_at": now(),
    }


async def switch(session: WriteSession, actor: Actor, run_id: UUID, *, summary: str) -> None:
    """Let requests go to the new instance, and record what runs now; a second call changes nothing.

    Raises:
        DeploymentNotFound, DeploymentSuperseded.
    """
    place = await open_deployment(session, run_id)
    deployment = place.deployment
    if deployment.state == DeploymentState.SUCCEEDED:
        return
    mine = (await workload_rows.list_instances_of_deployment(session, deployment.id))[0]
    renamed: set[UUID] = set()
    for instance, workload in await _lock_instances(session, deployment):
        if instance.id == mine.id:
            workload.active_instance_id = instance.id
        else:
            instance.is_wanted = False
        if workload.id != mine.workload_id:  # the Score file gave the workload another name
            workload.active_instance_id = None
            renamed.add(workload.id)
    await session.flush()
    for workload_id in renamed:
        await clear_health(session, workload_id)
    await set_health(session, mine.workload_id, Health.HEALTHY, summary)
    environment = await rows.lock_environment(session, deployment.environment_id)
    deployment.former_set_id = environment.set_id
    deployment.set_id = environment.set_id = await _put_set(session, environment, deployment)
    await _end(session, actor, place, state=DeploymentState.SUCCEEDED, error=None)


async def _lock_instances(session: WriteSession, deployment: Deployment) -> list[tuple[Instance, Workload]]:
    found = await workload_rows.list_instances_of_component(
        session, environment_id=deployment.environment_id, component=deployment.component
    )
    for workload_id in sorted({workload.id for _, workload in found}):
        await workload_rows.lock_workload(session, workload_id)
    return found


async def _put_set(session: WriteSession, environment: Environment, deployment: Deployment) -> str:
    former = (await rows.list_sets(session, [environment.set_id])) if environment.set_id else {}
    content = former[environment.set_id].content if environment.set_id else None
    entry = {name: value for name, value in deployment.wanted.items() if name != "workload"}
    changed = change_set(content, workload=deployment.wanted["workload"], entry=entry)
    set_id = set_id_of(changed)
    await rows.put_set(session, set_id, changed)
    return set_id


async def settle(session: WriteSession, run: RunSummary) -> list[UUID]:
    """Write how a deployment ended whose run has. Returns its instances that shall not run."""
    found = await rows.lock_deployment_of_run(session, run.id)
    if found is None or not run.state.is_finished:
        return []
    place = Place(*found)
    deployment = place.deployment
    if deployment.finished_at is None:
        is_cancelled = run.state is RunState.CANCELLED
        state = DeploymentState.CANCELLED if is_cancelled else DeploymentState.FAILED
        if deployment.state == DeploymentState.SUPERSEDED:
            state = DeploymentState.SUPERSEDED
        error = deployment.error or (run.error or {}).get("message")
        await _end(session, ACTOR, place, state=state, error=error)
        await _report_nothing(session, deployment)
    return await _drop(session, deployment)


async def _report_nothing(session: WriteSession, deployment: Deployment) -> None:
    """Say how it is with a workload of which nothing runs after this deployment ended."""
    for instance in await workload_rows.list_instances_of_deployment(session, deployment.id):
        workload = await workload_rows.lock_workload(session, instance.workload_id)
        if workload is None or workload.active_instance_id is not None:
            continue
        if deployment.state == DeploymentState.FAILED:
            await set_health(session, workload.id, Health.FAILING, f"{deployment.version} could not be deployed")
        else:
            await clear_health(session, workload.id)


async def drop_instances(session: WriteSession, run_id: UUID) -> list[UUID]:
    """Have the instances of a deployment not run unless requests go to them. Returns those that were to run."""
    found = await rows.find_deployment_of_run(session, run_id)
    return await _drop(session, found[0]) if found else []


async def _drop(session: WriteSession, deployment: Deployment) -> list[UUID]:
    dropped = []
    for instance in await workload_rows.list_instances_of_deployment(session, deployment.id):
        workload = await workload_rows.lock_workload(session, instance.workload_id)
        is_over = not instance.is_wanted and instance.state == InstanceState.STOPPED
        if workload is not None and workload.active_instance_id != instance.id and not is_over:
            instance.is_wanted = False
            dropped.append(instance.id)
    return dropped


async def list_replaced(session: WriteSession, run_id: UUID) -> tuple[list[UUID], list[UUID]]:
    """Return what a deployment replaced: instances to stop, and workloads that its component has no more."""
    found = await rows.lock_deployment_of_run(session, run_id)
    if found is None:
        return [], []
    instances = await _lock_instances(session, found[0])
    stop = [one.id for one, _ in instances if not one.is_wanted and one.state != InstanceState.STOPPED]
    name = found[0].wanted["workload"]
    return stop, list({workload.id for _, workload in instances if workload.name != name})


async def _end(session: WriteSession, actor: Actor, place: Place, *, state: DeploymentState, error: str | None) -> None:
    deployment, environment = place.deployment, place.environment
    deployment.state, deployment.error, deployment.finished_at = state, error, now()
    await session.flush()
    await record(
        session,
        actor,
        action="environments.deployment_ended",
        subject=deployment.component,
        before=deployment.former_set_id,
        after=deployment.set_id,
        environment=environment.name,
        version=deployment.version,
        state=state,
    )
    publish(
        session,
        DeploymentFinished(
            deployment_id=str(deployment.id),
            environment=environment.name,
            environment_type=environment.type,
            application=place.application.entity_ref,
            component=deployment.component,
            state=state,
            version=deployment.version,
            commit=deployment.commit,
            run_id=str(deployment.run_id),
        ),
    )
