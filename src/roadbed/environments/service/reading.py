"""Environments, workloads and deployments as others see them."""

from collections.abc import Collection
from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.environments.errors import ApplicationNotFound, DeploymentNotFound, EnvironmentNotFound, WorkloadNotFound
from roadbed.environments.models import Application, Deployment, Environment
from roadbed.environments.repository import deployments as rows
from roadbed.environments.repository import instances as instance_rows
from roadbed.environments.repository import workloads as workload_rows
from roadbed.environments.repository.workloads import WorkloadRow
from roadbed.environments.rules.names import host_of
from roadbed.environments.service.places import list_types
from roadbed.environments.types import (
    DeploymentFilter,
    DeploymentState,
    DeploymentView,
    EnvironmentView,
    InstanceState,
    Variable,
    WorkloadAddress,
    WorkloadFilter,
    WorkloadView,
)


def environment_view(environment: Environment, application: Application) -> EnvironmentView:
    return EnvironmentView(
        id=environment.id,
        application=application.entity_ref,
        application_name=application.name,
        name=environment.name,
        type=environment.type,
        order=environment.order,
        set_id=environment.set_id,
    )


def deployment_view(deployment: Deployment, environment: Environment, application: Application) -> DeploymentView:
    return DeploymentView(
        id=deployment.id,
        environment=environment.name,
        application=application.entity_ref,
        application_name=application.name,
        component=deployment.component,
        version=deployment.version,
        commit=deployment.commit,
        repository=deployment.repository,
        artifact=deployment.artifact,
        set_id=deployment.set_id,
        former_set_id=deployment.former_set_id,
        state=DeploymentState(deployment.state),
        run_id=deployment.run_id,
        by=deployment.by,
        error=deployment.error,
        created_at=deployment.created_at,
        finished_at=deployment.finished_at,
    )


def workload_view(row: WorkloadRow, services: Services) -> WorkloadView:
    workload, environment, application = row.workload, row.environment, row.application
    instance, deployment = row.instance, row.deployment
    host = host_of(workload=workload.name, environment=environment.name, application=application.name)
    is_serving = instance is not None and instance.is_wanted and instance.port is not None
    identity = (instance.identity if instance else None) or {}
    return WorkloadView(
        id=workload.id,
        name=workload.name,
        component=workload.component,
        environment=environment.name,
        environment_type=environment.type,
        order=environment.order,
        application=application.entity_ref,
        application_name=application.name,
        version=deployment.version if deployment else None,
        commit=deployment.commit if deployment else None,
        artifact=deployment.artifact if deployment else None,
        deployment_id=deployment.id if deployment else None,
        deployed_at=deployment.finished_at if deployment else None,
        run_id=deployment.run_id if deployment else None,
        instance_id=instance.id if instance else None,
        state=InstanceState(instance.state) if instance else None,
        is_stopped=instance is not None and not instance.is_wanted,
        health=workload.health,
        health_summary=workload.health_summary,
        health_since=workload.health_since,
        port=instance.port if instance else None,
        pid=identity.get("pid"),
        restarts=instance.restarts if instance else 0,
        is_isolated=instance.is_isolated if instance else True,
        variables=tuple(Variable(**variable) for variable in instance.variables) if instance else (),
        url=f"http://{host}:{services.get(Settings).port}" if is_serving else None,
    )


async def get_application(session: ReadSession, name: str) -> Application:
    """Return an application by its name in addresses.

    Raises:
        ApplicationNotFound.
    """
    found = await rows.find_application(session, name)
    if found is None:
        raise ApplicationNotFound(
            f"Nothing was ever deployed of an application {name!r}.", hint="The page Environments lists them."
        )
    return found


async def get_environment(session: ReadSession, application: str, name: str) -> tuple[Environment, Application]:
    """Return an environment by the names in its address.

    Raises:
        ApplicationNotFound, EnvironmentNotFound.
    """
    owner = await get_application(session, application)
    found = await rows.find_environment(session, owner.id, name)
    if found is None:
        known = ", ".join(row.name for row, _ in await rows.list_environments(session, owner.id))
        raise EnvironmentNotFound(f"{application} has no environment {name!r}.", hint=f"It has: {known}.")
    return found, owner


