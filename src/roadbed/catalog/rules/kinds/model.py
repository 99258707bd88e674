"""What the definition of a kind is, and the set of kinds in force with their compiled schemas."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

import jsonschema_rs

from roadbed.catalog.rules.formats import is_kind
from roadbed.catalog.rules.kinds import envelope
from roadbed.catalog.rules.kinds.computed import ComputedProperty
from roadbed.catalog.rules.kinds.parts import Schema
from roadbed.catalog.rules.kinds.schemas import DIALECT, compile_schema, inline


@dataclass(frozen=True)
class Relation:
    """A relation that follows from a field of the spec; both directions are kept.

    Args:
        field: name of the field in `spec`; its value is a ref or a list of refs.
        type: name of the relation from the entity to what the field names.
        inverse: name of the way back.
        default_kind: kind of a ref without one; None when each ref must name its kind. The namespace is inherited.
        only_type: the relation holds only for entities of this `spec.type`.
        default_namespace: namespace of a ref without one, instead of the inherited one.
        kinds: what the field may name; any kind when there are none.
        is_many: whether the field holds a list; None when the schema says so.
        title: heading for it; made from the name when empty.
        inverse_title: heading for the way back.
    """

    field: str
    type: str
    inverse: str
    default_kind: str | None = None
    only_type: str | None = None
    default_namespace: str | None = None
    kinds: tuple[str, ...] = ()
    is_many: bool | None = None
    title: str = ""
    inverse_title: str = ""


@dataclass(frozen=True)
class Section:
    """A card on the page of an entity: fields of its spec, or computed properties."""

    title: str
    fields: tuple[str, ...]


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
        title: what people call such an entity; made from the name when empty.
        computed: what is worked out of an entity and its relations when it is looked at.
        sections: what its page shows of its spec.
        columns: fields of its spec, or computed properties, that its list shows.
        digest: of the entity that declares it; empty for a kind that came with Roadbed or a plugin.
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
    title: str = ""
    computed: tuple[ComputedProperty, ...] = ()
    sections: tuple[Section, ...] = ()
    columns: tuple[str, ...] = ()
    digest: str = ""

    @property
    def is_declared(self) -> bool:
        """Whether an entity of the kind `Kind` declares it."""
        return bool(self.digest)

    @property
    def declared_by(self) -> str | None:
        """The ref of the entity that declares it."""
        return f"kind:default/{self.name.lower()}" if self.is_declared else None

    @property
    def word(self) -> str:
        """What people call such an entity."""
        return self.title or split_words(self.name)

    @property
    def heading(self) -> str:
        """What people call several: `Ai resources`."""
        return self.plural.replace("-", " ").capitalize()

    @cached_property
    def schema(self) -> Schema:
        """The schema of a whole entity, as validation applies it."""
        properties = envelope.ENTITY["properties"]
        return envelope.ENTITY | {
            "$schema": DIALECT,
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
        return compile_schema(self.schema)

    @cached_property
    def form(self) -> Schema:
        """The schema of `spec` without references, for forms and other readers."""
        return inline(self.spec, self.schema)

    @cached_property
    def field_names(self) -> frozenset[str]:
        """The fields of `spec` that the schema names, in all its branches."""
        return frozenset(_property_names(self.form))

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

    def uses(self, names: Iterable[Any]) -> dict[str, str]:
        """Return the digests of those of these kinds that are declared, by name in lower case; empty of unknown ones.

        What depends on them is read again when one of them changes, comes or goes.
        """
        found = {}
        for name in names:
            if is_kind(name):
                definition = self.find(name)
                if definition is None or definition.is_declared:
                    found[name.lower()] = definition.digest if definition else ""
        return found

    @cached_property
    def inverses(self) -> dict[str, str]:
        """Each relation's way back, in both directions."""
        pairs = [(relation.type, relation.inverse) for kind in self for relation in kind.relations]
        return dict(pairs) | {inverse: name for name, inverse in pairs}

    def __getstate__(self) -> dict[str, Any]:
        return {"_by_name": self._by_name}

    @cached_property
    def relation_titles(self) -> dict[str, str]:
        """The headings that declared kinds give to relations, in both directions."""
        relations = [relation for kind in self for relation in kind.relations]
        titles = {relation.type: relation.title for relation in relations if relation.title}
        return titles | {relation.inverse: relation.inverse_title for relation in relations if relation.inverse_title}

    def with_kinds(self, definitions: Iterable[KindDefinition]) -> "Kinds":
        """Return these kinds with others: in place of declared ones of the same name, beside the rest."""
        added = {definition.name.lower(): definition for definition in definitions}
        kept = (kind for kind in self if not (kind.is_declared and kind.name.lower() in added))
        return Kinds((*kept, *added.values()))


def split_words(name: str) -> str:
    """Return a name in words: `EnvironmentType` → `Environment type`."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda match: f" {match[0].lower()}", name)


def _property_names(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    yield from schema.get("properties", {})
    for branch in ("if", "then", "else"):
        yield from _property_names(schema.get(branch))
    for branches in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(branches, ()):
            yield from _property_names(part)
