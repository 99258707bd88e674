"""Requests of people: what would happen, and the run when they want it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.contract import EntityFilter, list_entities
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.provisioning import repository
from roadbed.provisioning.rules.asking import Option
from roadbed.provisioning.service.matching import Wanted, match_wish
from roadbed.provisioning.service.records import check_not_deleting
from roadbed.provisioning.service.requests import ensure_resources, read_application
from roadbed.provisioning.types import EnvironmentKey, ResourcesWish
from roadbed.runs.contract import RunSummary

_KINDS = ("System", "Component")


@dataclass(frozen=True)
class Foreseen:
    """How one wish would be met. `is_new` unless the environment has that resource."""

    class_: str
    definition: str
    version: str
    why: Sequence[Mapping[str, Any]]
    guardrails: Sequence[Mapping[str, Any]]
    is_new: bool


async def foresee(session: ReadSession, wish: ResourcesWish) -> list[Foreseen]:
    """Tell how each wish would be met now; nothing is kept.

    Raises:
        RoadbedError: a wish does not fit its type, no definition provides it, or it is being deleted.
    """
    where = EnvironmentKey(read_application(wish.environment.application), wish.environment.name)
    found = []
    for one in wish.resources:
        row = await repository.find_by_name(session, where, type_=one.type, name=one.id)
        check_not_deleting(row)
        wanted = Wanted(where, wish.environment_type, one.type, one.id, one.class_, dict(one.params))
        match = await match_wish(session, wanted, row)
        definition = match.definition
        found.append(
            Foreseen(
                class_=match.class_,
                definition=definition.ref,
                version=definition.version,
                why=match.why,
                guardrails=definition.guardrails,
                is_new=row is None,
            )
        )
    return found


async def ask_resources(session: WriteSession, actor: Actor, wish: ResourcesWish) -> RunSummary:
    """Start the run for a request that was checked; what is wrong with it is told at once.

    Raises:
        RoadbedError: those of `foresee`.
    """
    await foresee(session, wish)
    return await ensure_resources(session, actor, wish)


async def list_environments(session: ReadSession) -> list[Option]:
    """List the types of environment that a resource can be asked for in, in their order."""
    found = await list_entities(session, EntityFilter(kinds=("EnvironmentType",)))
    found.sort(key=lambda one: (one.spec.get("order", 0), one.ref.name))
    return [Option(one.ref.name, one.title or one.ref.name, one.description) for one in found]


async def list_applications(session: ReadSession, *, limit: int) -> list[tuple[str, str]]:
    """List refs and titles of what can have resources."""
    found = await list_entities(session, EntityFilter(kinds=_KINDS), limit=limit)
    return [(one.ref.shorten(), one.title or one.ref.name) for one in found]
