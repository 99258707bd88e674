"""What the published @backstage/catalog-model says of an input, Roadbed says too.

The facts come from a file outside the repository; where it is absent these tests are skipped and say so.
"""

import copy
import itertools
import json
import os
import re
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from roadbed.catalog.rules import formats, sources, validation
from roadbed.catalog.rules.documents import from_json
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.rules.kinds.envelope import ENTITY
from roadbed.kit.refs import InvalidRef, parse_ref

SHARED = Path(os.environ.get("ROADBED_SHARED", Path(__file__).parents[2] / ".." / "shared"))
FACTS = SHARED / "conformance" / "catalog-model.json"
REASON = f"{FACTS} is not there; set ROADBED_SHARED"

ANY_KIND = jsonschema_rs.Draft202012Validator(ENTITY)
PRIMITIVES: dict[str, Callable[[Any], bool]] = {
    "JsonSafe": formats.is_json_safe,
    "DnsSubdomain": formats.is_dns_subdomain,
    "DnsLabel": formats.is_dns_label,
    "Tag": formats.is_tag,
    "Url": formats.is_valid_url,
    "NonEmptyString": formats.is_non_empty_string,
    "ApiVersion": formats.is_api_version,
    "Kind": formats.is_kind,
    "ObjectName": formats.is_object_name,
    "Namespace": formats.is_namespace,
    "LabelKey": formats.is_label_key,
    "LabelValue": formats.is_label_value,
    "AnnotationKey": formats.is_annotation_key,
    "AnnotationValue": formats.is_annotation_value,
}


def load(section: str, *, but: Collection[str] = ()) -> list[Any]:
    """Return the cases of a section; `but` names functions that Roadbed has no use for."""
    if not FACTS.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason=REASON))]
    cases = []
    for number, case in enumerate(json.loads(FACTS.read_text())[section]):
        if (case.get("fn") or case.get("validator")) in but:
            continue
        marks = (
            [pytest.mark.skip(reason="JavaScript value that JSON does not have")] if "$type" in json.dumps(case) else []
        )
        name = f"{number}-{case.get('case') or case.get('fn') or case.get('field')}"
        cases.append(pytest.param(case, id=re.sub(r"[^\w-]+", "_", name), marks=marks))
    return cases


@pytest.mark.parametrize("case", load("primitives"))
def test_primitive_is_judged_as_in_backstage(case: dict[str, Any]) -> None:
    assert PRIMITIVES[case["field"]](case["value"]) is case["valid"]


@pytest.mark.parametrize("case", load("entityRefs"))
def test_entity_ref_is_read_as_in_backstage(case: dict[str, Any]) -> None:
    context = case["context"] or {}
    defaults = {"default_kind": context.get("defaultKind"), "default_namespace": context.get("defaultNamespace")}
    if case["fn"] == "parseEntityRef" and not case["valid"]:
        with pytest.raises(InvalidRef) as raised:
            parse_ref(case["input"], **defaults)
        assert str(raised.value) == case["error"]
        return
    ref = parse_ref(case["input"], **defaults)
    if case["fn"] == "parseEntityRef":
        assert {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name} == case["result"]
    else:
        assert str(ref) == case["result"]


@pytest.mark.parametrize("case", load("locationRefs", but={"stringifyLocationRef", "getEntitySourceLocation"}))
def test_location_ref_is_read_as_in_backstage(case: dict[str, Any]) -> None:
    if case["valid"]:
        ref = sources.parse_location_ref(case["input"])
        assert {"type": ref.type, "target": ref.target} == case["result"]
    else:
        with pytest.raises(sources.InvalidLocationRef) as raised:
            sources.parse_location_ref(case["input"])
        assert str(raised.value) == case["error"]


@pytest.mark.parametrize("case", load("kindConditions"))
def test_kind_is_recognised_without_regard_to_case(case: dict[str, Any]) -> None:
    kind = case["fn"].removeprefix("is").removesuffix("Entity")
    definition = BUILT_IN_KINDS.find(case["input"]["kind"])
    assert definition is not None
    assert (definition.name.lower() == kind.lower()) is case["result"]


def apply(base: Any, changes: list[dict[str, Any]]) -> Any:
    """Make the changes of a case: a field is a path such as `metadata.labels["a.b"]` or `links[0].url`."""
    entity = copy.deepcopy(base)
    for change in changes:
        parts = [
            int(index) if index else quoted or plain
            for plain, index, quoted in re.findall(r'([^.\[\]"]+)(?![^\[]*\])|\[(\d+)\]|\["([^"]+)"\]', change["field"])
        ]
        if not parts:
            return change["value"]
        node = entity
        for part, following in itertools.pairwise(parts):
            if isinstance(node, dict) and part not in node:
                node[part] = [] if isinstance(following, int) else {}
            node = node[part]
        put(node, parts[-1], change["value"])
    return entity


def put(node: Any, key: str | int, value: Any) -> None:
    if value == "<absent>":
        node.pop(key, None) if isinstance(node, dict) else node.pop(key)
    elif isinstance(node, list) and key == len(node):
        node.append(value)
    else:
        node[key] = value


def judge(validator: str, entity: Any) -> tuple[str, Any]:
    """Return the outcome and the resulting entity."""
    document = from_json(entity)
    result: Any = entity
    problems: list[Any] | None = []
    match validator.removesuffix(".enforce").removesuffix(".check"):
        case "DefaultNamespaceEntityPolicy":
            result = validation.with_default_namespace(entity)
        case "NoForeignRootFieldsEntityPolicy":
            found = validation.check(document)
            problems = [problem for problem in found if "is not a field of an entity" in problem.reason]
        case "FieldFormatEntityPolicy":
            problems = validation.check_formats(document)
        case "SchemaValidEntityPolicy" | "entitySchemaValidator":
            problems = list(ANY_KIND.iter_errors(entity))
        case "entityEnvelopeSchemaValidator":
            problems = validation.check_envelope(document)
        case "entityKindSchemaValidator":
            definition = BUILT_IN_KINDS.find("Component")
            assert definition is not None
            problems = validation.check_kind(document, definition)
        case kind_validator:
            definition = BUILT_IN_KINDS.find(kind_validator.removesuffix("EntityV1alpha1Validator"))
            assert definition is not None
            problems = validation.check_kind(document, definition)
    outcome = "not-applicable" if problems is None else "rejected" if problems else "accepted"
    return outcome, result


@pytest.mark.parametrize("case", load("entities", but={"GroupDefaultParentEntityPolicy.enforce"}))
def test_entity_is_judged_as_in_backstage(case: dict[str, Any]) -> None:
    bases = json.loads(FACTS.read_text())["bases"]
    entity = apply(bases[f"{case['source']}|{case['validator']}"], case["changes"])
    outcome, result = judge(case["validator"], entity)
    if case.get("result") is False:  # the generic kind validator says so where another kind is meant
        assert outcome == "not-applicable"
        return
    assert outcome == case["outcome"]
    if "result" in case:
        assert result == case["result"]
