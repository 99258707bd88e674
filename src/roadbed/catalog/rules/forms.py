"""The form of an entity: from the schema of its kind to the questions, and from the answers back to a document."""

from collections.abc import Mapping
from typing import Any

from roadbed.catalog.rules.kinds import KindDefinition
from roadbed.catalog.rules.kinds.parts import Schema

ASKED_METADATA = ("name", "namespace", "title", "description", "tags")


def schema_of(definition: KindDefinition, *, is_new: bool) -> Schema:
    """Return the schema of an entity's form; what names it is asked only of a new one."""
    described = definition.published_schema["properties"]["metadata"]["properties"]
    names = ASKED_METADATA if is_new else ASKED_METADATA[2:]
    asked = {name: described[name] for name in names}
    if is_new:
        asked["namespace"] = {key: value for key, value in asked["namespace"].items() if key != "description"}
    metadata = {"type": "object", "title": "About", "properties": asked}
    required = {"required": ["name"]} if is_new else {}
    spec = {"type": "object", **definition.form, "title": definition.word}
    return {
        "type": "object",
        "required": ["metadata", "spec"],
        "properties": {"metadata": {**metadata, **required}, "spec": spec},
    }


def answers_of(document: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return the answers that an entity stands for."""
    asked = schema["properties"]["metadata"]["properties"]
    metadata = {name: value for name, value in document["metadata"].items() if name in asked}
    return {"metadata": metadata, "spec": document["spec"]}


def make_document(definition: KindDefinition, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return a new entity with these answers."""
    return {
        "apiVersion": definition.api_versions[0],
        "kind": definition.name,
        "metadata": dict(answers.get("metadata") or {}),
        "spec": dict(answers.get("spec") or {}),
    }


def change_document(document: Mapping[str, Any], answers: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Return an entity with these answers in place of its own; what was not asked stays."""
    parts = {
        name: _merge(document[name], answers.get(name) or {}, schema["properties"][name])
        for name in ("metadata", "spec")
    }
    return {"apiVersion": document["apiVersion"], "kind": document["kind"], **parts}


def _merge(before: Any, answers: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    asked = schema.get("properties") or {}
    held = before if isinstance(before, Mapping) else {}
    merged = {name: value for name, value in held.items() if name not in asked or name in answers}
    for name, answer in answers.items():
        declared = asked.get(name) or {}
        is_group = bool(declared.get("properties")) and isinstance(answer, Mapping)
        merged[name] = _merge(held.get(name), answer, declared) if is_group else answer
    return merged
