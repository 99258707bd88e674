"""What a group or a person owns: directly, and through the groups below."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from pyroaring import BitMap

from roadbed.catalog.errors import AccountUnknown, EntityInvalid
from roadbed.catalog.rules.graph import find_circles
from roadbed.catalog.rules.index.conditions import AllOf, HasValue
from roadbed.catalog.rules.index.entries import HEALTH, HELD, OWNER
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.relations import list_targets
from roadbed.catalog.rules.index.rows import TRUE
from roadbed.catalog.rules.ownership import owners_of, spread_down
from roadbed.catalog.service.entities import get_entity
from roadbed.catalog.service.index import CatalogIndex
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession
from roadbed.core.services import Services
from roadbed.kit.refs import EntityRef, parse_ref

MOST_GROUPS = 1000
OWNERS = ("Group", "User")


@dataclass(frozen=True)
class Counts:
    """How many there are, by kind and by reported health."""

    total: int
    kinds: Mapping[str, int]
    health: Mapping[str, int]


@dataclass(frozen=True)
class GroupShare:
    """A group at or below the one that is asked about: how far below, what it owns itself, who is in it."""

    ref: EntityRef
    title: str
    steps: int
    owned: int
    members: Sequence[str]
    is_found: bool


@dataclass(frozen=True)
class Ownership:
    """What an owner has: itself, and through the groups below it. `groups` begins with itself.

    `circles` are parents that lead back to where they began; each group counts once nevertheless.
    """

    groups: Sequence[GroupShare]
    direct: Counts
    inherited: Counts
    circles: Sequence[Sequence[str]]
    is_cut: bool


def explain_stranger(services: Services, actor: Actor) -> AccountUnknown | None:
    """Return why nothing can be somebody's own: the catalog knows them neither as a user, member nor owner."""
    index = services.get(CatalogIndex).index
    owners = owners_of(actor)
    if actor.groups or any(index.has(ref) or index.select(HasValue(OWNER, (ref,))) for ref in owners):
        return None
    linked = f"is linked to {owners[0]}, which the catalog does not have" if owners else "is not linked to a User"
    return AccountUnknown(
        f"Nothing in the catalog is yours: the account {actor.name} {linked}.",
        hint="Register a file with that User, or have an admin link the account to another one."
        if owners
        else "An admin links it to one.",
    )


def require_known(services: Services, actor: Actor) -> None:
    """Refuse to tell what is their own to those whom the catalog does not know.

    Raises:
        AccountUnknown: says why.
    """
    stranger = explain_stranger(services, actor)
    if stranger is not None:
        raise stranger


async def find_ownership(session: ReadSession, ref: EntityRef) -> Ownership:
    """Return what a group or a person owns.

    Raises:
        EntityNotFound: there is none.
        EntityInvalid: it is neither.
    """
    entity = await get_entity(session, ref)
    if entity.ref.kind not in OWNERS:
        raise EntityInvalid(f"{ref} is a {entity.ref.kind}, which owns nothing.", hint="Ask for a Group or a User.")
    index = session.services.get(CatalogIndex).index
    children: dict[str, list[str]] = {}

    def children_of(one: str) -> list[str]:
        children[one] = list_targets(index, one, "parentOf")
        return children[one]

    steps = spread_down(str(ref), children_of, limit=MOST_GROUPS + 1)
    is_cut = len(steps) > MOST_GROUPS
    refs = list(steps)[:MOST_GROUPS]
    owned = {one: _owned(index, (one,)) for one in refs}
    direct = owned[refs[0]]
    return Ownership(
        groups=[_share(index, one, steps[one], len(owned[one])) for one in refs],
        direct=_count(index, direct),
        inherited=_count(index, BitMap.union(*owned.values()) - direct),
        circles=find_circles({one: [target for target in children[one] if target in children] for one in children}),
        is_cut=is_cut,
    )


def _owned(index: Index, owners: tuple[str, ...]) -> BitMap:
    return index.select(AllOf((HasValue(HELD, (TRUE,)), HasValue(OWNER, owners))))


def _count(index: Index, numbers: BitMap) -> Counts:
    return Counts(len(numbers), _sorted(index.facet("kind", numbers)), _sorted(index.facet(HEALTH, numbers)))


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def _share(index: Index, ref: str, steps: int, owned: int) -> GroupShare:
    number = index.number_of(ref)
    record: Mapping[str, Any] = orjson.loads(index.record_of(number)) if number is not None else {}
    shown = parse_ref(ref)
    members = list_targets(index, ref, "hasMember")
    return GroupShare(shown, record.get("title") or shown.name, steps, owned, members, number is not None)
