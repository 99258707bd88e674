"""Use cases of single entities: find, list, validate, put, delete."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from roadbed.catalog.access import KIND_WRITE
from roadbed.catalog.errors import EntityHidden, EntityInvalid, EntityManaged, EntityNotFound
from roadbed.catalog.models import Entity
from roadbed.catalog.repository import entities as rows
from roadbed.catalog.repository.locations import delete_own_errors
from roadbed.catalog.rules.declarations import with_declared
from roadbed.catalog.rules.documents import Document, Reading
from roadbed.catalog.rules.harvest import ReadEntity, make_entity
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.declared import is_declaration
from roadbed.catalog.rules.problems import Problem, Severity
from roadbed.catalog.rules.relations import find_owner
from roadbed.catalog.rules.suggestions import find_closest, say_or
from roadbed.catalog.rules.validation import check, find_definition, find_ref
from roadbed.catalog.service.index import sees
from roadbed.catalog.service.kinds import kinds_at, require_unused
from roadbed.catalog.service.ledger import Ledger
from roadbed.catalog.service.listing import list_names, list_near
from roadbed.catalog.service.views import columns_of, relation_rows, summarise
from roadbed.catalog.types import AnnotatedEntity, ChangeKind, EntitySummary
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor, ActorKind
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.etags import Condition
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.jsons import embed_json
from roadbed.kit.refs import EntityRef, ref_of

_MOST_OWNERS = 20


@dataclass(frozen=True)
class PutEntity:
    """What putting did to one entity; `change` is None when it was the same already."""

    ref: EntityRef
    change: ChangeKind | None


async def find_entity(session: ReadSession, ref: EntityRef) -> EntitySummary | None:
    row = await rows.find_entity(session, str(ref))
    return summarise(row) if row and sees(session, row.ref) else None


async def get_entity(session: ReadSession, ref: EntityRef) -> EntitySummary:
    """Return an entity.

    Raises:
        EntityNotFound: with the closest name of its kind, if one is near.
    """
    found = await find_entity(session, ref)
    if found is None:
        raise not_found(session, ref)
    return found


async def list_by_refs(session: ReadSession, refs: Iterable[EntityRef]) -> dict[EntityRef, EntitySummary]:
    """Return those of these entities that exist."""
    found = await rows.list_by_refs(session, {str(ref) for ref in refs})
    return {entity.ref: entity for entity in map(summarise, found) if sees(session, str(entity.ref))}


async def list_annotated(session: ReadSession, annotation: str, refs: Iterable[str]) -> list[AnnotatedEntity]:
    """Return those of these entities that have an annotation, with its value."""
    return await rows.list_annotated(session, annotation, [ref for ref in refs if sees(session, ref)])


async def list_targets(session: ReadSession, ref: EntityRef, type_: str) -> list[str]:
    """Return the refs that an entity is related to by one type of relation."""
    return await rows.list_targets(session, source=str(ref), type_=type_)


async def find_groups(session: ReadSession, entity_ref: str) -> frozenset[str]:
    """Return the refs of the groups that a user belongs to, directly or through groups above them."""
    return frozenset(await rows.list_groups(session, entity_ref.lower()))


async def find_title(session: ReadSession, entity_ref: str) -> str | None:
    """Return what an entity is called; None when there is none."""
    row = await rows.find_entity(session, entity_ref.lower())
    return row.title if row else None


def validate(reading: Reading, kinds: Kinds) -> list[Problem]:
    """Return everything that is wrong with what was read, in the order of the file; kinds it declares count."""
    kinds = with_declared(kinds, reading.documents)
    problems = list(reading.problems)
    for document in reading.documents:
        ref = find_ref(document)
        problems += [replace(problem, ref=str(ref) if ref else "") for problem in check(document, kinds)]
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


async def warn_of_owners(session: ReadSession, reading: Reading, kinds: Kinds) -> list[Problem]:
    """Point at owners that neither are in the catalog nor among what was read, and are like one that is."""
    kinds = with_declared(kinds, reading.documents)
    owners: list[tuple[Document, EntityRef]] = []
    given: set[str] = set()
    for document in reading.documents:
        if any(problem.is_error for problem in check(document, kinds)):
            continue
        definition, ref = find_definition(document, kinds), ref_of(document.data)
        assert not isinstance(definition, Problem)
        given.add(str(ref))
        if (owner := find_owner(ref, definition, document.data["spec"])) is not None:
            owners.append((document, owner))
    held = {row.ref for row in await rows.list_by_refs(session, {str(owner) for _, owner in owners})}
    missing = list(dict.fromkeys(owner for _, owner in owners if str(owner) not in held | given))
    near = {owner: list_near(session, owner, limit=3) for owner in missing[:_MOST_OWNERS]}
    return [_warn_of_owner(document, owner, near[owner]) for document, owner in owners if near.get(owner)]


def _warn_of_owner(document: Document, owner: EntityRef, near: Sequence[str]) -> Problem:
    problem = document.problem(("spec", "owner"), f"There is no {owner} yet.", f"Did you mean {say_or(near)}?")
    return replace(problem, severity=Severity.WARNING, ref=str(ref_of(document.data)))


async def put_entities(
    session: WriteSession, actor: Actor, reading: Reading, *, condition: Condition | None = None
) -> list[PutEntity]:
    """Put entities over the API: all of them, or none.

    Raises:
        EntityInvalid: something is wrong with one of them.
        EntityManaged: one of them is read from a location, or built in.
        Forbidden: one of them defines a kind, and the actor may not.
        PreconditionFailed: `condition` knows another state of the one entity that is given.
    """
    if any(is_declaration(document.data) for document in reading.documents):
        _require_definer(session, actor)
    ledger = await Ledger.open(session, actor)
    entities = await _read_all(session, reading)
    held = await _find_held(session, entities)
    if condition is not None:
        _require(condition, entities, held)
    for entity in entities:
        if (row := held.get(str(entity.ref))) is not None:
            _refuse_managed(row, "changed")
    return await _put_all(session, ledger, entities, held, is_built_in=False)


async def put_back(
    session: WriteSession, actor: Actor, document: Document, *, uid: UUID, condition: Condition | None
) -> ChangeKind | None:
    """Put an entity as it was once, under its old uid when it is gone; None when it is the same already.

    Raises:
        EntityInvalid: the kinds in force do not accept it any more.
        EntityManaged: it is read from a location now, or built in.
        Forbidden: it defines a kind, and the actor may not.
        PreconditionFailed: `condition` knows another state of it.
    """
    if is_declaration(document.data):
        _require_definer(session, actor)
    ledger = await Ledger.open(session, actor)
    (entity,) = await _read_all(session, Reading((document,), ()))
    row = await rows.find_entity(session, str(entity.ref))
    if condition is not None:
        condition.require(row.digest if row else None, what=str(entity.ref))
    if row is not None:
        _refuse_managed(row, "changed")
    change = await _put(session, ledger, entity, row, is_built_in=False, gone_uid=uid)
    await session.flush()
    await ledger.close(subject=str(entity.ref))
    return change


async def put_built_in(session: WriteSession, actor: Actor, reading: Reading) -> list[PutEntity]:
    """Put entities that come with Roadbed. From then on nobody else changes them; what had their names gives way.

    Raises:
        EntityInvalid: something is wrong with one of them.
    """
    ledger = await Ledger.open(session, actor)
    entities = await _read_all(session, reading)
    held = await _find_held(session, entities)
    return await _put_all(session, ledger, entities, held, is_built_in=True)


async def delete_entity(
    session: WriteSession, actor: Actor, ref: EntityRef, *, condition: Condition | None = None
) -> None:
    """Delete an entity that was put over the API, or an orphan.

    Raises:
        EntityNotFound: there is none.
        EntityManaged: it is read from a location, or built in, and would come back.
        KindInUse: it defines a kind that has entities.
        PreconditionFailed: `condition` knows another state of it.
    """
    ledger = await Ledger.open(session, actor)
    row = await rows.find_entity(session, str(ref))
    if row is None or not sees(session, row.ref):
        raise not_found(session, ref)
    if condition is not None:
        condition.require(row.digest, what=row.ref)
    _refuse_managed(row, "deleted")
    if is_declaration(row.document):
        _require_definer(session, actor)
    await require_unused(session, [row.ref])
    await remove_rows(session, ledger, [row])
    await ledger.close(subject=str(ref))


async def remove_rows(session: WriteSession, ledger: Ledger, gone: Sequence[Entity]) -> None:
    """Delete entities and note it in the ledger."""
    for row in gone:
        ledger.add(ChangeKind.DELETED, entity_id=row.id, ref=row.ref, digest=row.digest, document=row.document)
    await rows.delete_entities(session, [row.id for row in gone])
    await delete_own_errors(session, [row.ref for row in gone])


def _require_definer(session: WriteSession, actor: Actor) -> None:
    if actor.kind is not ActorKind.SYSTEM:
        session.services.get(DeciderService).require(actor, KIND_WRITE)


def _require(condition: Condition, entities: Sequence[ReadEntity], held: Mapping[str, Entity]) -> None:
    if len(entities) != 1:
        raise EntityInvalid(
            f"If-Match is for one entity, and {len(entities)} are given.", hint="Send each in a request of its own."
        )
    ref = str(entities[0].ref)
    row = held.get(ref)
    condition.require(row.digest if row else None, what=ref)


def find_managed(row: Entity, done: str) -> EntityManaged | None:
    """Return why an entity is not to be changed or deleted here; None when it is."""
    if row.is_built_in:
        return EntityManaged(
            f"{row.ref} is a part of Roadbed, so it cannot be {done}.", hint="Put one of your own under another name."
        )
    if row.location_id is not None and row.orphaned_at is None:
        return EntityManaged(
            f"{row.ref} is read from {row.file}, line {row.line}, so it is {done} there.",
            hint="Change the file, or remove its location first.",
        )
    return None


def _refuse_managed(row: Entity, done: str) -> None:
    if (refusal := find_managed(row, done)) is not None:
        raise refusal


async def _read_all(session: WriteSession, reading: Reading) -> list[ReadEntity]:
    """Return what was read as entities, checked against the kinds of the position that the write has taken."""
    kinds = with_declared(await kinds_at(session), reading.documents)
    problems = [problem for problem in validate(reading, kinds) if problem.is_error]
    if problems or not reading.documents:
        raise _invalid(problems)
    return [_read(document, kinds) for document in reading.documents]


async def _find_held(session: WriteSession, entities: Sequence[ReadEntity]) -> dict[str, Entity]:
    found = await rows.list_by_refs(session, {str(entity.ref) for entity in entities})
    for row in found:
        if not sees(session, row.ref):
            raise EntityHidden(
                f"There is a {row.ref} already, which you may not see.", hint="Choose another name, or ask its owner."
            )
    return {row.ref: row for row in found}


async def _put_all(
    session: WriteSession,
    ledger: Ledger,
    entities: Sequence[ReadEntity],
    held: Mapping[str, Entity],
    *,
    is_built_in: bool,
) -> list[PutEntity]:
    results = [
        PutEntity(entity.ref, await _put(session, ledger, entity, held.get(str(entity.ref)), is_built_in=is_built_in))
        for entity in entities
    ]
    await delete_own_errors(session, [str(entity.ref) for entity in entities])
    await session.flush()
    await ledger.close(subject=str(entities[0].ref) if len(entities) == 1 else "catalog")
    return results


async def _put(
    session: WriteSession,
    ledger: Ledger,
    entity: ReadEntity,
    row: Entity | None,
    *,
    is_built_in: bool,
    gone_uid: UUID | None = None,
) -> ChangeKind | None:
    """Put one entity; `gone_uid` is that of one which comes back."""
    if row is not None and (row.digest, row.orphaned_at, row.is_built_in) == (entity.digest, None, is_built_in):
        return None
    new = ChangeKind.RESTORED if gone_uid else ChangeKind.CREATED
    change = new if row is None else ChangeKind.UPDATED
    entity_id = (gone_uid or new_id()) if row is None else row.id
    position = ledger.add(
        change, entity_id=entity_id, ref=str(entity.ref), digest=entity.digest, document=embed_json(entity.written)
    )
    values: dict[str, Any] = {
        "id": entity_id,
        **columns_of(entity),
        "location_id": None,
        "is_built_in": is_built_in,
        "updated_at": now(),
        "orphaned_at": None,
        "position": position,
    }
    if row is None:
        await rows.add_entities(session, [{**values, "created_at": values["updated_at"]}])
    else:
        await rows.update_entities(session, [values])
    await rows.replace_relations(session, [entity_id], relation_rows(entity_id, entity))
    return change


def _read(document: Document, kinds: Kinds) -> ReadEntity:
    definition = find_definition(document, kinds)
    assert not isinstance(definition, Problem)
    return replace(make_entity(document, definition, origin={}), file="", line=0, end_line=0)


def _invalid(problems: list[Problem]) -> EntityInvalid:
    if not problems:
        return EntityInvalid("Nothing was given.", hint="Send one or more entities as YAML or JSON.")
    return EntityInvalid(
        f"{problems[0].reason} {problems[0].hint}".strip(),
        hint=None if len(problems) == 1 else f"There are {len(problems) - 1} more problems.",
        problems=[problem.as_dict() for problem in problems],
    )


def not_found(session: ReadSession, ref: EntityRef) -> EntityNotFound:
    """Return the error for an entity that is not there, with the closest name."""
    closest = find_closest(ref.name, list_names(session, ref.kind))
    hint = f"Did you mean {ref.kind.lower()}:{ref.namespace}/{closest[0]}?" if closest else None
    return EntityNotFound(f"There is no {ref} in the catalog.", hint=hint)
