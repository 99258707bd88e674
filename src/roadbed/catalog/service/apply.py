"""Making the catalog equal to what was read from a location, in one transaction.

What is unchanged is not written. An entity that was found before and is not any more becomes an orphan, unless its
file could not be read well enough to say so. A ref that another location holds already stays with it, and the loser is
reported.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from roadbed.catalog.errors import KindsChanged
from roadbed.catalog.models import Entity, Location
from roadbed.catalog.repository import entities as entity_rows
from roadbed.catalog.repository import locations as location_rows
from roadbed.catalog.repository.entities import Held, RelationRow
from roadbed.catalog.repository.touches import add_touches
from roadbed.catalog.rules.harvest import Harvest, ReadEntity, ReadFile
from roadbed.catalog.rules.problems import Problem, ProblemCode
from roadbed.catalog.rules.relations import find_cycles
from roadbed.catalog.service.kinds import kinds_at
from roadbed.catalog.service.ledger import Ledger
from roadbed.catalog.service.views import columns_of, place_of, relation_rows
from roadbed.catalog.types import ChangeKind
from roadbed.core.actor import Actor
from roadbed.core.db import WriteSession
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.kit.jsons import embed_json


@dataclass(frozen=True)
class Applied:
    """What came of it."""

    created: int = 0
    updated: int = 0
    restored: int = 0
    orphaned: int = 0
    unchanged: int = 0
    errors: int = 0
    is_outdated: bool = False

    def describe(self) -> str:
        """Return the figures as one line, those that are zero left out."""
        if self.is_outdated:
            return "A newer reading was applied already."
        parts = [
            f"{count:,} {word}"
            for count, word in (
                (self.created, "new"),
                (self.updated, "changed"),
                (self.restored, "back again"),
                (self.orphaned, "gone"),
                (self.unchanged, "unchanged"),
                (self.errors, "error" if self.errors == 1 else "errors"),
            )
            if count
        ]
        return ", ".join(parts) or "No entities"


@dataclass
class _Plan:
    """What to write, sorted out before anything is written."""

    inserts: list[dict[str, Any]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    moves: list[dict[str, Any]] = field(default_factory=list)
    orphans: list[tuple[UUID, int]] = field(default_factory=list)
    origins: list[UUID] = field(default_factory=list)
    relations: list[RelationRow] = field(default_factory=list)
    conflicts: list[Problem] = field(default_factory=list)
    contested_files: set[str] = field(default_factory=set)
    unchanged: int = 0


async def apply_harvest(
    session: WriteSession, actor: Actor, location_id: UUID, harvest: Harvest, *, began_at: datetime, run_id: UUID | None
) -> Applied:
    """Make the entities of a location those of `harvest`.

    Args:
        session: the transaction; nothing of it is seen before all of it is.
        actor: who had it read.
        location_id: the location.
        harvest: what was read.
        began_at: when reading began; a reading that began before the one applied last is dropped.
        run_id: the run that read.

    Raises:
        KindsChanged: it was checked against other kinds than those in force; it is to be read again.
    """
    ledger = await Ledger.open(session, actor, location_id=location_id, revision=harvest.revision, run_id=run_id)
    location = await location_rows.lock_location(session, location_id)
    if location is None or (location.read_at is not None and location.read_at >= began_at):
        return Applied(is_outdated=True)
    plan = await _plan(session, ledger, location_id, harvest)
    await _write(session, plan)
    await _require_same_kinds(session, harvest)
    await _write_files(session, location_id, harvest, plan)
    problems = [*plan.conflicts, *(problem for file in harvest.files for problem in file.problems)]
    problems += [*harvest.problems, *await _find_cycles(session, location_id)]
    await _write_errors(session, location_id, harvest, problems)
    if location.read_at is None or location.error is not None:
        await add_touches(session, [location.entity_ref])
    _mark(location, harvest, began_at)
    await session.flush()
    await ledger.close(subject=f"location:{location_id}")
    return Applied(
        created=ledger.count(ChangeKind.CREATED),
        updated=ledger.count(ChangeKind.UPDATED),
        restored=ledger.count(ChangeKind.RESTORED),
        orphaned=ledger.count(ChangeKind.ORPHANED),
        unchanged=plan.unchanged,
        errors=(await location_rows.count_errors(session, [location_id])).get(location_id, 0),
    )


async def _plan(session: WriteSession, ledger: Ledger, location_id: UUID, harvest: Harvest) -> _Plan:
    plan = _Plan()
    found = _choose(harvest.files, plan)
    mine = {row.ref: row for row in await entity_rows.list_held(session, location_id)}
    files = {file.path: file for file in harvest.files}
    others = {row.ref: row for row in await entity_rows.list_by_refs(session, found.keys() - mine.keys())}
    for ref, entity in found.items():
        other = others.get(ref)
        if other is not None and other.orphaned_at is None:
            plan.conflicts.append(_conflict(entity, other))
            plan.contested_files.add(entity.file)
            continue
        if _stands_elsewhere(mine.get(ref), entity, files):
            plan.contested_files.add(entity.file)
            continue
        _plan_entity(plan, ledger, entity, mine.get(ref) or other)
    gone = _find_gone(plan, mine, found.keys(), files)
    for row in await entity_rows.list_by_refs(session, gone):
        position = ledger.add(
            ChangeKind.ORPHANED, entity_id=row.id, ref=row.ref, digest=row.digest, document=row.document
        )
        plan.orphans.append((row.id, position))
    return plan


def _choose(files: Iterable[ReadFile], plan: _Plan) -> dict[str, ReadEntity]:
    """Return the entities of all files that were parsed; of two with one ref the first file's stays."""
    found: dict[str, ReadEntity] = {}
    for file in files:
        for entity in file.entities or ():
            first = found.setdefault(str(entity.ref), entity)
            if first is not entity:
                plan.conflicts.append(_conflict_in_location(entity, first))
                plan.contested_files.add(entity.file)
    return found


