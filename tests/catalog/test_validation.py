from typing import Any

import pytest

from roadbed.catalog.rules.documents import from_json, read_documents
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.validation import check

COMPONENT = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: orders
spec:
  type: service
  lifecycle: production
  owner: checkout
"""


def problems_of(text: str) -> list[Problem]:
    reading = read_documents(text, file="catalog-info.yaml")
    assert not reading.problems
    return [problem for document in reading.documents for problem in check(document)]


def only_problem(text: str) -> Problem:
    problems = problems_of(text)
    assert len(problems) == 1, problems
    return problems[0]


def test_sound_component_has_no_problems() -> None:
    assert problems_of(COMPONENT) == []


def test_misspelt_field_is_named_where_it_stands() -> None:
    problem = only_problem(COMPONENT.replace("lifecycle", "lifecyle"))
    assert (problem.line, problem.column) == (7, 3)
    assert problem.reason == "spec.lifecycle is missing."
    assert problem.hint == "There is lifecyle: did you mean lifecycle?"


def test_misspelt_optional_field_is_warned_about() -> None:
    problem = only_problem(COMPONENT + "  dependOn: ['resource:db']\n")
    assert not problem.is_error
    assert problem.hint == "Did you mean dependsOn?"
    assert problem.line == 9


def test_unknown_field_that_resembles_nothing_is_accepted() -> None:
    assert problems_of(COMPONENT + "  costCentre: 4711\n") == []


@pytest.mark.parametrize(
    ("change", "path", "reason", "hint"),
    [
        (
            ("kind: Component", "kind: component"),
            "kind",
            "There is no kind component.",
            "Write Component; case counts.",
        ),
        (("kind: Component", "kind: Componnet"), "kind", "There is no kind Componnet.", "Did you mean Component?"),
        (
            ("v1alpha1", "v2"),
            "apiVersion",
            "backstage.io/v2 is not supported",
            "Write apiVersion: backstage.io/v1alpha1",
        ),
        (("owner: checkout", "owner: ''"), "spec.owner", "spec.owner is empty.", "Give it a value"),
        (("type: service", "type: 5"), "spec.type", "must be a text, not the number 5", 'Put it in quotes: "5".'),
        (("  name: orders", "  name: my orders"), "metadata.name", "is 'my orders'", "letters and digits"),
        (("spec:", "sepc: {}\nspec:"), "sepc", "sepc is not a field of an entity.", "There could be"),
        (("spec:", "stats: {}\nspec:"), "stats", "stats is not a field of an entity.", "Did you mean status?"),
        (("  owner: checkout", "  owner: a/"), "spec.owner", "'a/' is not a reference.", "kind:namespace/name"),
        (
            ("  owner: checkout", "  owner: checkout\n  dependsOn: [db]"),
            "spec.dependsOn[0]",
            "does not say which kind",
            "component:db or resource:db",
        ),
        (("  name: orders", "  name: orders\n  labels: {rank: 5}"), "metadata.labels.rank", "must be a text", '"5"'),
        (("  name: orders", "  name: orders\n  tags: [Up]"), "metadata.tags[0]", "is 'Up'", "lower-case"),
        (("  name: orders", "  name: orders\n  links: [{url: x}]"), "metadata.links[0].url", "is 'x'", "full URL"),
    ],
)
def test_fault_is_named_with_its_field_and_the_way_out(
    change: tuple[str, str], path: str, reason: str, hint: str
) -> None:
    problem = only_problem(COMPONENT.replace(*change))
    assert problem.is_error
    assert problem.path == path
    assert reason in problem.reason
    assert hint in problem.hint
    assert problem.line > 0


def test_api_needs_a_definition_unless_it_is_an_mcp_server() -> None:
    api = COMPONENT.replace("Component", "API").replace("type: service", "type: openapi")
    assert only_problem(api).reason == "spec.definition is missing."
    assert problems_of(api + "  definition: text\n") == []
    server = api.replace("openapi", "mcp-server")
    assert only_problem(server).reason == "spec needs one of: remotes, definition."
    assert problems_of(server + "  remotes: [{type: sse, url: 'https://x'}]\n") == []
    assert only_problem(server + "  remotes: []\n").path == "spec.remotes"


@pytest.mark.parametrize("version", ["backstage.io/v1alpha1", "backstage.io/v1beta2"])
def test_old_template_is_refused_with_what_to_change(version: str) -> None:
    problem = only_problem(f"apiVersion: {version}\nkind: Template\nmetadata: {{name: t}}\nspec: {{}}\n")
    assert "not supported, only of scaffolder.backstage.io/v1beta3" in problem.reason
    assert "Set apiVersion to scaffolder.backstage.io/v1beta3" in problem.hint


def test_ai_resource_is_checked_by_its_type() -> None:
    rule = COMPONENT.replace("Component", "AiResource").replace("type: service", "type: rule")
    assert {problem.path for problem in problems_of(rule)} == {"spec.category", "spec.rationale"}
    assert problems_of(rule + "  category: security\n  rationale: Because.\n") == []
    assert problems_of(rule.replace("type: rule", "type: prompt")) == []


def roadbed(kind: str, spec: str) -> str:
    return f"apiVersion: roadbed.dev/v1\nkind: {kind}\nmetadata: {{name: x}}\nspec:\n  {spec}\n"


def test_closed_kind_refuses_unknown_fields() -> None:
    problem = only_problem(roadbed("EnvironmentType", "{order: 1, runtime: process, ordr: 2}"))
    assert problem.reason == "ordr is not a field of spec."
    assert problems_of(roadbed("EnvironmentType", "{order: 1, runtime: process, x-note: 2}")) == []


def test_value_that_is_not_offered_gets_the_nearest() -> None:
    problem = only_problem(roadbed("EnvironmentType", "{order: 1, runtime: kubernets}"))
    assert problem.hint == "Did you mean kubernetes?"


def test_pipeline_step_does_one_thing() -> None:
    stage = "{version: '1', stages: [{id: test, steps: [%s]}]}"
    assert problems_of(roadbed("Pipeline", stage % "{make: test}")) == []
    assert "needs one of: make, uses" in only_problem(roadbed("Pipeline", stage % "{name: x}")).reason
    assert "several forms" in only_problem(roadbed("Pipeline", stage % "{make: test, uses: scan}")).reason


def test_resource_type_holds_sound_schemas() -> None:
    spec = "{version: '1', parameters: {type: objekt}, outputs: {type: object}}"
    assert "spec.parameters is not a JSON Schema" in only_problem(roadbed("ResourceType", spec)).reason


def test_document_that_is_no_entity_is_said_to_be_none() -> None:
    assert "neither apiVersion nor kind" in only_problem("site_name: docs\n").reason


@pytest.mark.parametrize("data", [None, 7, "text", [], {}, {"kind": "API"}, {"kind": [], "apiVersion": {}}])
def test_anything_that_is_json_gets_an_answer(data: Any) -> None:
    assert any(problem.is_error for problem in check(from_json(data)))


@pytest.mark.parametrize("definition", list(BUILT_IN_KINDS), ids=lambda definition: definition.name)
def test_published_schema_accepts_what_validation_accepts(definition: Any) -> None:
    assert definition.published_schema["properties"]["metadata"]["properties"]["name"]["pattern"]
    assert definition.schema["properties"]["kind"]["enum"] == [definition.name]
    assert definition.description.endswith(".")


@pytest.mark.parametrize(
    ("placeholder", "reason", "hint"),
    [
        ("$openapi", "which Roadbed does not know", "Roadbed fills $text, $json and $yaml"),
        ("$text", "which is filled only while a location is read", "Write the text itself"),
    ],
)
def test_placeholder_that_is_not_filled_is_named(placeholder: str, reason: str, hint: str) -> None:
    api = COMPONENT.replace("Component", "API").replace("type: service", "type: openapi")
    problem = only_problem(f"{api}  definition:\n    {placeholder}: ./openapi.yaml\n")
    assert problem.reason == f"spec.definition holds the placeholder {placeholder}, {reason}; it must be a text."
    assert hint in problem.hint
    assert problem.line == 10
