"""Computed properties over an index in memory: what they see of others, and where they end."""

from typing import Any

import pytest

from roadbed.catalog.rules.index.entries import Kept, make_piece, read_rows
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.kinds.computed import MAX_RELATED, ComputedProperty, ComputedType, evaluate
from roadbed.catalog.service.computing import MOST_BYTES, Graph
from roadbed.kit.clock import now
from roadbed.kit.jsons import digest, write_json

SPEC = {"type": "object", "properties": {"text": {"type": "string"}}}
RELATIONS = ["holds", "heldBy"]


def held(ref: str, *, relations: str = "", spec: dict[str, Any] | None = None) -> Kept:
    document = {
        "apiVersion": "example.com/v1",
        "kind": ref.partition(":")[0].capitalize(),
        "metadata": {"name": ref.partition("/")[2], "namespace": "default"},
        "spec": spec or {},
    }
    record = {"title": ref, "sort_key": ref, "owner": "group:default/a", "health": "healthy"}
    return Kept("1", ref, write_json(document), digest(document), record, relations)


def graph_of(count: int, **more: Any) -> Graph:
    refs = [f"part:default/p{number}" for number in range(count)]
    ends = "\n".join(f"holds {ref}" for ref in (*refs, "part:default/missing"))
    index = Index(read_rows)
    whole = held("whole:default/w", relations=ends)
    index.load(make_piece([whole, *(held(ref, **more) for ref in refs)], start=0))
    index.finish_loading()
    return Graph(index)


def value_of(graph: Graph, type_: ComputedType, expression: str) -> tuple[Any, str]:
    inputs = graph.inputs_of("whole:default/w", {"name": "w"}, {"text": "x"}, now=now())
    found = evaluate(ComputedProperty("p", type_, expression), inputs, spec=SPEC, relations=RELATIONS)
    return found.value, found.error


def test_only_entities_that_are_there_are_seen_with_what_is_known_of_them() -> None:
    graph = graph_of(2, spec={"type": "disk", "size": 3})
    assert value_of(graph, ComputedType.INTEGER, "size(related.holds)") == (2, "")
    assert value_of(graph, ComputedType.BOOLEAN, "related.holds.all(p, p.spec.size == 3)")[0] is True
    assert value_of(graph, ComputedType.BOOLEAN, "related.holds.all(p, p.type == 'disk')")[0] is True
    assert value_of(graph, ComputedType.STRING, "related.holds[0].owner")[0] == "group:default/a"
    assert value_of(graph, ComputedType.STRING, "related.holds[0].lifecycle") == (None, "")
    assert value_of(graph, ComputedType.STRINGS, "related.holds.map(p, p.health)")[0] == ["healthy", "healthy"]
    assert value_of(graph, ComputedType.INTEGER, "size(related.heldBy)") == (0, "")


@pytest.mark.parametrize(
    ("graph", "expression", "error"),
    [
        (graph_of(MAX_RELATED + 1), "size(related.holds)", f"{MAX_RELATED + 1} entities in related.holds"),
        (graph_of(3, spec={"text": "x" * MOST_BYTES}), "size(related.holds)", "too large together"),
        (
            graph_of(MAX_RELATED),
            "size(related.holds.filter(a, related.holds.exists(b, a.name + 'x' == b.name)))",
            "would take too long",
        ),
        (graph_of(1), "related.holds[5].name == '' ? 1 : 2", "no item 5"),
        (graph_of(1), "related.nothing.size()", 'There is no field "nothing"'),
        (graph_of(1), "1.5", "must be a whole number, and this is 1.5"),
        (graph_of(1), "related.holds[0].spec.size", 'There is no "size"'),
    ],
    ids=range(7),
)
def test_property_without_a_value_says_why(graph: Graph, expression: str, error: str) -> None:
    value, found = value_of(graph, ComputedType.INTEGER, expression)
    assert value is None
    assert error in found