def _stands_elsewhere(row: Held | None, entity: ReadEntity, files: Mapping[str, ReadFile]) -> bool:
    """Tell whether another file of the location, which is unchanged and so was not parsed again, has it already."""
    if row is None or row.orphaned_at is not None or row.file == entity.file:
        return False
    other = files.get(row.file)
    return other is not None and other.entities is None


def _plan_entity(plan: _Plan, ledger: Ledger, entity: ReadEntity, row: Entity | Held | None) -> None:
    if row is None:
        entity_id = new_id()
        change = ChangeKind.CREATED
    else:
        entity_id = row.id
        if row.digest == entity.digest and row.orphaned_at is None and row.location_id == ledger.location_id:
            plan.unchanged += 1
            if (row.file, row.line, row.end_line) != (entity.file, entity.line, entity.end_line):
                plan.moves.append({"id": row.id, **place_of(entity)})
            return
        change = ChangeKind.UPDATED if row.orphaned_at is None else ChangeKind.RESTORED
    position = ledger.add(
        change, entity_id=entity_id, ref=str(entity.ref), digest=entity.digest, document=embed_json(entity.written)
    )
    values = {
        "id": entity_id,
        **columns_of(entity),
        "location_id": ledger.location_id,
        "is_built_in": False,
        "updated_at": now(),
        "orphaned_at": None,
        "position": position,
    }
    if row is None:
        plan.inserts.append({**values, "created_at": values["updated_at"]})
    else:
        plan.updates.append(values)
        plan.origins.append(entity_id)
    plan.relations += relation_rows(entity_id, entity)


def _find_gone(plan: _Plan, mine: Mapping[str, Held], found: Iterable[str], files: Mapping[str, ReadFile]) -> list[str]:
    """Return the refs that were held and are not there any more."""
    gone = []
    for ref in sorted(mine.keys() - set(found)):
        file = files.get(mine[ref].file)
        if file is not None and (file.entities is None or file.has_unknown_faults or ref in file.faulty_refs):
            plan.unchanged += 1  # the last good state stays while its file is faulty
        elif mine[ref].orphaned_at is None:
            gone.append(ref)
    return gone


