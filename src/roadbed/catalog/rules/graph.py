"""Walking along relations: what is reached from an entity, in how many steps, and where the way leads in a circle.

What an entity depends on lies downwards (`DEPENDENCIES`), what depends on it upwards. A walk goes one way only: what
else depends on a database that is used is no neighbour of the one who uses it.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Relations = Iterable[tuple[str, str]]
"""(type, target ref) of each relation."""

DEPENDENCIES = ("dependsOn", "consumesApi", "apiProvidedBy")
"""The relations from what fails to what it would fail with."""


class Direction(StrEnum):
    DEPENDENCIES = "dependencies"
    DEPENDENTS = "dependents"
    BOTH = "both"


@dataclass(frozen=True)
class Walk:
    """How to walk.

    Args:
        direction: along the relations, against them, or both.
        relations: their types, as they point from an entity to what it needs.
        depth: most steps; None has no end.
        limit: most nodes, the first included.
        kinds: kinds to walk through, in lower case; all when empty.
    """

    direction: Direction = Direction.BOTH
    relations: tuple[str, ...] = DEPENDENCIES
    depth: int | None = 2
    limit: int = 200
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Edge:
    """A relation between two nodes; `is_cyclic` when it leads back to where it came from, through others or not."""

    source: str
    type: str
    target: str
    is_cyclic: bool = False


@dataclass
class Graph:
    """What was reached: ref → steps, negative against the relations; through which node; and all edges between them.

    `is_cut` says that there was more than the limit let in.
    """

    root: str
    steps: dict[str, int]
    via: dict[str, str]
    edges: list[Edge] = field(default_factory=list)
    cycles: list[list[str]] = field(default_factory=list)
    is_cut: bool = False


def walk(root: str, relations_of: Callable[[str], Relations], wish: Walk, *, inverses: Mapping[str, str]) -> Graph:
    """Walk from an entity along its relations, nearest first.

    Args:
        root: its ref.
        relations_of: gives the relations of a ref; nothing for one that is not there.
        wish: how.
        inverses: each type's way back.
    """
    graph = Graph(root, {root: 0}, {})
    types = {}
    if wish.direction is not Direction.DEPENDENCIES:
        types[-1] = frozenset(inverses[type_] for type_ in wish.relations if type_ in inverses)
    if wish.direction is not Direction.DEPENDENTS:
        types[1] = frozenset(wish.relations)
    _spread(graph, relations_of, wish, types)
    edges = _edges_between(graph.steps.keys(), relations_of, frozenset(wish.relations), inverses)
    graph.cycles = find_circles({source: [edge.target for edge in out] for source, out in edges.items()})
    place = {ref: number for number, circle in enumerate(graph.cycles) for ref in circle}
    graph.edges = [
        Edge(edge.source, edge.type, edge.target, place.get(edge.source, -1) == place.get(edge.target, -2))
        for out in edges.values()
        for edge in out
    ]
    return graph


def _spread(
    graph: Graph, relations_of: Callable[[str], Relations], wish: Walk, types: Mapping[int, Collection[str]]
) -> None:
    """Fill in what is reached; `types` are those to follow, by the sign of the steps."""
    waiting = deque((graph.root, sign, 0) for sign in types)
    seen = {(graph.root, sign) for sign in types}
    while waiting:
        ref, sign, steps = waiting.popleft()
        if steps == wish.depth:
            continue
        for target in sorted({target for type_, target in relations_of(ref) if type_ in types[sign]}):
            if (target, sign) in seen or (wish.kinds and target.partition(":")[0] not in wish.kinds):
                continue
            seen.add((target, sign))
            if target not in graph.steps:
                if len(graph.steps) >= wish.limit:
                    graph.is_cut = True
                    return
                graph.steps[target] = sign * (steps + 1)
                graph.via[target] = ref
            waiting.append((target, sign, steps + 1))


def _edges_between(
    refs: Collection[str], relations_of: Callable[[str], Relations], types: Collection[str], inverses: Mapping[str, str]
) -> dict[str, list[Edge]]:
    """Return all edges among these, by their source; those of what is not there are known by its neighbours."""
    back = {inverses[type_]: type_ for type_ in types if type_ in inverses}
    found: set[tuple[str, str, str]] = set()
    for ref in refs:
        for type_, target in relations_of(ref):
            if target not in refs:
                continue
            if type_ in types:
                found.add((ref, type_, target))
            elif type_ in back:
                found.add((target, back[type_], ref))
    edges: dict[str, list[Edge]] = {ref: [] for ref in refs}
    for source, type_, target in sorted(found):
        edges[source].append(Edge(source, type_, target))
    return edges


def find_circles(targets: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the sets of nodes that all reach one another, each sorted (Tarjan's algorithm, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    held: list[str] = []
    on_stack: set[str] = set()
    circles: list[list[str]] = []
    for start in targets:
        if start in order:
            continue
        work = [(start, iter(targets[start]))]
        order[start] = low[start] = len(order)
        held.append(start)
        on_stack.add(start)
        while work:
            node, rest = work[-1]
            following = next((target for target in rest if target not in order or target in on_stack), None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == order[node]:
                    circle = _take_circle(held, on_stack, node)
                    if len(circle) > 1 or node in targets[node]:
                        circles.append(sorted(circle))
            elif following in order:
                low[node] = min(low[node], order[following])
            else:
                order[following] = low[following] = len(order)
                held.append(following)
                on_stack.add(following)
                work.append((following, iter(targets[following])))
    return sorted(circles)


def _take_circle(held: list[str], on_stack: set[str], node: str) -> list[str]:
    circle = []
    while True:
        taken = held.pop()
        on_stack.discard(taken)
        circle.append(taken)
        if taken == node:
            return circle
