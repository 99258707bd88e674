"""Documents of the kind `Kind`: which ones declare a kind, and what their entities must be."""

from typing import Any

import pytest
import yaml

from roadbed.catalog.rules.declarations import with_declared
from roadbed.catalog.rules.documents import Document, from_json, read_documents
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, Kinds
from roadbed.catalog.rules.kinds.kind import ICONS
from roadbed.catalog.rules.relations import derive_edges, find_owner
from roadbed.catalog.rules.validation import check
from roadbed.kit.refs import EntityRef
from tests.catalog.kinds import entity, kind
from tests.web.browser import ROOT

SCHEMA = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "format": "uri"},
        "service": {"type": "string"},
        "systems": {"type": "array", "items": {"type": "string"}},
        "step": {"$ref": "#/$defs/step"},
    },
    "additionalProperties": False,
    "$defs": {"step": {"type": "object", "properties": {"title": {"type": "string"}}, "additionalProperties": False}},
}
RELATIONS: list[dict[str, Any]] = [
    {"field": "service", "type": "documents", "inverse": "documentedBy", "kinds": ["Component"]},
    {"field": "systems", "type": "covers", "inverse": "coveredBy", "defaultKind": "System", "defaultNamespace": "shop"},
]


def documents(text: str) -> tuple[Document, ...]:
    reading = read_documents(text, file="kinds.yaml")
    assert not reading.problems
    return reading.documents


def runbooks() -> Kinds:
    declared = documents(kind("Runbook", SCHEMA, relations=RELATIONS, owned=True, icon="book"))
    assert check(declared[0]) == []
    return with_declared(BUILT_IN_KINDS, declared)


def test_declared_kind_judges_its_entities_by_line_and_near_miss() -> None:
    kinds = runbooks()
    sound, misspelt, wrong = documents(
        entity("Runbook", "a", url="https://x.example", owner="team", service="orders", systems=["shop"])
        + entity("Runbook", "b", url="https://x.example", servce="orders")
        + entity("Runbook", "c", url="no address", step={"titel": "x"})
    )
    assert check(sound, kinds) == []
    (problem,) = check(misspelt, kinds)
    assert (problem.line, problem.path) == (19, "spec.servce")
    assert problem.hint == "Did you mean service?"
    found = {one.path: one for one in check(wrong, kinds)}
    assert found.keys() == {"spec.url", "spec.step.titel"}
    assert found["spec.step.titel"].hint == "Did you mean title?"


@pytest.mark.parametrize(
    ("spec", "path", "reason"),
    [
        ({"service": ["orders"]}, "spec.service", "must be a text, not a list"),
        ({"service": "resource:db"}, "spec.service", "names only: Component"),
        ({"systems": "shop"}, "spec.systems", "must be a list"),
        ({"systems": ["/x"]}, "spec.systems[0]", "is not a reference"),
    ],
)
def test_fields_of_relations_hold_what_the_relation_says(spec: dict[str, Any], path: str, reason: str) -> None:
    (document,) = documents(entity("Runbook", "a", url="https://x.example", **spec))
    problem = next(one for one in check(document, runbooks()) if one.path == path)
    assert reason in problem.reason


def test_relations_follow_in_both_directions() -> None:
    definition = runbooks().find("runbook")
    assert definition is not None
    ref = EntityRef("Runbook", "default", "a")
    spec = {"owner": "team", "service": "orders", "systems": ["x"]}
    edges = {(edge.source, edge.type, edge.target) for edge in derive_edges(ref, definition, spec)}
    assert ("runbook:default/a", "documents", "component:default/orders") in edges
    assert ("component:default/orders", "documentedBy", "runbook:default/a") in edges
    assert ("runbook:default/a", "covers", "system:shop/x") in edges
    assert str(find_owner(ref, definition, spec)) == "group:default/team"
    assert runbooks().inverses["documentedBy"] == "documents"


@pytest.mark.parametrize(
    ("name", "more", "path", "reason"),
    [
        ("Component", {}, "metadata.name", "is a kind of Roadbed"),
        ("COMPONENT", {}, "metadata.name", "Component is a kind of Roadbed"),
        ("Kind", {}, "metadata.name", "Kind is a kind of Roadbed"),
        ("RUNBOOK", {}, "metadata.name", "only the case differs"),
        ("runbook", {}, "metadata.name", "cannot be the name of a kind"),
        ("Run-book", {}, "metadata.name", "cannot be the name of a kind"),
        ("Components", {}, "metadata.name", "taken by the kind Component"),
        ("Thing", {"plural": "runbook"}, "spec.plural", "taken by the kind Runbook"),
        ("Thing", {"plural": "components"}, "spec.plural", "taken by the kind Component"),
        ("Thing", {"icon": "skull"}, "spec.icon", "must be one of"),
        ("Thing", {"apiVersions": ["v1"]}, "spec.apiVersions[0]", "not the version of an API"),
        ("Thing", {"apiVersions": ["backstage.io/v1"]}, "spec.apiVersions[0]", "not yours"),
        ("Thing", {"apiVersions": ["x.roadbed.dev/v1"]}, "spec.apiVersions[0]", "not yours"),
        ("Thing", {"schema": {"type": "string"}}, "spec.schema", "must be one of an object"),
        ("Thing", {"schema": {"type": "object", "$ref": "http://x.example/"}}, "spec.schema.$ref", "lies outside"),
        ("Thing", {"shcema": {}}, "spec.shcema", "not a field"),
        ("Thing", {"relations": [RELATIONS[0]]}, "spec.relations[0].field", "no field service"),
    ],
)
def test_declaration_is_refused(name: str, more: dict[str, Any], path: str, reason: str) -> None:
    (document,) = documents(kind(name, **more))
    found = {problem.path: problem for problem in check(document, runbooks())}
    assert path in found
    assert reason in found[path].reason


