"""The form of an entity: from the schema of its kind to the questions, and from the answers back to a document."""

from collections.abc import Mapping
from typing import Any

from roadbed.catalog.rules.kinds import KindDefinition
from roadbed.catalog.rules.kinds.parts import Schema
from roadbed.catalog.rules.placeholders import has_placeholder

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


def leave_out_placeholders(schema: Schema, document: Mapping[str, Any]) -> Schema:
    """Return the questions without those whose answer in a file stands in another file: they are answered there.

    With them go the rules between questions: what is wrong with the whole is said when the file is read.
    """
    spec = schema["properties"]["spec"]
    filled = {name for name, value in document["spec"].items() if isinstance(value, dict | list)}
    filled = {name for name in filled if has_placeholder(document["spec"][name])}
    if not filled:
        return schema
    asked = {name: question for name, question in (spec.get("properties") or {}).items() if name not in filled}
    needed = [name for name in spec.get("required") or () if name not in filled]
    kept = {name: spec[name] for name in ("type", "title", "description") if name in spec}
    return {**schema, "properties": {**schema["properties"], "spec": {**kept, "properties": asked, "required": needed}}}


def settle(before: Any, after: Any) -> Any:
    """Return the answers with what a form only writes differently as it was: line ends, blanks, what is empty."""
    if isinstance(before, dict) and isinstance(after, dict):
        kept = {
            name: settle(value, after[name]) if name in after else value
            for name, value in before.items()
            if name in after or value in (None, "", [], {})
        }
        return kept | {name: value for name, value in after.items() if name not in before}
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [settle(one, other) for one, other in zip(before, after, strict=True)]
    if isinstance(before, str) and isinstance(after, str):
        plain = after.replace("\r\n", "\n")
        return before if before.strip() == plain.strip() else plain
    return after


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
