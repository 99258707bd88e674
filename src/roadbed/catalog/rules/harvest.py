"""What reading a location brings in: files, and in them entities in the form in which they are kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from roadbed.catalog.rules import sources
from roadbed.catalog.rules.documents import Document
from roadbed.catalog.rules.kinds import KindDefinition
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.relations import Edge, derive_edges, find_owner
from roadbed.catalog.rules.validation import with_default_namespace
from roadbed.kit.jsons import digest, fit_json, parse_json, write_json
from roadbed.kit.refs import EntityRef, ref_of


@dataclass(frozen=True, slots=True)
class ReadEntity:
    """A sound entity with what is looked up and listed by. `written` is the document as JSON: the least to hold."""

    ref: EntityRef
    written: bytes = field(repr=False)
    digest: str
    title: str
    description: str
    type: str | None
    lifecycle: str | None
    tags: tuple[str, ...]
    edges: frozenset[Edge]
    owner: str | None
    system: str | None
    file: str
    line: int
    end_line: int

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = parse_json(self.written)
        return document


@dataclass(frozen=True)
class ReadFile:
    """One file. `entities` is None when nothing in it has changed, so that it was not parsed again.

    `kinds` are the declared kinds that its entities were checked against (`Kinds.uses`).
    """

    path: str
    digest: str
    includes: Mapping[str, str] = field(default_factory=dict)
    entities: tuple[ReadEntity, ...] | None = None
    problems: tuple[Problem, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def faulty_refs(self) -> frozenset[str]:
        return frozenset(problem.ref for problem in self.problems if problem.is_error and problem.ref)

    @property
    def has_unknown_faults(self) -> bool:
        """Whether part of the file could not be told apart, so that no entity can be said to be gone from it."""
        return any(problem.is_error and not problem.ref for problem in self.problems)


@dataclass(frozen=True)
class Harvest:
    """Everything that one reading of a location found. `problems` are those of no file."""

    files: tuple[ReadFile, ...]
    fingerprint: str
    revision: str | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def kinds(self) -> dict[str, str]:
        """The declared kinds that all of it was checked against."""
        return {name: known for file in self.files for name, known in file.kinds.items()}

    @property
    def has_changed(self) -> bool:
        return any(file.entities is not None for file in self.files)


def make_entity(
    document: Document,
    definition: KindDefinition,
    *,
    origin: Mapping[str, str],
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> ReadEntity:
    """Put a checked document into the form in which it is kept.

    Args:
        document: known to be sound.
        definition: of its kind.
        origin: annotations that say where it was read from; they replace those in the document.
        defaults: annotations that hold where the document does not have them.
    """
    entity = with_default_namespace(document.data)
    metadata = {key: value for key, value in entity["metadata"].items() if key != "uid"}
    annotations = metadata.get("annotations") or {}
    if origin or annotations:
        metadata["annotations"] = {**defaults, **annotations, **origin}
    kept = {
        "apiVersion": entity["apiVersion"],
        "kind": entity["kind"],
        "metadata": metadata,
        "spec": entity["spec"],
    }
    ref, spec = ref_of(kept), kept["spec"]
    edges = derive_edges(ref, definition, spec)
    owner = find_owner(ref, definition, spec)
    return ReadEntity(
        ref=ref,
        written=fit_json(write_json(kept)),
        digest=digest(kept),
        title=_title_of(ref, metadata, spec),
        description=str(metadata.get("description") or ""),
        type=_text_of(spec, "type"),
        lifecycle=_text_of(spec, "lifecycle"),
        tags=tuple(metadata.get("tags") or ()),
        edges=edges,
        owner=None if owner is None else str(owner),
        system=_system_of(ref, edges),
        file=document.file,
        line=document.line,
        end_line=document.end_line,
    )


def _title_of(ref: EntityRef, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> str:
    profile = spec.get("profile")
    display = profile.get("displayName") if isinstance(profile, dict) else None
    return str(metadata.get("title") or display or ref.name)


def _text_of(spec: Mapping[str, Any], name: str) -> str | None:
    value = spec.get(name)
    return value if isinstance(value, str) else None


def _system_of(ref: EntityRef, edges: Iterable[Edge]) -> str | None:
    """Return the ref of the system that an entity is part of."""
    source = str(ref)
    systems = (edge.target for edge in edges if edge.type == "partOf" and edge.source == source)
    return min((target for target in systems if target.startswith("system:")), default=None)


def origin_annotations(*, managed_by: str, origin: str) -> dict[str, str]:
    """Return the well-known annotations for where an entity was read from."""
    return {sources.MANAGED_BY: managed_by, sources.MANAGED_BY_ORIGIN: origin}
