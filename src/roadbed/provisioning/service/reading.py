"""Resources as others see them."""

from typing import Any
from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.provisioning import repository
from roadbed.provisioning.errors import ResourceNotFound, ResourceNotReady
from roadbed.provisioning.models import Resource
from roadbed.provisioning.types import EnvironmentKey, ResourceFilter, ResourceState, ResourceView


def view_of(row: Resource) -> ResourceView:
    return ResourceView(
        id=row.id,
        environment=EnvironmentKey(row.application, row.environment),
        environment_type=row.environment_type,
        type=row.type,
        name=row.name,
        class_=row.resource_class,
        params=row.params,
        definition=row.definition,
        definition_version=row.definition_version,
        driver=row.driver,
        state=ResourceState(row.state),
        outputs=row.outputs,
        why=row.why,
        error=row.error,
        run_id=row.run_id,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def find_resource(session: ReadSession, resource_id: UUID) -> ResourceView | None:
    row = await repository.find(session, resource_id)
    return view_of(row) if row else None


async def get_resource(session: ReadSession, resource_id: UUID) -> ResourceView:
    """Return a resource.

    Raises:
        ResourceNotFound: there is none of that id.
    """
    found = await find_resource(session, resource_id)
    if found is None:
        raise not_found(resource_id)
    return found


async def list_resources(
    session: ReadSession, wanted: ResourceFilter, *, before_id: UUID | None = None, limit: int = 200
) -> list[ResourceView]:
    """List resources, newest first."""
    rows = await repository.list_resources(session, wanted, before_id=before_id, limit=limit)
    return [view_of(row) for row in rows]


async def get_outputs(
    session: ReadSession, environment: EnvironmentKey, resource_id: str, *, type_: str | None = None
) -> dict[str, Any]:
    """Return what a workload needs to use a resource; secret values are `secret://` references.

    Args:
        session: where it is read.
        environment: where the resource is.
        resource_id: its id in that environment.
        type_: needed when resources of two types share the id.

    Raises:
        ResourceNotFound: there is none.
        ResourceNotReady: it was never made, or is being deleted.
    """
    rows = [row for row in await repository.list_named(session, environment, resource_id) if type_ in (None, row.type)]
    where = f"{environment.name} of {environment.application}"
    if not rows:
        raise ResourceNotFound(
            f"There is no resource {resource_id!r} in {where}.", hint="Ask for it in the Score file or on Resources."
        )
    if len(rows) > 1:
        types = ", ".join(sorted(row.type for row in rows))
        raise ResourceNotReady(f"{resource_id!r} in {where} is several resources: {types}.", hint="Name the type.")
    if rows[0].applied is None or rows[0].state == ResourceState.DELETING:
        raise ResourceNotReady(
            f"The {rows[0].type} {resource_id!r} in {where} is {rows[0].state}.", hint="Look at the run that makes it."
        )
    return dict(rows[0].outputs)


def not_found(resource_id: UUID) -> ResourceNotFound:
    return ResourceNotFound(f"There is no resource {resource_id}.", hint="The page Resources lists them.")