async def list_environments(session: ReadSession, *, application_id: UUID | None = None) -> list[EnvironmentView]:
    """List the environments of one application, or of all, by application and the way to production."""
    return [environment_view(*row) for row in await rows.list_environments(session, application_id)]


async def list_environment_page(
    session: ReadSession, *, application: str | None = None, before_id: UUID | None, limit: int
) -> list[EnvironmentView]:
    """List environments, those that were made last first."""
    found = await rows.list_page(session, application=application, before_id=before_id, limit=limit)
    return [environment_view(*row) for row in found]


async def list_workloads(
    session: ReadSession, *, environment_ids: Collection[UUID] | None = None, components: Collection[str] | None = None
) -> list[WorkloadView]:
    """List workloads: those of some environments, of components in all environments, or all."""
    found = await workload_rows.list_workloads(session, environment_ids=environment_ids, components=components)
    return [workload_view(row, session.services) for row in found]


async def list_in_production(session: ReadSession, components: Collection[str]) -> list[WorkloadView]:
    """List what was deployed of components to the environments that serve customers."""
    types = {type_.ref.name for type_ in await list_types(session) if type_.spec.get("production")}
    found = await list_workloads(session, components=components)
    return [one for one in found if one.environment_type in types and one.version is not None]


async def list_workload_page(
    session: ReadSession, wanted: WorkloadFilter, *, before_id: UUID | None = None, limit: int
) -> list[WorkloadView]:
    """List workloads, those that were made last first."""
    found = await workload_rows.list_page(session, wanted, before_id=before_id, limit=limit)
    return [workload_view(row, session.services) for row in found]


async def find_log_instance(session: ReadSession, workload_id: UUID) -> UUID | None:
    """Return the instance whose log is shown: the active one, else the last that was tried."""
    found = await workload_rows.find_workload(session, workload_id)
    if found is None:
        return None
    return found.workload.active_instance_id or await instance_rows.find_newest_id(session, workload_id)


async def get_workload(session: ReadSession, environment: Environment, name: str) -> WorkloadView:
    """Return a workload of an environment.

    Raises:
        WorkloadNotFound: naming those there are.
    """
    found = await list_workloads(session, environment_ids=[environment.id])
    workload = next((one for one in found if one.name == name), None)
    if workload is None:
        known = ", ".join(one.name for one in found) or "none"
        raise WorkloadNotFound(f"No workload {name!r} is in {environment.name}.", hint=f"There are: {known}.")
    return workload


async def get_workload_at(session: ReadSession, address: WorkloadAddress) -> WorkloadView:
    """Return the workload at an address.

    Raises:
        ApplicationNotFound, EnvironmentNotFound, WorkloadNotFound.
    """
    environment, _ = await get_environment(session, address.application, address.environment)
    return await get_workload(session, environment, address.workload)


async def list_deployments(
    session: ReadSession, wanted: DeploymentFilter, *, before_id: UUID | None = None, limit: int = 50
) -> list[DeploymentView]:
    """List deployments, newest first."""
    return [
        deployment_view(*row) for row in await rows.list_deployments(session, wanted, before_id=before_id, limit=limit)
    ]


async def find_deployment_of_run(session: ReadSession, run_id: UUID) -> DeploymentView | None:
    """Return the deployment that a run carries out, or carried out."""
    found = await rows.find_deployment_of_run(session, run_id)
    return deployment_view(*found) if found else None


async def get_deployment(session: ReadSession, deployment_id: UUID) -> rows.Row:
    """Return a deployment where it stands.

    Raises:
        DeploymentNotFound.
    """
    found = await rows.find_deployment(session, deployment_id)
    if found is None:
        raise DeploymentNotFound(
            f"There is no deployment {deployment_id}.", hint="The page of the environment lists its deployments."
        )
    return found
