"""Changing the owner or the lifecycle of many entities: what would be done to which, and the run that does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.access import KIND_WRITE
from roadbed.catalog.errors import BulkInvalid
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.service.editing.origins import Origin, find_origins, may_propose
from roadbed.catalog.service.entities import get_entity, list_by_refs
from roadbed.catalog.service.listing import count_entities, list_entities
from roadbed.catalog.types import LONGEST_VALUE, MOST_CHANGED, Changeable, EntityFilter, EntitySummary
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref
from roadbed.kit.text import plural
from roadbed.runs.contract import RunPlan, RunSummary, StepPlan, start_run
from roadbed.scm.contract import Repository

BULK = "catalog.bulk"
CHANGE_KEPT = "catalog.change_kept"
CHANGE_FILES = "catalog.change_files"


@dataclass(frozen=True)
class Wish:
    """What to set: the text as it is written, and for an owner the ref that it stands for."""

    field: Changeable
    value: str
    owner: EntityRef | None = None

    def write(self, entity: EntityRef) -> str:
        """Return the value as it is written in the document of an entity."""
        if self.owner is None:
            return self.value
        return self.owner.shorten(default_kind="Group", default_namespace=entity.namespace)

    def is_met(self, entity: EntitySummary) -> bool:
        if self.owner is not None:
            return entity.owner == self.owner
        return bool(entity.lifecycle == self.value)


@dataclass(frozen=True)
class RepositoryPart:
    """The entities of one repository: they are changed by one change request."""

    repository: Repository
    branch: str
    entities: tuple[tuple[EntitySummary, str], ...]

    @property
    def files(self) -> list[str]:
        return sorted({file for _, file in self.entities})


@dataclass(frozen=True)
class BulkPlan:
    """Which entities are changed how, and which are not and why."""

    wish: Wish
    kept: tuple[EntitySummary, ...]
    repositories: tuple[RepositoryPart, ...]
    refused: tuple[tuple[EntityRef, str], ...]
    unchanged: tuple[EntitySummary, ...]

    @property
    def count(self) -> int:
        """How many would be changed."""
        return len(self.kept) + sum(len(part.entities) for part in self.repositories)

    @property
    def refs(self) -> list[str]:
        """All that would be changed."""
        found = [*self.kept, *(entity for part in self.repositories for entity, _ in part.entities)]
        return [str(entity.ref) for entity in found]


async def read_wish(session: ReadSession, field: Changeable, value: str) -> Wish:
    """Return what is to be set, once it is known to make sense.

    Raises:
        BulkInvalid: it is empty, too long, or no owner.
        EntityNotFound: there is no such owner; with the closest name.
    """
    text = value.strip()
    if not text or len(text) > LONGEST_VALUE or not text.isprintable():
        raise BulkInvalid(f"The {field} has 1 to {LONGEST_VALUE} characters.", hint="Give one.")
    if field is Changeable.LIFECYCLE:
        return Wish(field, text)
    try:
        owner = parse_ref(text, default_kind="Group")
    except InvalidRef as error:
        raise BulkInvalid(f"{text!r} is no owner: {error}.", hint="Write a group such as team-checkout.") from error
    if owner.kind.lower() not in ("group", "user"):
        raise BulkInvalid(f"{owner} cannot own anything.", hint="Choose a group or a user.")
    return Wish(field, text, (await get_entity(session, owner)).ref)


async def select_refs(session: ReadSession, refs: Sequence[str]) -> tuple[list[EntitySummary], list[EntityRef]]:
    """Return the entities that are named, and the refs of those that there are not.

    Raises:
        BulkInvalid: there are too many, or something is no ref.
    """
    if len(refs) > MOST_CHANGED:
        raise _too_many(len(refs))
    try:
        wanted = list(dict.fromkeys(parse_ref(ref) for ref in refs))
    except InvalidRef as error:
        raise BulkInvalid(f"{error}.", hint="Write refs like component:default/orders.") from error
    found = await list_by_refs(session, wanted)
    return [found[ref] for ref in wanted if ref in found], [ref for ref in wanted if ref not in found]


async def select_matching(session: ReadSession, wanted: EntityFilter) -> list[EntitySummary]:
    """Return the entities that match.

    Raises:
        BulkInvalid: there are too many.
    """
    count = count_entities(session, wanted)
    if count > MOST_CHANGED:
        raise _too_many(count)
    return await list_entities(session, wanted, limit=MOST_CHANGED)


async def plan_bulk(
    session: ReadSession,
    actor: Actor,
    wish: Wish,
    entities: Sequence[EntitySummary],
    *,
    missing: Sequence[EntityRef] = (),
) -> BulkPlan:
    """Return what would be done; nothing is changed."""
    kept: list[EntitySummary] = []
    refused: list[tuple[EntityRef, str]] = [(ref, "There is no such entity.") for ref in missing]
    unchanged: list[EntitySummary] = []
    parts: dict[tuple[str, str], list[tuple[EntitySummary, str]]] = {}
    repositories: dict[tuple[str, str], Repository] = {}
    for entity, origin in zip(entities, await find_origins(session, entities), strict=True):
        reason = _find_reason(session, actor, wish, entity, origin)
        if reason:
            refused.append((entity.ref, reason))
        elif wish.is_met(entity):
            unchanged.append(entity)
        elif not entity.is_managed:
            kept.append(entity)
        else:
            repository = origin.require()
            key = (str(repository.id), origin.branch)
            repositories[key] = repository
            parts.setdefault(key, []).append((entity, origin.file))
    found = [RepositoryPart(repositories[key], key[1], tuple(items)) for key, items in parts.items()]
    found.sort(key=lambda part: (part.repository.full_name, part.branch))
    return BulkPlan(wish, tuple(kept), tuple(found), tuple(refused), tuple(unchanged))


async def start_bulk(session: WriteSession, actor: Actor, plan: BulkPlan, *, message: str = "") -> RunSummary:
    """Start the run that does it: a step for all that the catalog keeps, and one a repository.

    Raises:
        BulkInvalid: there is nothing to do.
    """
    if not plan.count:
        raise BulkInvalid("None of these entities would be changed.", hint="See why, at each of them.")
    wish = plan.wish
    steps = []
    if plan.kept:
        title = f"Change {plural(len(plan.kept), 'entity', 'entities')} that the catalog keeps"
        inputs: dict[str, Any] = {"refs": [str(entity.ref) for entity in plan.kept]}
        steps.append(StepPlan("kept", title, CHANGE_KEPT, inputs))
    for number, part in enumerate(plan.repositories, 1):
        items = [[str(entity.ref), file] for entity, file in part.entities]
        inputs = {"repository_id": str(part.repository.id), "branch": part.branch, "items": items}
        title = f"Change request in {part.repository.full_name}"
        steps.append(StepPlan(f"repository-{number}", title, CHANGE_FILES, inputs))
    value = wish.write(EntityRef("", "default", ""))
    return await start_run(
        session,
        actor,
        RunPlan(
            kind=BULK,
            title=f"Set the {wish.field} of {plural(plan.count, 'entity', 'entities')} to {value}",
            steps=steps,
            subject="catalog",
            inputs={"field": wish.field.value, "value": wish.value, "message": message[:10_000]},
        ),
    )


def _find_reason(session: ReadSession, actor: Actor, wish: Wish, entity: EntitySummary, origin: Origin) -> str:
    """Return why an entity cannot be changed; empty when it can."""
    definition = session.services.get(Kinds).find(entity.ref.kind)
    if definition is None or wish.field not in definition.field_names:
        return f"{entity.ref.kind} has no {wish.field}."
    if entity.is_managed:
        if not origin.is_writable:
            return origin.reason
        return "" if may_propose(session.services, actor) else "You may not write to repositories."
    is_kind = entity.ref.kind == KIND.name
    if is_kind and not session.services.get(DeciderService).has(actor, KIND_WRITE):
        return f"You may not change kinds: it needs {KIND_WRITE.name}."
    return "It is an orphan: its location no longer holds it." if entity.orphaned_at is not None else ""


def _too_many(count: int) -> BulkInvalid:
    return BulkInvalid(
        f"These are {count:,} entities; at most {MOST_CHANGED} are changed at once.", hint="Filter further."
    )
