"""What differs between two environments of an application."""

from collections.abc import Mapping
from typing import Any

from roadbed.core.db import ReadSession
from roadbed.environments.models import Application, Environment
from roadbed.environments.repository import deployments as rows
from roadbed.environments.rules.sets import describe_change, facts_of
from roadbed.environments.rules.variables import FROM_TYPE
from roadbed.environments.service.reading import environment_view, get_environment, list_workloads
from roadbed.environments.types import Comparison, Difference, WorkloadComparison
from roadbed.provisioning.contract import ResourceFilter, list_resources
from roadbed.secrets.contract import SecretMask

Entries = Mapping[str, Mapping[str, Any]]


async def compare_environments(session: ReadSession, application: str, *, before: str, after: str) -> Comparison:
    """Return what differs: version, commit, variables as the Score files have them, and classes of resources.

    Raises:
        ApplicationNotFound, EnvironmentNotFound.
    """
    first, owner = await get_environment(session, application, before)
    second, _ = await get_environment(session, application, after)
    return Comparison(
        environment_view(first, owner),
        environment_view(second, owner),
        await _compare_workloads(session, first, second),
        describe_change(await _resource_facts(session, owner, first), await _resource_facts(session, owner, second)),
    )


async def _compare_workloads(session: ReadSession, first: Environment, second: Environment) -> list[WorkloadComparison]:
    old, new = await _entries(session, first), await _entries(session, second)
    old_facts, new_facts = await _type_facts(session, first), await _type_facts(session, second)
    mask = session.services.get(SecretMask)
    found = []
    for name in sorted({*old, *new}):
        before = facts_of(old.get(name)) | old_facts.get(name, {})
        after = facts_of(new.get(name)) | new_facts.get(name, {})
        differences = [
            Difference(one.name, _hide(mask, one.before), _hide(mask, one.after))
            for one in describe_change(before, after)
        ]
        component = (new.get(name) or old[name])["component"]
        found.append(WorkloadComparison(name, component, name in old, name in new, differences))
    return found


def _hide(mask: SecretMask, text: str | None) -> str | None:
    return None if text is None else mask.mask(text)


async def _entries(session: ReadSession, environment: Environment) -> Entries:
    if environment.set_id is None:
        return {}
    sets = await rows.list_sets(session, [environment.set_id])
    entries: Entries = sets[environment.set_id].content["workloads"]
    return entries


async def _type_facts(session: ReadSession, environment: Environment) -> dict[str, dict[str, str]]:
    """Return the variables that the environment type gave to each workload, as facts."""
    return {
        workload.name: {f"variable {one.name}": one.value for one in workload.variables if one.source == FROM_TYPE}
        for workload in await list_workloads(session, environment_ids=[environment.id])
    }


async def _resource_facts(session: ReadSession, owner: Application, environment: Environment) -> dict[str, str]:
    wanted = ResourceFilter(application=owner.entity_ref, environment=environment.name)
    found = await list_resources(session, wanted)
    return {
        f"{one.type} {one.name}": f"{one.class_}, {one.definition}"
        for one in sorted(found, key=lambda one: (one.type, one.name))
    }
