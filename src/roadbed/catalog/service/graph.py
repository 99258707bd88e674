"""What hangs together with an entity, and what is affected if it fails: walks over the index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from roadbed.catalog.errors import EntityNotFound, RelationUnknown
from roadbed.catalog.rules import graph as walks
from roadbed.catalog.rules.graph import Direction, Edge, Walk
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.relations import list_relations
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.suggestions import say_closest
from roadbed.catalog.service.entities import get_entity
from roadbed.catalog.service.index import CatalogIndex
from roadbed.core.db import ReadSession
from roadbed.kit.refs import EntityRef, parse_ref

MOST_NODES = 1000


@dataclass(frozen=True)
class Node:
    """An entity in a graph.

    `steps` are counted from the first one, negative for what depends on it; `via` is the one before on the way. An
    entity that is not in the catalog has its ref for a title.
    """

    ref: EntityRef
    title: str
    type: str | None
    owner: EntityRef | None
    owner_title: str | None
    health: str | None
    steps: int
    via: EntityRef | None
    is_found: bool
    is_cyclic: bool


@dataclass(frozen=True)
class EntityGraph:
    """Nodes, nearest first, the edges between them, and the circles that they form."""

    nodes: Sequence[Node]
    edges: Sequence[Edge]
    cycles: Sequence[Sequence[str]]
    is_cut: bool


async def find_graph(session: ReadSession, ref: EntityRef, wish: Walk) -> EntityGraph:
    """Return what is reached from an entity.

    Raises:
        EntityNotFound: it is not in the catalog.
        RelationUnknown: the walk names a relation that no kind has.
    """
    index, kinds = session.services.get(CatalogIndex).index, session.services.get(Kinds)
    if not index.has(str(ref)):
        await get_entity(session, ref)  # says which one is near
        raise EntityNotFound(f"{ref} is not in the index yet.", hint="Try again in a second.")
    for type_ in wish.relations:
        if type_ not in kinds.inverses:
            hint = say_closest(type_, kinds.inverses) or f"There are: {', '.join(sorted(kinds.inverses))}."
            raise RelationUnknown(f"No kind has a relation {type_}.", hint=hint)
    known: dict[str, list[tuple[str, str]]] = {}

    def relations_of(one: str) -> list[tuple[str, str]]:
        if one not in known:
            known[one] = list_relations(index, one)
        return known[one]

    found = walks.walk(str(ref), relations_of, wish, inverses=kinds.inverses)
    cyclic = {one for cycle in found.cycles for one in cycle}
    nodes = [
        _node(index, one, steps=steps, via=found.via.get(one), is_cyclic=one in cyclic)
        for one, steps in found.steps.items()
    ]
    return EntityGraph(nodes, found.edges, found.cycles, found.is_cut)


async def find_impact(
    session: ReadSession, ref: EntityRef, *, depth: int | None = None, limit: int = MOST_NODES
) -> EntityGraph:
    """Return what is affected if an entity fails: whatever depends on it, directly or through others.

    Raises:
        EntityNotFound: it is not in the catalog.
    """
    return await find_graph(session, ref, Walk(direction=Direction.DEPENDENTS, depth=depth, limit=limit))


def count_owners(nodes: Sequence[Node]) -> Mapping[EntityRef | None, int]:
    """Return how many of these each owner has, the most first; None stands for none."""
    counts: dict[EntityRef | None, int] = {}
    for node in nodes:
        counts[node.owner] = counts.get(node.owner, 0) + 1
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], str(pair[0]))))


def _node(index: Index, ref: str, *, steps: int, via: str | None, is_cyclic: bool) -> Node:
    number = index.number_of(ref)
    document: Mapping[str, Any] = orjson.loads(index.document_of(number)) if number is not None else {}
    record: Mapping[str, Any] = orjson.loads(index.record_of(number)) if number is not None else {}
    shown = EntityRef(document["kind"], *_names(document)) if document else parse_ref(ref)
    type_ = document.get("spec", {}).get("type")
    owner = record.get("owner")
    return Node(
        ref=shown,
        title=record.get("title") or shown.shorten(),
        type=type_ if isinstance(type_, str) else None,
        owner=parse_ref(owner) if owner else None,
        owner_title=_title(index, owner) if owner else None,
        health=record.get("health"),
        steps=steps,
        via=parse_ref(via) if via else None,
        is_found=number is not None,
        is_cyclic=is_cyclic,
    )


def _names(document: Mapping[str, Any]) -> tuple[str, str]:
    metadata = document["metadata"]
    return metadata.get("namespace") or "default", metadata["name"]


def _title(index: Index, ref: str) -> str | None:
    number = index.number_of(ref)
    return None if number is None else orjson.loads(index.record_of(number)).get("title")
