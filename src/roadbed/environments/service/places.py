"""Applications and their environments: found, or made when something is deployed for the first time."""

from roadbed.catalog.contract import EntityFilter, EntitySummary, find_entity, list_entities
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.environments.errors import EnvironmentTypeNotFound, RuntimeUnsupported
from roadbed.environments.models import Application, Environment
from roadbed.environments.repository import deployments as rows
from roadbed.environments.rules.names import application_label
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

RUNTIME = "process"


async def list_types(session: ReadSession) -> list[EntitySummary]:
    """List the environment types that every application has an environment of, on the way to production."""
    found = await list_entities(session, EntityFilter(kinds=("EnvironmentType",), namespaces=("default",)))
    lasting = [entity for entity in found if "expiresAfterHours" not in entity.spec]
    return sorted(lasting, key=lambda entity: (entity.spec["order"], entity.ref.name))


async def get_type(session: ReadSession, name: str) -> EntitySummary:
    """Return an environment type that Roadbed can deploy to.

    Raises:
        EnvironmentTypeNotFound: naming those there are.
        RuntimeUnsupported: its runtime, or its rule for approvals, is not done yet.
    """
    types = await list_types(session)
    found = next((entity for entity in types if entity.ref.name.lower() == name.lower()), None)
    if found is None:
        known = ", ".join(entity.ref.name for entity in types) or "none"
        raise EnvironmentTypeNotFound(
            f"There is no environment type {name!r}.", hint=f"Known: {known}. A platform engineer adds one."
        )
    if found.spec["runtime"] != RUNTIME:
        raise RuntimeUnsupported(
            f"{found.ref.name} wants the runtime {found.spec['runtime']}, which this Roadbed does not have.",
            hint=f"A platform engineer sets `runtime: {RUNTIME}` in the EnvironmentType.",
        )
    count = found.spec.get("approval", {}).get("count", 1)
    if count != 1:
        raise RuntimeUnsupported(
            f"{found.ref.name} asks for {count} approvals of one deployment, and this Roadbed can ask for one only.",
            hint="A platform engineer sets `count: 1` in the EnvironmentType.",
        )
    return found


async def put_environment(
    session: WriteSession, component: EntitySummary, type_: EntitySummary
) -> tuple[Environment, Application]:
    """Return the environment of a component's application, and make all of them where they are missing."""
    await lock_transaction(session, "environments:applications")
    application = await _put_application(session, component)
    held = {row.name: row for row, _ in await rows.list_environments(session, application.id)}
    for one in await list_types(session):
        row = held.get(one.ref.name)
        if row is None:
            row = Environment(
                id=new_id(),
                application_id=application.id,
                name=one.ref.name,
                type=one.ref.name,
                created_at=now(),
            )
            session.add(row)
            held[row.name] = row
        row.order = one.spec["order"]
    await session.flush()
    return held[type_.ref.name], application


async def _put_application(session: WriteSession, component: EntitySummary) -> Application:
    """Return the application of a component.

    Where it runs already counts more than what its entity says now: to leave its application is a move, not an edit.
    """
    running = await rows.find_application_of_component(session, str(component.ref))
    if running is not None:
        return running
    entity = await find_application_entity(session, component)
    found = await rows.find_application_of_entity(session, uid=entity.uid, ref=str(entity.ref))
    if found is None:
        found = Application(id=new_id(), name=await _free_name(session, entity), created_at=now())
        session.add(found)
    found.entity_uid, found.entity_ref = entity.uid, str(entity.ref)
    await session.flush()
    return found


async def find_application_entity(session: ReadSession, component: EntitySummary) -> EntitySummary:
    """Return the system of a component, or the component itself when it has none that exists."""
    system = await find_entity(session, component.system) if component.system else None
    return system or component


async def _free_name(session: ReadSession, entity: EntitySummary) -> str:
    label = application_label(entity.ref)
    taken = await rows.list_names(session, label)
    candidates = (label, f"{label}-{entity.ref.kind.lower()}", *(f"{label}-{number}" for number in range(2, 1000)))
    return next(name for name in candidates if name not in taken)
