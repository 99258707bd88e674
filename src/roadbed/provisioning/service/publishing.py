"""Showing resources in the catalog: one Resource entity for each (application, type, id)."""

from typing import Any

from roadbed.catalog.contract import (
    EntityManaged,
    EntityNotFound,
    Reading,
    delete_entity,
    find_entity,
    from_json,
    put_entities,
)
from roadbed.core.actor import system_actor
from roadbed.core.db import WriteSession
from roadbed.kit.refs import EntityRef, parse_ref
from roadbed.provisioning import repository
from roadbed.provisioning.models import Resource
from roadbed.provisioning.types import ResourceFilter

ACTOR = system_actor("provisioning")
UNKNOWN_OWNER = "unknown"
MANAGED_BY = "roadbed.dev/provisioned"


def ref_of(row: Resource) -> EntityRef:
    application = parse_ref(row.application)
    return EntityRef("Resource", application.namespace, f"{application.name}-{row.name}")


async def publish(session: WriteSession, row: Resource) -> bool:
    """Put the entity of a resource; False when somebody declares an entity of that name in a file.

    Raises:
        EntityInvalid: the names of application and resource make no name of an entity.
    """
    application = parse_ref(row.application)
    owner = await find_entity(session, application)
    spec: dict[str, Any] = {
        "type": row.type,
        "owner": str(owner.owner) if owner and owner.owner else UNKNOWN_OWNER,
        "dependencyOf": [row.application] if application.kind == "component" else [],
    }
    if application.kind == "system":
        spec["system"] = row.application
    elif owner and owner.system:
        spec["system"] = str(owner.system)
    ref = ref_of(row)
    document = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Resource",
        "metadata": {
            "name": ref.name,
            "namespace": ref.namespace,
            "description": f"{row.type} {row.name} of {application.name}, one for each environment that asks for it.",
            "annotations": {MANAGED_BY: "true"},
        },
        "spec": spec,
    }
    try:
        await put_entities(session, ACTOR, Reading((from_json(document),), ()))
    except EntityManaged:
        return False
    return True


async def withdraw(session: WriteSession, row: Resource) -> None:
    """Delete the entity when no environment has the resource any more."""
    others = await repository.list_resources(
        session, ResourceFilter(application=row.application, type=row.type), limit=1000
    )
    if any(other.name == row.name and other.id != row.id for other in others):
        return
    entity = await find_entity(session, ref_of(row))
    if entity is None or MANAGED_BY not in entity.annotations:
        return
    try:
        await delete_entity(session, ACTOR, entity.ref)
    except (EntityManaged, EntityNotFound):
        return
