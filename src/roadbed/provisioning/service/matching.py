"""From the catalog's entities to the definition of one request."""

from dataclasses import dataclass
from typing import Any

from roadbed.catalog.contract import EntityFilter, EntitySummary, list_entities
from roadbed.core.db import ReadSession
from roadbed.core.extension import Registry
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.provisioning.errors import DriverMissing, UnknownResourceType
from roadbed.provisioning.models import Resource
from roadbed.provisioning.rules.matching import Definition, Request, Verdict, match
from roadbed.provisioning.rules.requests import check_request
from roadbed.provisioning.types import DEFAULT_CLASS, DRIVERS, Driver, EnvironmentKey


@dataclass(frozen=True)
class Wanted:
    """One wish as a run holds it, and where."""

    environment: EnvironmentKey
    environment_type: str
    type: str
    id: str
    class_: str | None
    params: dict[str, Any]


@dataclass(frozen=True)
class Match:
    """How a wish is met."""

    definition: Definition
    class_: str
    why: list[dict[str, Any]]


async def match_wish(session: ReadSession, wanted: Wanted, current: Resource | None) -> Match:
    """Choose the definition for one wish; a resource that holds data stays with the one that made it.

    Raises:
        UnknownResourceType, ResourceInvalid, NoDefinition, AmbiguousDefinition, DriverMissing.
    """
    type_ = await get_type(session, wanted.type)
    class_ = wanted.class_ or await _class_of(session, wanted.environment_type)
    check_request(wanted.id, class_, wanted.params, type_.spec)
    request = Request(
        application=wanted.environment.application,
        environment=wanted.environment.name,
        environment_type=wanted.environment_type,
        type=wanted.type,
        id=wanted.id,
        class_=class_,
        params=wanted.params,
    )
    definitions = await _definitions(session, type_)
    pinned = _find_pinned(definitions, current, is_stateful=bool(type_.spec.get("stateful")))
    if pinned is not None:
        reason = "it made this resource, which holds data: another definition does not take over by itself"
        others = [Verdict(one, "pinned out", "not considered") for one in definitions if one.ref != pinned.ref]
        verdicts = [Verdict(pinned, "chosen", reason), *others]
        return Match(pinned, class_, [verdict.to_data() for verdict in verdicts])
    chosen, verdicts = match(request, definitions)
    find_driver(session, chosen.driver, wanted.type)
    return Match(chosen, class_, [verdict.to_data() for verdict in verdicts])


def _find_pinned(definitions: list[Definition], current: Resource | None, *, is_stateful: bool) -> Definition | None:
    if current is None or current.applied is None or not is_stateful:
        return None
    return next((one for one in definitions if one.ref == current.definition), None)


async def list_types(session: ReadSession) -> list[EntitySummary]:
    """List the resource types that can be asked for."""
    return await list_entities(session, EntityFilter(kinds=("ResourceType",)))


async def get_type(session: ReadSession, name: str) -> EntitySummary:
    """Return a resource type by name or ref.

    Raises:
        UnknownResourceType: naming those there are.
    """
    types = await list_types(session)
    try:
        wanted = parse_ref(name, default_kind="resourcetype")
    except InvalidRef:
        wanted = None  # no entity has such a name
    found = next((one for one in types if one.ref == wanted), None)
    if found is None:
        known = ", ".join(sorted(one.ref.name for one in types)) or "none"
        raise UnknownResourceType(
            f"There is no resource type {name!r}.", hint=f"Known: {known}. A platform engineer adds a ResourceType."
        )
    return found


async def _class_of(session: ReadSession, environment_type: str) -> str:
    types = await list_entities(session, EntityFilter(kinds=("EnvironmentType",)))
    found = next((one for one in types if one.ref.name.lower() == environment_type.lower()), None)
    class_ = found.spec.get("resourceClass") if found else None
    return class_ or DEFAULT_CLASS


async def _definitions(session: ReadSession, type_: EntitySummary) -> list[Definition]:
    found = await list_entities(session, EntityFilter(kinds=("ResourceDefinition",)))
    return [_read(one) for one in found if _is_of(one, type_)]


def _is_of(entity: EntitySummary, type_: EntitySummary) -> bool:
    try:
        ref = parse_ref(entity.spec["type"], default_kind="resourcetype", default_namespace=entity.ref.namespace)
    except InvalidRef:
        return False
    return ref == type_.ref


def _read(entity: EntitySummary) -> Definition:
    spec = entity.spec
    return Definition(
        ref=str(entity.ref),
        version=spec["version"],
        driver=spec["driver"],
        class_=spec.get("class"),
        inputs=spec.get("inputs", {}),
        criteria=spec.get("criteria", ()),
        support=spec.get("supportLevel", "supported"),
        guardrails=spec.get("guardrails", ()),
    )


def find_driver(session: ReadSession, name: str, type_: str) -> Driver:
    """Return the driver of that name for a resource type.

    Raises:
        DriverMissing: this Roadbed has none.
    """
    drivers = session.services.get(Registry).get(DRIVERS)
    found = next((one for one in drivers if one.name == name and type_ in one.types), None)
    if found is None:
        known = ", ".join(f"{one.name} ({', '.join(sorted(one.types))})" for one in drivers)
        raise DriverMissing(
            f"This Roadbed has no driver {name!r} for the resource type {type_!r}.",
            hint=f"It has {known or 'none'}. Install the plugin that brings it, or correct the definition.",
        )
    return found
