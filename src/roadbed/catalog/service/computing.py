"""Computed properties of entities, worked out when they are looked at, from the index: no value is ever out of date.

A page shows those of many entities, so that all of them together have a time limit; what is beyond it says so.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.computed import MAX_RELATED, ComputedInputs, ComputedValue, evaluate
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.types import EntitySummary
from roadbed.core.db import ReadSession
from roadbed.core.expressions import ExpressionFailed
from roadbed.kit.clock import now
from roadbed.kit.refs import EntityRef

MOST_SECONDS = 1.0
MOST_BYTES = 2 * 1024 * 1024


def compute(
    session: ReadSession, entities: Sequence[EntitySummary], definition: KindDefinition, *, names: Iterable[str] = ()
) -> list[dict[str, ComputedValue]]:
    """Return the computed properties of entities of a kind by name, those of each entity in its place.

    Args:
        session: of the reader.
        entities: all of the kind.
        definition: of the kind.
        names: only these properties; all when empty.
    """
    chosen = set(names)
    wanted = [one for one in definition.computed if not chosen or one.name in chosen]
    if not wanted:
        return [{} for _ in entities]
    services = session.services
    relations = list(services.get(Kinds).inverses)
    graph = Graph(services.get(CatalogIndex).index)
    began, moment = time.monotonic(), now()
    found: list[dict[str, ComputedValue]] = []
    for entity in entities:
        values: dict[str, ComputedValue] = {}
        inputs = graph.inputs_of(str(entity.ref), entity.document["metadata"], entity.spec, now=moment)
        for one in wanted:
            if time.monotonic() - began > MOST_SECONDS:
                values[one.name] = ComputedValue(one, error="Not worked out: the others on this page took too long.")
            else:
                values[one.name] = evaluate(one, inputs, spec=definition.form, relations=relations)
        found.append(values)
    return found


def compute_named(
    session: ReadSession, entities: Sequence[EntitySummary], names: Collection[str]
) -> dict[EntityRef, Mapping[str, ComputedValue]]:
    """Return the computed properties of these names, of entities of any kinds; a kind that has none is left out."""
    found: dict[EntityRef, Mapping[str, ComputedValue]] = {}
    for definition in session.services.get(Kinds):
        if any(one.name in names for one in definition.computed):
            mine = [entity for entity in entities if entity.ref.kind.lower() == definition.name.lower()]
            values = compute(session, mine, definition, names=names)
            found |= {entity.ref: value for entity, value in zip(mine, values, strict=True)}
    return found


@dataclass
class Graph:
    """Entities and what they are related to, as the index has them; each is read once."""

    index: Index
    _ends: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def inputs_of(
        self, ref: str, metadata: Mapping[str, Any], spec: Mapping[str, Any], *, now: datetime
    ) -> ComputedInputs:
        related: dict[str, list[str]] = {}
        held = self.index.find(ref)
        for relation in orjson.loads(held)["relations"] if held else ():
            related.setdefault(relation["type"], []).append(relation["targetRef"])
        return ComputedInputs(
            metadata=metadata,
            spec=spec,
            now=now,
            list_related=lambda type_: list(self._read(type_, related.get(type_, ()))),
        )

    def _read(self, type_: str, refs: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        numbers = [number for ref in refs if (number := self.index.number_of(ref)) is not None]
        if len(numbers) > MAX_RELATED:
            raise ExpressionFailed(
                f"It has {len(numbers):,} entities in related.{type_}; at most {MAX_RELATED} are looked at."
            )
        if sum(len(self.index.document_of(number)) for number in numbers) > MOST_BYTES:
            raise ExpressionFailed(f"The entities in related.{type_} are too large together.")
        for number in numbers:
            ref = self.index.ref_of(number)
            if ref not in self._ends:
                self._ends[ref] = _describe(
                    ref, orjson.loads(self.index.document_of(number)), orjson.loads(self.index.record_of(number))
                )
            yield self._ends[ref]


def _describe(ref: str, document: Mapping[str, Any], record: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an entity as an expression sees it at the other end of a relation."""
    metadata, spec = document["metadata"], document.get("spec") or {}
    return {
        "ref": ref,
        "kind": document["kind"],
        "namespace": metadata.get("namespace") or "default",
        "name": metadata["name"],
        "title": record.get("title") or metadata["name"],
        "type": _text(spec.get("type")),
        "lifecycle": _text(spec.get("lifecycle")),
        "owner": record.get("owner"),
        "health": record.get("health"),
        "metadata": metadata,
        "spec": spec,
    }


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
