"""Restarting, starting and stopping a workload: each is a run of one step."""

from uuid import UUID

from roadbed.audit.contract import record
from roadbed.catalog.contract import Health
from roadbed.core.actor import Actor
from roadbed.core.db import Database, WriteSession
from roadbed.core.sandbox import Sandbox
from roadbed.core.services import Services
from roadbed.environments.access import require_isolation
from roadbed.environments.errors import WorkloadNotFound, WorkloadNotReady
from roadbed.environments.models import Instance
from roadbed.environments.repository import instances as instance_rows
from roadbed.environments.repository import workloads as rows
from roadbed.environments.service.health import clear_health, set_health
from roadbed.environments.service.instances import start_instance, wait_until_ready
from roadbed.environments.service.ports import take_port
from roadbed.environments.service.routes import refresh_routes
from roadbed.environments.service.runtime.process import ProcessRuntime
from roadbed.environments.types import RESTART_RUN, STOP_RUN, InstanceState, WorkloadView
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, start_run


async def restart_workload(session: WriteSession, actor: Actor, workload: WorkloadView) -> RunSummary:
    """Start the run that ends the process of a workload and starts it anew; one that is stopped is started.

    Raises:
        WorkloadNotFound: nothing of it was deployed that could run.
        NotIsolated: this machine cannot isolate workloads, and the actor is no admin.
    """
    require_isolation(session.services.get(Sandbox).isolation, actor)
    _require_version(workload)
    verb = "Start" if workload.is_stopped else "Restart"
    return await _start(session, actor, workload, kind=RESTART_RUN, verb=verb)


async def stop_workload(session: WriteSession, actor: Actor, workload: WorkloadView) -> RunSummary:
    """Start the run that ends the process of a workload until it is started or deployed again.

    Raises:
        WorkloadNotFound: nothing of it runs.
    """
    _require_version(workload)
    return await _start(session, actor, workload, kind=STOP_RUN, verb="Stop")


def _require_version(workload: WorkloadView) -> None:
    if workload.instance_id is None:
        raise WorkloadNotFound(
            f"Nothing of {workload.name} runs in {workload.environment}.", hint="Deploy a version of it first."
        )


async def _start(session: WriteSession, actor: Actor, workload: WorkloadView, *, kind: str, verb: str) -> RunSummary:
    title = f"{verb} {workload.name}"
    run = await start_run(
        session,
        actor,
        RunPlan(
            kind=kind,
            title=f"{title} in {workload.environment}",
            steps=[StepPlan("do", title, kind)],
            subject=workload.component,
            inputs={"workload": str(workload.id)},
        ),
    )
    await record(
        session,
        actor,
        action=f"{kind}_asked",
        subject=workload.component,
        environment=workload.environment,
        version=workload.version or "",
        run=str(run.id),
    )
    return run


async def stop_now(services: Services, workload_id: UUID, *, by: str) -> UUID:
    """End the process of a workload; it stays the one that is started again. Returns the instance.

    Raises:
        WorkloadNotFound.
    """
    async with services.get(Database).write() as session:
        instance = await _lock_active(session, workload_id)
        instance_id = instance.id
        await instance_rows.change(session, instance_id, {"is_wanted": False})
        await clear_health(session, workload_id, summary=f"Stopped by {by}")
    await refresh_routes(services)
    await services.get(ProcessRuntime).stop(instance_id)
    return instance_id


async def restart_now(services: Services, workload_id: UUID) -> tuple[UUID, str]:
    """End the process of a workload if it runs, start it, and wait until it is ready.

    Returns the instance, and what showed that it is ready.

    Raises:
        WorkloadNotFound, NoFreePort.
        WorkloadNotReady: it is started again and again all the same.
    """
    async with services.get(Database).write() as session:
        instance = await _lock_active(session, workload_id)
        instance_id = instance.id
        await set_health(session, workload_id, Health.DEPLOYING, "It is being started")
        if not instance.is_wanted:
            await _want_again(session, instance)
    supervisor = services.get(ProcessRuntime).find(instance_id)
    if supervisor is not None:
        await supervisor.restart()
    start_instance(services, instance_id)
    await refresh_routes(services)
    try:
        summary = await wait_until_ready(services, instance_id)
    except WorkloadNotReady as error:
        hint = "It is started again and again. Its log says more; deploy another version, or stop it."
        raise WorkloadNotReady(error.message, hint=hint) from error
    async with services.get(Database).write() as session:
        await set_health(session, workload_id, Health.HEALTHY, summary)
    return instance_id, summary


async def _want_again(session: WriteSession, instance: Instance) -> None:
    """Have a stopped instance run again; another workload may have its port by now."""
    port = None if instance.port is None else await take_port(session)
    values = {"is_wanted": True, "state": InstanceState.STARTING.value, "restarts": 0, "port": port}
    await instance_rows.change(session, instance.id, values)


async def _lock_active(session: WriteSession, workload_id: UUID) -> Instance:
    workload = await rows.lock_workload(session, workload_id)
    found = await rows.find_workload(session, workload_id) if workload is not None else None
    if found is None or found.instance is None:
        raise WorkloadNotFound("Nothing of this workload runs any more.", hint="Deploy a version of it.")
    return found.instance