async def _write(session: WriteSession, plan: _Plan) -> None:
    await entity_rows.add_entities(session, plan.inserts)
    await entity_rows.update_entities(session, plan.updates)
    await entity_rows.update_entities(session, plan.moves)
    await entity_rows.orphan_entities(session, plan.orphans, at=now())
    await entity_rows.replace_relations(session, plan.origins, plan.relations)


async def _require_same_kinds(session: WriteSession, harvest: Harvest) -> None:
    """Take only what was checked against the kinds at this position, with those that the harvest itself brings."""
    if harvest.kinds and (await kinds_at(session)).uses(harvest.kinds) != harvest.kinds:
        raise KindsChanged("Kinds have changed while the location was read.", hint="Read it again.")


async def _write_files(session: WriteSession, location_id: UUID, harvest: Harvest, plan: _Plan) -> None:
    known = {row.path for row in await location_rows.list_files(session, location_id)}
    await location_rows.delete_files(session, location_id, known - {file.path for file in harvest.files})
    await location_rows.put_files(
        session,
        [
            {
                "location_id": location_id,
                "path": file.path,
                # A contested file is parsed again each time, so that it takes over when the other one gives way.
                "digest": "" if file.path in plan.contested_files else file.digest,
                "includes": dict(file.includes),
                "kinds": dict(file.kinds),
            }
            for file in harvest.files
            if file.entities is not None
        ],
    )


async def _write_errors(session: WriteSession, location_id: UUID, harvest: Harvest, problems: list[Problem]) -> None:
    before = await location_rows.list_errors(session, location_id, limit=100_000)
    gone = {row.file for row in before} - {file.path for file in harvest.files if file.entities is None}
    refs = [*(error.ref for error in before), *(problem.ref for problem in problems)]
    await add_touches(session, filter(None, refs))
    await location_rows.delete_errors(session, location_id, files=gone, codes=(ProblemCode.CYCLE, ProblemCode.TARGET))
    await location_rows.add_errors(
        session,
        [
            {
                "id": new_id(),
                "location_id": location_id,
                "code": problem.code,
                "severity": problem.severity,
                "file": problem.file,
                "line": problem.line,
                "column": problem.column,
                "path": problem.path,
                "reason": problem.reason,
                "hint": problem.hint,
                "ref": problem.ref,
                "at": now(),
            }
            for problem in problems
        ],
    )


async def _find_cycles(session: WriteSession, location_id: UUID) -> list[Problem]:
    """Report the groups of this location that are, through their parents, above themselves."""
    problems = []
    for cycle in find_cycles(await entity_rows.list_parents(session)):
        for row in await entity_rows.list_by_refs(session, cycle):
            if row.location_id == location_id and row.orphaned_at is None:
                reason = f"The parents of {row.ref} lead back to it: {' → '.join((*cycle, cycle[0]))}."
                hint = "Remove one of these parents. Until then nothing is inherited along the circle."
                problems.append(
                    Problem(row.file, row.line, 1, "spec.parent", reason, hint, ref=row.ref, code=ProblemCode.CYCLE)
                )
    return problems


def _mark(location: Location, harvest: Harvest, began_at: datetime) -> None:
    location.read_at = began_at
    location.checked_at = now()
    location.fingerprint = harvest.fingerprint
    location.revision = harvest.revision
    location.error = None
    location.missing_count = 0


def _conflict(entity: ReadEntity, holder: Entity) -> Problem:
    managed_by = (holder.document["metadata"].get("annotations") or {}).get("backstage.io/managed-by-location")
    place = f"{managed_by}, line {holder.line}" if managed_by else "the API"
    if holder.is_built_in:
        place = "Roadbed itself"
    return Problem(
        entity.file,
        entity.line,
        1,
        "metadata.name",
        f"{entity.ref} exists already, from {place}. The first one stays.",
        "Rename this one, or remove the other.",
        ref=str(entity.ref),
        code=ProblemCode.CONFLICT,
    )


def _conflict_in_location(entity: ReadEntity, first: ReadEntity) -> Problem:
    return Problem(
        entity.file,
        entity.line,
        1,
        "metadata.name",
        f"{entity.ref} exists already in {first.file}, line {first.line}. The first one stays.",
        "Rename this one, or remove the other.",
        ref=str(entity.ref),
        code=ProblemCode.CONFLICT,
    )
