"""What uses a resource or an artifact, so that it is not deleted under its users."""

from roadbed.core.db import ReadSession
from roadbed.environments.repository import deployments as deployment_rows
from roadbed.environments.repository import instances as rows
from roadbed.environments.types import DeploymentFilter, DeploymentState
from roadbed.provisioning.contract import ResourceView
from roadbed.runs.contract import find_run
from roadbed.secrets.contract import SCHEME


async def find_resource_users(session: ReadSession, resource: ResourceView) -> list[str]:
    """Name the workloads that shall run and are given a secret output of `resource`."""
    references = [value for value in map(str, resource.outputs.values()) if value.startswith(SCHEME)]
    return [
        f"{placed.workload.name} {placed.version}".strip()
        for placed in await rows.list_placed(session)
        if placed.instance.is_wanted
        and any(reference in str(one["value"]) for one in placed.instance.variables for reference in references)
    ]


async def find_artifact_user(session: ReadSession, digest: str) -> str | None:
    """Name what is, or was, deployed from an artifact: "orders 1.2 in staging". None when nothing is."""
    for state in (DeploymentState.SUCCEEDED, DeploymentState.RUNNING):
        wanted = DeploymentFilter(artifact=digest, state=state)
        for deployment, environment, _ in await deployment_rows.list_deployments(session, wanted, limit=100):
            run = await find_run(session, deployment.run_id)
            if state is DeploymentState.SUCCEEDED or (run is not None and not run.state.is_finished):
                return f"{deployment.wanted['workload']} {deployment.version} in {environment.name}"
    return None
