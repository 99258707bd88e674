"""Whether a document of the kind `Kind` declares a kind that can be taken: beyond its schema, what its parts mean.

Each part is checked against the others: fields that relations, computed properties and columns name, the schema as a
whole, names that are taken.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.catalog.rules import formats
from roadbed.catalog.rules.documents import Document
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.computed import compile_property
from roadbed.catalog.rules.kinds.declared import define, is_declaration
from roadbed.catalog.rules.kinds.schemas import check_schema
from roadbed.catalog.rules.problems import Path, Problem
from roadbed.catalog.rules.suggestions import find_closest, say_closest
from roadbed.core.expressions import ExpressionInvalid

_RESERVED_DOMAINS = ("backstage.io", "roadbed.dev")
_MEMBERSHIP = frozenset(("memberOf", "hasMember", "childOf", "parentOf"))
_OWNERSHIP = frozenset(("ownedBy", "ownerOf"))


@dataclass(frozen=True)
class KindChange:
    """What becomes of the entities of one kind.

    Args:
        kind: its name.
        is_new: there is no such kind yet.
        entities: how many there are of it.
        becoming_invalid: how many of them are valid now, and would not be.
        still_invalid: how many are invalid already, and would stay so.
        problems: of the first that would become invalid; each with the ref of its entity.
    """

    kind: str
    is_new: bool
    entities: int
    becoming_invalid: int = 0
    still_invalid: int = 0
    problems: Sequence[Problem] = ()


def check_declaration(document: Document, kinds: Kinds) -> list[Problem]:
    """Report what keeps a document that fits the schema of `Kind` from declaring one.

    Args:
        document: known to fit the schema.
        kinds: the kinds in force, this one among them when it is declared already.
    """
    problems = [*_check_name(document, kinds), *_check_versions(document)]
    faults = check_schema(document.data["spec"]["schema"])
    problems += [document.problem(("spec", "schema", *fault.path), fault.reason, fault.hint) for fault in faults]
    if document.data["spec"]["schema"].get("type") != "object":
        hint = "Write type: object; the fields stand under properties."
        problems.append(document.problem(("spec", "schema"), "The schema must be one of an object.", hint))
    if problems:
        return problems
    definition = define(document.data)
    problems += _check_relations(document, definition, kinds)
    if not problems:
        problems += _check_computed(document, definition, kinds)
        problems += _check_page(document, definition)
    return problems


def with_declared(kinds: Kinds, documents: Iterable[Document]) -> Kinds:
    """Return the kinds in force together with those that sound documents among these declare."""
    found = [document for document in documents if is_declaration(document.data)]
    if not found:
        return kinds
    own = kinds.find("Kind")
    sound = [
        document
        for document in found
        if own is not None and own.validator.is_valid(document.data) and not check_declaration(document, kinds)
    ]
    return kinds.with_kinds(define(document.data) for document in sound)


def _check_name(document: Document, kinds: Kinds) -> Iterator[Problem]:
    metadata = document.data["metadata"]
    name, path = metadata["name"], ("metadata", "name")
    if not formats.is_kind(name) or not name[0].isupper():
        reason = f"{name!r} cannot be the name of a kind."
        yield document.problem(path, reason, "Write letters and digits, beginning with a capital: DatabaseCluster.")
    elif (known := kinds.find(name)) is not None and not known.is_declared:
        yield document.problem(path, f"{known.name} is a kind of Roadbed.", "Choose another name.")
    elif known is not None and known.name != name:
        yield document.problem(path, f"There is a kind {known.name} already; only the case differs.", "Write it so.")
    if metadata.get("namespace") not in (None, "default"):
        hint = "A kind holds for all namespaces: remove it."
        yield document.problem(("metadata", "namespace"), "A kind is declared in the namespace default.", hint)
    plural = document.data["spec"]["plural"]
    for other in kinds:
        others = {other.name.lower(), other.plural.replace("-", "")}
        if other.name.lower() != name.lower() and others & {plural.replace("-", ""), name.lower()}:
            is_plural = plural.replace("-", "") in others
            reason = f"{plural if is_plural else name} is taken by the kind {other.name}."
            yield document.problem(("spec", "plural") if is_plural else path, reason, "Choose another word.")


def _check_versions(document: Document) -> Iterator[Problem]:
    for index, version in enumerate(document.data["spec"]["apiVersions"]):
        path = ("spec", "apiVersions", index)
        domain, slash, _ = version.partition("/")
        if not slash or not formats.is_api_version(version):
            hint = "Write a domain of yours and a version: example.com/v1."
            yield document.problem(path, f"{version!r} is not the version of an API.", hint)
        elif any(domain == known or domain.endswith(f".{known}") for known in _RESERVED_DOMAINS):
            yield document.problem(path, f"{domain} is not yours.", "Write a domain of your own: example.com/v1.")


def _check_relations(document: Document, definition: KindDefinition, kinds: Kinds) -> Iterator[Problem]:
    others = Kinds(kind for kind in kinds if kind.name.lower() != definition.name.lower()).inverses
    fields: set[str] = {"owner"} if definition.is_owned else set()
    for index, entry in enumerate(document.data["spec"].get("relations") or ()):
        path: Path = ("spec", "relations", index)
        field, type_, inverse = entry["field"], entry["type"], entry["inverse"]
        described = document.data["spec"]["schema"].get("properties") or {}
        if field not in described:
            hint = say_closest(field, described) or "Describe it under properties of the schema."
            yield document.problem((*path, "field"), f"The schema has no field {field}.", hint)
        if field in fields:
            why = "It is the owner, because of spec.owned." if field == "owner" else "Remove one of them."
            yield document.problem((*path, "field"), f"{field} has a relation already.", why)
        fields.add(field)
        yield from _check_pair(document, path, (type_, inverse), others)
        yield from _check_targets(document, path, entry, definition, kinds)


def _check_pair(document: Document, path: Path, pair: tuple[str, str], others: Mapping[str, str]) -> Iterator[Problem]:
    for at, name, back in (("type", *pair), ("inverse", *reversed(pair))):
        if name in _MEMBERSHIP:
            hint = "Who belongs to which group is said by Group and User; choose another name."
            yield document.problem((*path, at), f"{name} is kept for groups and their members.", hint)
        elif name in _OWNERSHIP:
            yield document.problem((*path, at), f"{name} is kept for owners.", "Set spec.owned: true instead.")
        elif others.get(name, back) != back:
            reason = f"{name} is a relation already, and its way back is {others[name]}, not {back}."
            yield document.problem((*path, at), reason, f"Write {others[name]}, or choose another name.")


def _check_targets(
    document: Document, path: Path, entry: Mapping[str, Any], definition: KindDefinition, kinds: Kinds
) -> Iterator[Problem]:
    known = [definition.name, *(kind.name for kind in kinds)]
    targets = entry.get("kinds") or []
    default = entry.get("defaultKind")
    named = [((*path, "kinds", index), name) for index, name in enumerate(targets)]
    named += [((*path, "defaultKind"), default)] if default else []
    for place, name in named:
        near = find_closest(name, known)
        if name not in known and near:  # others may be declared later
            yield document.problem(place, f"There is no kind {name}.", f"Did you mean {near[0]}?")
    if default and targets and default.lower() not in map(str.lower, targets):
        yield document.problem(
            (*path, "defaultKind"), f"{default} is not one of the kinds of this relation.", "Add it."
        )
    if entry.get("defaultNamespace") and not formats.is_namespace(entry["defaultNamespace"]):
        hint = f"Wanted is {formats.NAMESPACE.expected}."
        yield document.problem((*path, "defaultNamespace"), f"{entry['defaultNamespace']!r} is no namespace.", hint)


def _check_computed(document: Document, definition: KindDefinition, kinds: Kinds) -> Iterator[Problem]:
    relations = list(kinds.with_kinds([definition]).inverses)
    names = set(definition.field_names)
    for index, computed in enumerate(definition.computed):
        path = ("spec", "computed", index)
        if computed.name in names:
            reason = f"{computed.name} is a field or computed property already."
            yield document.problem((*path, "name"), reason, "Choose another name.")
        names.add(computed.name)
        try:
            compile_property(computed, spec=definition.form, relations=relations)
        except ExpressionInvalid as error:
            yield document.problem((*path, "expression"), error.message, error.hint or "")


def _check_page(document: Document, definition: KindDefinition) -> Iterator[Problem]:
    known = {*definition.field_names, *(computed.name for computed in definition.computed)}
    places: list[tuple[Path, str]] = [
        (("spec", "page", "sections", number, "fields", index), name)
        for number, section in enumerate(definition.sections)
        for index, name in enumerate(section.fields)
    ]
    places += [(("spec", "page", "columns", index), name) for index, name in enumerate(definition.columns)]
    for path, name in places:
        if name not in known:
            hint = say_closest(name, known) or f"There are: {', '.join(sorted(known))}."
            yield document.problem(path, f"There is no field or computed property {name}.", hint)
