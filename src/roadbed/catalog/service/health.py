"""The health of an entity beside that of what it depends on and of its parts, out of the index."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from roadbed.catalog.rules.health import HealthView, Rolled, Rollup, roll_up, say_dependencies, say_health, say_parts
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.relations import list_relations
from roadbed.catalog.rules.words import health_of
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.statuses import list_statuses
from roadbed.catalog.types import CHECKABLE_KINDS, Status
from roadbed.core.db import ReadSession
from roadbed.kit.refs import EntityRef, parse_ref


async def find_health(session: ReadSession, ref: EntityRef) -> HealthView:
    """Return the health of an entity, that of what hangs on it, and what both were decided by."""
    index = session.services.get(CatalogIndex).index
    found = roll_up(str(ref), lambda one: list_relations(index, one), lambda one: _state_of(index, one))
    worst = [parse_ref(rollup.worst) for rollup in found if rollup.worst]
    statuses = await list_statuses(session, [ref, *worst])
    reported = {one: health_of(known) for one, known in statuses.items()}
    dependencies, parts = (
        _roll(index, rollup, say, reported) for rollup, say in zip(found, (say_dependencies, say_parts), strict=True)
    )
    own = reported[ref]
    return HealthView(
        own=own,
        dependencies=dependencies,
        parts=parts,
        summary=say_health(
            own.state if own else None,
            is_checkable=ref.kind in CHECKABLE_KINDS,
            clauses=[(rolled.rollup, rolled.sentence) for rolled in (dependencies, parts)],
        ),
    )


def _roll(
    index: Index, rollup: Rollup, say: Callable[[Rollup, str], str], reported: Mapping[EntityRef, Status | None]
) -> Rolled:
    path = [(parse_ref(ref), _title_of(index, ref)) for ref in rollup.path]
    status = reported.get(path[-1][0]) if path else None
    return Rolled(rollup, say(rollup, path[-1][1] if path else ""), status, path)


def _record_of(index: Index, ref: str) -> Mapping[str, Any]:
    number = index.number_of(ref)
    record: Mapping[str, Any] = orjson.loads(index.record_of(number)) if number is not None else {}
    return record


def _state_of(index: Index, ref: str) -> str | None:
    state: str | None = _record_of(index, ref).get("health")
    return state


def _title_of(index: Index, ref: str) -> str:
    return _record_of(index, ref).get("title") or parse_ref(ref).shorten()
