"""Which workloads use a resource, so that it is not deleted under them."""

from roadbed.core.db import ReadSession
from roadbed.environments.repository import instances as rows
from roadbed.provisioning.contract import ResourceView
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
