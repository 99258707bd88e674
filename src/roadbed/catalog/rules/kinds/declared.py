"""Kinds that people declare with entities of the kind `Kind`: from such a document to a definition.

The document is known to be sound (`declarations` says whether it is).
"""

from collections.abc import Mapping
from typing import Any

from roadbed.catalog.rules.kinds.computed import ComputedProperty, ComputedType
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.kinds.model import KindDefinition, Relation, Section
from roadbed.catalog.rules.kinds.parts import OWNER, Schema, text, texts
from roadbed.catalog.rules.kinds.schemas import relocate
from roadbed.kit.jsons import digest

OWNED_BY = Relation("owner", "ownedBy", "ownerOf", "Group")
_PLACE = "#/properties/spec"


def is_declaration(data: Any) -> bool:
    """Tell whether a document says that it declares a kind."""
    return isinstance(data, Mapping) and data.get("kind") == KIND.name and data.get("apiVersion") in KIND.api_versions


def define(document: Mapping[str, Any]) -> KindDefinition:
    """Return the kind that a sound document declares."""
    metadata, spec = document["metadata"], document["spec"]
    is_owned = bool(spec.get("owned"))
    properties = spec["schema"].get("properties") or {}
    relations = tuple(_relation(entry, properties) for entry in spec.get("relations") or ())
    page = spec.get("page") or {}
    return KindDefinition(
        name=metadata["name"],
        api_versions=tuple(spec["apiVersions"]),
        plural=spec["plural"],
        description=metadata.get("description") or "",
        spec=relocate(_complete(spec["schema"], relations, is_owned=is_owned), _PLACE),
        relations=(*((OWNED_BY,) if is_owned else ()), *relations),
        icon=spec.get("icon") or "box",
        is_owned=is_owned,
        title=metadata.get("title") or "",
        computed=tuple(_computed(entry) for entry in spec.get("computed") or ()),
        sections=tuple(Section(entry["title"], tuple(entry["fields"])) for entry in page.get("sections") or ()),
        columns=tuple(page.get("columns") or ()),
        digest=digest([metadata["name"], metadata.get("title"), metadata.get("description"), spec]),
    )


def _complete(schema: Schema, relations: tuple[Relation, ...], *, is_owned: bool) -> Schema:
    """Return the schema with what owner and relations demand of their fields, beside what it says itself."""
    properties = dict(schema.get("properties") or {})
    if is_owned:
        properties.setdefault("owner", OWNER)
    for relation in relations:
        shape = texts(relation.field) if relation.is_many else text(relation.field)
        said = properties.get(relation.field)
        mine = said if isinstance(said, Mapping) else {}
        properties[relation.field] = {**shape, **mine, "allOf": [*(mine.get("allOf") or ()), shape]}
    return {**schema, "properties": properties}


def _relation(entry: Mapping[str, Any], properties: Mapping[str, Any]) -> Relation:
    kinds = tuple(entry.get("kinds") or ())
    shape = properties.get(entry["field"])
    is_list = isinstance(shape, Mapping) and shape.get("type") == "array"
    return Relation(
        field=entry["field"],
        type=entry["type"],
        inverse=entry["inverse"],
        default_kind=entry.get("defaultKind") or (kinds[0] if len(kinds) == 1 else None),
        default_namespace=entry.get("defaultNamespace"),
        kinds=kinds,
        is_many=entry["cardinality"] == "many" if "cardinality" in entry else is_list,
        title=entry.get("title") or "",
        inverse_title=entry.get("inverseTitle") or "",
    )


def _computed(entry: Mapping[str, Any]) -> ComputedProperty:
    return ComputedProperty(
        name=entry["name"],
        type=ComputedType(entry["type"]),
        expression=entry["expression"],
        title=entry.get("title") or "",
        description=entry.get("description") or "",
    )
