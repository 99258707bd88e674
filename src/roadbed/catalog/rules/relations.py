"""The relations that follow from what entities declare, in both directions, and the owner of an entity."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from roadbed.catalog.rules.documents import Document
from roadbed.catalog.rules.kinds import KindDefinition, Relation
from roadbed.catalog.rules.problems import Path, Problem, write_path
from roadbed.kit.refs import EntityRef, InvalidRef, parse_ref


class Edge(NamedTuple):
    """A relation between two refs, each in its identity form. The target need not exist."""

    source: str
    type: str
    target: str


def derive_edges(ref: EntityRef, definition: KindDefinition, spec: Mapping[str, Any]) -> frozenset[Edge]:
    """Return all edges that an entity declares, each with its way back. Its refs are known to be sound."""
    edges = set()
    source = str(ref)
    for _, relation, found in list_targets(ref, definition, spec):
        target = str(found)
        edges.add(Edge(source, relation.type, target))
        edges.add(Edge(target, relation.inverse, source))
    return frozenset(edges)


def find_owner(ref: EntityRef, definition: KindDefinition, spec: Mapping[str, Any]) -> EntityRef | None:
    """Return the ref of the declared owner; a plain name is a group of the same namespace."""
    owners = (target for _, relation, target in list_targets(ref, definition, spec) if relation.type == "ownedBy")
    return next(owners, None)


def check_refs(document: Document, ref: EntityRef, definition: KindDefinition) -> list[Problem]:
    """Report the fields that should hold refs and do not."""
    problems = []
    for path, relation, text in _texts(definition, document.data["spec"]):
        try:
            found = _parse(text, relation, ref)
        except InvalidRef:
            problems.append(document.problem(path, *_explain(text, relation)))
            continue
        if relation.kinds and found.kind.lower() not in map(str.lower, relation.kinds):
            reason = f"{text!r} names a {found.kind}, and {write_path(path)} names only: {', '.join(relation.kinds)}."
            problems.append(document.problem(path, reason))
    return problems


def find_cycles(parents: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Return the cycles among child → parent, each from its smallest member and each once."""
    cycles: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in sorted(parents):
        walk: list[str] = []
        node: str | None = start
        while node is not None and node not in done and node not in walk:
            walk.append(node)
            node = parents.get(node)
        if node is not None and node in walk:
            cycle = walk[walk.index(node) :]
            smallest = cycle.index(min(cycle))
            cycles.append((*cycle[smallest:], *cycle[:smallest]))
        done.update(walk)
    return cycles


def list_targets(
    ref: EntityRef, definition: KindDefinition, spec: Mapping[str, Any]
) -> Iterator[tuple[Path, Relation, EntityRef]]:
    """Yield what an entity refers to: from where in it, by which relation, to what. Its refs are known to be sound."""
    for path, relation, text in _texts(definition, spec):
        yield path, relation, _parse(text, relation, ref)


def _parse(text: str, relation: Relation, ref: EntityRef) -> EntityRef:
    namespace = relation.default_namespace or ref.namespace
    return parse_ref(text, default_kind=relation.default_kind, default_namespace=namespace)


def _texts(definition: KindDefinition, spec: Mapping[str, Any]) -> Iterator[tuple[Path, Relation, str]]:
    for relation in definition.relations:
        if relation.only_type is not None and spec.get("type") != relation.only_type:
            continue
        value = spec.get(relation.field)
        if isinstance(value, str):
            yield ("spec", relation.field), relation, value
        elif isinstance(value, list):
            yield from (
                (("spec", relation.field, index), relation, text)
                for index, text in enumerate(value)
                if isinstance(text, str)
            )


def _explain(text: str, relation: Relation) -> tuple[str, str]:
    if relation.default_kind is None and ":" not in text:
        kinds = relation.kinds or ("component", "resource")
        examples = " or ".join(f"{kind.lower()}:{text}" for kind in kinds[:2])
        return f"{text!r} does not say which kind it is.", f"Write the kind in front: {examples}."
    return f"{text!r} is not a reference.", "Write kind:namespace/name, for example group:default/checkout."
