"""What the definition of a kind is, and the set of kinds in force with their compiled schemas."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import jsonschema_rs

from roadbed.catalog.rules.kinds import envelope
from roadbed.catalog.rules.kinds.parts import Schema

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True)
class Relation:
    """A relation that follows from a field of the spec; both directions are kept.

    Args:
        field: name of the field in `spec`; its value is a ref or a list of refs.
        type: name of the relation from the entity to what the field names.
        inverse: name of the way back.
        default_kind: kind of a ref without one; None when each ref must name its kind. The namespace is inherited.
        only_type: the relation holds only for entities of this `spec.type`.
    """

    field: str
    type: str
    inverse: str
    default_kind: str | None = None
    only_type: str | None = None


@dataclass(frozen=True)
class KindDefinition:
    """A kind.

    Args:
        name: `Component`.
        api_versions: those that are accepted, preferred first.
        plural: for headings and URLs.
        description: one sentence on what such an entity is.
        spec: JSON Schema of `spec`.
        relations: what follows from its fields.
        icon: name of a Tabler icon.
        is_owned: an entity of this kind should have an owner, and is listed as unowned without one.
        retired: apiVersion → what to do, for versions that used to exist.
    """

    name: str
    api_versions: tuple[str, ...]
    plural: str
    description: str
    spec: Schema
    relations: tuple[Relation, ...] = ()
    icon: str = "box"
    is_owned: bool = False
    retired: dict[str, str] = field(default_factory=dict)

    @cached_property
    def schema(self) -> Schema:
        """The schema of a whole entity, as validation applies it."""
        properties = envelope.ENTITY["properties"]
        return envelope.ENTITY | {
            "$schema": _DIALECT,
            "title": self.name,
            "description": self.description,
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": properties
            | {
                "apiVersion": {"enum": list(self.api_versions), "default": self.api_versions[0]},
                "kind": {"enum": [self.name], "default": self.name},
                "spec": self.spec | {"title": "Spec"},
            },
        }

    @cached_property
    def published_schema(self) -> Schema:
        """The schema for editors and forms: as validation applies it, with the patterns of the field formats."""
        schema = self.schema
        metadata = schema["properties"]["metadata"]
        fields = metadata["properties"]
        patterned = {name: fields[name] | more for name, more in envelope.METADATA_PATTERNS.items()}
        return schema | {
            "properties": schema["properties"] | {"metadata": metadata | {"properties": fields | patterned}}
        }

    @cached_property
    def validator(self) -> jsonschema_rs.Draft202012Validator:
        return jsonschema_rs.Draft202012Validator(self.schema)

    @cached_property
    def field_names(self) -> frozenset[str]:
        """The fields of `spec` that the schema names, in all its branches."""
        return frozenset(_property_names(self.spec))

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs; a compiled schema cannot go there."""
        return {declared.name: getattr(self, declared.name) for declared in fields(self)}

    @property
    def reference_fields(self) -> frozenset[str]:
        return frozenset(relation.field for relation in self.relations)


class Kinds:
    """The kinds in force."""

    def __init__(self, definitions: Iterable[KindDefinition]) -> None:
        self._by_name: dict[str, KindDefinition] = {}
        for definition in definitions:
            if definition.name.lower() in self._by_name:
                raise ValueError(f"the kind {definition.name} is defined twice")
            self._by_name[definition.name.lower()] = definition

    def __iter__(self) -> Iterator[KindDefinition]:
        return iter(self._by_name.values())

    def find(self, name: str) -> KindDefinition | None:
        """Return the definition of a kind, its name compared without regard to case."""
        return self._by_name.get(name.lower())

    @cached_property
    def inverses(self) -> dict[str, str]:
        """Each relation's way back, in both directions."""
        pairs = [(relation.type, relation.inverse) for kind in self for relation in kind.relations]
        return dict(pairs) | {inverse: name for name, inverse in pairs}

    def __getstate__(self) -> dict[str, Any]:
        return {"_by_name": self._by_name}

    def with_kinds(self, definitions: Iterable[KindDefinition]) -> "Kinds":
        return Kinds((*self, *definitions))


def _property_names(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {})
    for branch in ("if", "then", "else"):
        yield from _property_names(schema.get(branch))
    for branches in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(branches, ()):
            yield from _property_names(part)
