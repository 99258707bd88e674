from typing import Any

import pytest

from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.rules.relations import derive_edges, find_cycles, find_owner
from roadbed.kit.refs import EntityRef

PAIRS = {
    ("ownedBy", "ownerOf"),
    ("providesApi", "apiProvidedBy"),
    ("consumesApi", "apiConsumedBy"),
    ("dependsOn", "dependencyOf"),
    ("parentOf", "childOf"),
    ("memberOf", "hasMember"),
    ("partOf", "hasPart"),
}


def edges_of(kind: str, spec: dict[str, Any], namespace: str = "default") -> set[tuple[str, str]]:
    definition = BUILT_IN_KINDS.find(kind)
    assert definition is not None
    ref = EntityRef(kind, namespace, "x")
    edges = derive_edges(ref, definition, spec)
    forward = {(edge.type, edge.target) for edge in edges if edge.source == str(ref)}
    backward = {(BUILT_IN_KINDS.inverses[edge.type], edge.source) for edge in edges if edge.target == str(ref)}
    assert forward == backward
    return forward


def test_the_seven_pairs_of_backstage_are_there() -> None:
    for name, inverse in PAIRS:
        assert BUILT_IN_KINDS.inverses[name] == inverse
        assert BUILT_IN_KINDS.inverses[inverse] == name


@pytest.mark.parametrize(
    ("kind", "spec", "expected"),
    [
        ("Component", {"owner": "team"}, {("ownedBy", "group:shop/team")}),
        ("Component", {"owner": "user:other/Ada"}, {("ownedBy", "user:other/ada")}),
        ("Component", {"system": "s"}, {("partOf", "system:shop/s")}),
        ("Component", {"subcomponentOf": "c"}, {("partOf", "component:shop/c")}),
        (
            "Component",
            {"providesApis": ["a", "other/b"]},
            {("providesApi", "api:shop/a"), ("providesApi", "api:other/b")},
        ),
        ("Component", {"consumesApis": ["a"]}, {("consumesApi", "api:shop/a")}),
        ("Component", {"dependsOn": ["resource:db"]}, {("dependsOn", "resource:shop/db")}),
        ("Component", {"dependencyOf": ["component:c"]}, {("dependencyOf", "component:shop/c")}),
        ("Resource", {"dependencyOf": ["component:c"]}, {("dependencyOf", "component:shop/c")}),
        ("System", {"domain": "d"}, {("partOf", "domain:shop/d")}),
        ("Domain", {"subdomainOf": "d"}, {("partOf", "domain:shop/d")}),
        ("Group", {"parent": "p", "children": ["c"]}, {("childOf", "group:shop/p"), ("parentOf", "group:shop/c")}),
        ("Group", {"members": ["ada"]}, {("hasMember", "user:shop/ada")}),
        ("User", {"memberOf": ["g"]}, {("memberOf", "group:shop/g")}),
        ("Template", {"owner": "team"}, {("ownedBy", "group:shop/team")}),
        ("AiResource", {"type": "plugin", "skills": ["s"]}, {("hasPart", "airesource:shop/s")}),
        ("AiResource", {"type": "rule", "skills": ["s"]}, set()),
        ("ResourceDefinition", {"type": "postgres"}, {("provides", "resourcetype:shop/postgres")}),
        ("Location", {"targets": ["./x.yaml"]}, set()),
    ],
)
def test_relations_follow_from_the_spec(kind: str, spec: dict[str, Any], expected: set[tuple[str, str]]) -> None:
    assert edges_of(kind, spec, "shop") == expected


def test_ref_listed_twice_gives_one_relation() -> None:
    assert len(edges_of("Component", {"dependsOn": ["component:c", "Component:default/C"]})) == 1


def test_owner_is_a_group_of_the_namespace_unless_said_otherwise() -> None:
    definition = BUILT_IN_KINDS.find("System")
    assert definition is not None
    owner = find_owner(EntityRef("System", "shop", "x"), definition, {"owner": "team"})
    assert str(owner) == "group:shop/team"
    assert find_owner(EntityRef("System", "shop", "x"), definition, {}) is None


def test_cycles_are_found_once_and_from_their_smallest_member() -> None:
    parents = {"b": "c", "c": "a", "a": "b", "d": "a", "e": "f", "g": "g"}
    assert find_cycles(parents) == [("a", "b", "c"), ("g",)]