@pytest.mark.parametrize(
    ("change", "path", "reason"),
    [
        ({"type": "memberOf"}, "spec.relations[0].type", "kept for groups"),
        ({"inverse": "ownerOf"}, "spec.relations[0].inverse", "kept for owners"),
        ({"type": "dependsOn"}, "spec.relations[0].type", "its way back is dependencyOf"),
        ({"inverse": "dependsOn"}, "spec.relations[0].inverse", "its way back is dependencyOf"),
        ({"kinds": ["Componnet"]}, "spec.relations[0].kinds[0]", "no kind Componnet"),
        ({"defaultKind": "System"}, "spec.relations[0].defaultKind", "not one of the kinds"),
        ({"defaultNamespace": "No Good"}, "spec.relations[0].defaultNamespace", "no namespace"),
        ({"field": "owner"}, "spec.relations[0].field", "has a relation already"),
        ({"type": "Documents"}, "spec.relations[0].type", "does not match"),
    ],
)
def test_relation_is_refused(change: dict[str, Any], path: str, reason: str) -> None:
    (document,) = documents(kind("Thing", SCHEMA, owned=True, relations=[RELATIONS[0] | change]))
    found = {problem.path: problem for problem in check(document)}
    assert path in found
    assert reason in found[path].reason


@pytest.mark.parametrize(
    ("computed", "path", "reason"),
    [
        ({"expression": "spec.ulr"}, "expression", 'There is no field "ulr"'),
        ({"expression": "size(spec.url)"}, "expression", "The result must be string"),
        ({"expression": "related.documnts.map(d, d.name)[0]"}, "expression", 'There is no field "documnts"'),
        ({"expression": "related.documents[0].nmae"}, "expression", 'There is no field "nmae"'),
        ({"expression": "'x' + " * 500 + "'x'"}, "expression", ""),
        (
            {"expression": "related.documents.map(a, related.documents.map(b, related.documents.map(c, c.name)))[0]"},
            "expression",
            "may be nested",
        ),
        ({"name": "url"}, "name", "is a field or computed property already"),
    ],
)
def test_computed_property_is_refused(computed: dict[str, Any], path: str, reason: str) -> None:
    good = {"name": "first", "type": "string", "expression": "spec.url"}
    declared = kind("Thing", SCHEMA, relations=RELATIONS, computed=[good | computed])
    found = {problem.path: problem for problem in check(documents(declared)[0])}
    assert f"spec.computed[0].{path}" in found
    assert reason in found[f"spec.computed[0].{path}"].reason


def test_layout_names_fields_that_are_there() -> None:
    page = {"sections": [{"title": "A", "fields": ["servce"]}], "columns": ["nothing"]}
    found = {problem.path: problem for problem in check(documents(kind("Thing", SCHEMA, page=page))[0])}
    assert found["spec.page.sections[0].fields[0]"].hint == "Did you mean service?"
    assert "spec.page.columns[0]" in found


def test_kinds_declared_together_hold_for_all_and_a_broken_one_for_none() -> None:
    text = entity("Thing", "a", text="x") + kind("Thing") + kind("Broken", {"type": "array"})
    kinds = with_declared(BUILT_IN_KINDS, documents(text))
    assert check(documents(text)[0], kinds) == []
    assert kinds.find("Thing") is not None
    assert kinds.find("Broken") is None


def test_uses_tell_declared_and_unknown_kinds_apart_from_built_in_ones() -> None:
    kinds = runbooks()
    uses = kinds.uses(["Runbook", "Component", "Nothing", 3, None, "not a kind"])
    definition = kinds.find("Runbook")
    assert definition is not None
    assert uses == {"runbook": definition.digest, "nothing": ""}


def test_kind_of_the_sample_is_sound() -> None:
    loaded = list(yaml.safe_load_all((ROOT / "examples" / "northmoor" / "databases.yaml").read_text()))
    kinds = with_declared(BUILT_IN_KINDS, map(from_json, loaded))
    assert [problem for document in loaded for problem in check(from_json(document), kinds)] == []


def test_every_icon_of_a_kind_is_in_the_sprite() -> None:
    listed = {line.split("#")[0].strip() for line in (ROOT / "tools" / "icons.txt").read_text().splitlines()}
    assert set(ICONS) <= listed
