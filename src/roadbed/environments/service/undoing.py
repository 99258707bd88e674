"""Taking a deployment back: what it alone made goes, what replaced something or was replaced stays."""

from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession, WriteSession, lock_transaction
from roadbed.core.services import Services
from roadbed.environments.models import Application
from roadbed.environments.repository import deployments as rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.rules.sets import former_version, set_id_of, without_component
from roadbed.environments.service.health import clear_health
from roadbed.environments.service.instances import retire_instance
from roadbed.environments.service.progress import Place, drop_instances
from roadbed.environments.service.routes import refresh_routes
from roadbed.environments.service.tidying import tidy
from roadbed.environments.types import DeploymentState
from roadbed.provisioning.contract import ResourceFilter, list_resources
from roadbed.runs.contract import RunState, Undone, find_run


async def take_down(services: Services, run_id: UUID) -> Undone:
    """Take back that requests go to what a deployment started, unless it replaced something or was replaced."""
    async with services.get(Database).read() as session:
        found = await rows.find_deployment_of_run(session, run_id)
        if found is None or found[0].state != DeploymentState.SUCCEEDED:
            return Undone()
        place = Place(*found)
        what = f"{place.deployment.wanted['workload']} {place.deployment.version} in {place.environment.name}"
        reason = await _find_reason_to_stay(session, place)
        instances = await workload_rows.list_instances_of_deployment(session, place.deployment.id)
    if reason is not None:
        return Undone(kept=(f"{what}, because {reason}",))
    for instance in instances:
        await retire_instance(services, instance.id)
    async with services.get(Database).write() as session:
        await _forget_version(session, run_id)
    return Undone((f"{what}, with its processes and its address",))


async def _find_reason_to_stay(session: ReadSession, place: Place) -> str | None:
    deployment = place.deployment
    for newer in await rows.list_rivals(session, deployment):
        if newer.state == DeploymentState.SUCCEEDED:
            return f"{newer.version} was deployed there after it"
    former = await rows.list_sets(session, [deployment.former_set_id]) if deployment.former_set_id else {}
    replaced = [former_version(one.content, component=deployment.component) for one in former.values()]
    if any(replaced):
        return f"it replaced {replaced[0]}, of which nothing runs any more; roll back to that instead"
    return None


async def _forget_version(session: WriteSession, run_id: UUID) -> None:
    """Write down that nothing of the component runs in the environment."""
    found = await rows.lock_deployment_of_run(session, run_id)
    if found is None:
        return
    deployment = found[0]
    environment = await rows.lock_environment(session, deployment.environment_id)
    deployment.state, deployment.error = DeploymentState.CANCELLED, "It was taken back."
    sets = await rows.list_sets(session, [environment.set_id]) if environment.set_id else {}
    environment.set_id = None
    for one in sets.values():
        content = without_component(one.content, component=deployment.component)
        if content["workloads"]:
            environment.set_id = set_id_of(content)
            await rows.put_set(session, environment.set_id, content)


async def drop_workload(services: Services, run_id: UUID) -> Undone:
    """End what a deployment started in vain, and forget a workload that no other deployment has."""
    async with services.get(Database).write() as session:
        dropped = await drop_instances(session, run_id)
    for instance_id in dropped:
        await retire_instance(services, instance_id)
    async with services.get(Database).write() as session:
        found = await rows.find_deployment_of_run(session, run_id)
        mine = await workload_rows.list_instances_of_deployment(session, found[0].id) if found else []
        for instance in mine:
            workload = await workload_rows.lock_workload(session, instance.workload_id)
            is_shared = await workload_rows.has_other_deployments(session, instance)
            if workload is not None and workload.active_instance_id is None and not is_shared:
                await clear_health(session, workload.id)
                await workload_rows.remove_workloads(session, [workload.id])
    await refresh_routes(services)
    await tidy(services)
    return Undone()


async def release_application(session: WriteSession, actor: Actor, component: str) -> Undone:
    """Delete the application that is bound to a component, with its environments, when nothing is left in it."""
    await lock_transaction(session, "environments:applications")
    application = await rows.find_application_of_ref(session, component)
    if application is None or not await _is_empty(session, application):
        return Undone()
    names = [environment.name for environment, _ in await rows.list_environments(session, application.id)]
    await rows.remove_application(session, application.id)
    await record(
        session,
        actor,
        action="environments.application_removed",
        subject=application.entity_ref,
        before={"name": application.name, "environments": names},
    )
    return Undone((f"the environments of {application.name}: {', '.join(names)}",))


async def _is_empty(session: ReadSession, application: Application) -> bool:
    """Tell whether an application has neither workloads nor resources, nor a deployment that is on its way."""
    if await workload_rows.list_workloads(session, application_id=application.id):
        return False
    if await list_resources(session, ResourceFilter(application=application.entity_ref), limit=1):
        return False
    for run_id in await rows.list_open_runs(session, application.id):
        run = await find_run(session, run_id)
        if run is not None and not run.state.is_finished and run.state is not RunState.UNDOING:
            return False
    return True
