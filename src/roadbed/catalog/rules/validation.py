"""Whether a document is an entity that the catalog takes, and if not, why and what to do.

The order is Backstage's: the envelope, the kind with its schema, the field formats, the references.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import jsonschema_rs

from roadbed.catalog.rules import formats
from roadbed.catalog.rules.declarations import check_declaration
from roadbed.catalog.rules.documents import Document, from_json, is_storable
from roadbed.catalog.rules.faults import explain
from roadbed.catalog.rules.formats import Format
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, KindDefinition, Kinds
from roadbed.catalog.rules.kinds.envelope import ENVELOPE
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.kinds.parts import Schema
from roadbed.catalog.rules.problems import Path, Problem, Severity, write_path
from roadbed.catalog.rules.relations import check_refs
from roadbed.catalog.rules.suggestions import find_closest, say_closest
from roadbed.kit.refs import DEFAULT_NAMESPACE, EntityRef, ref_of

_ENVELOPE = jsonschema_rs.Draft202012Validator(ENVELOPE)
_ENVELOPE_FIELDS = tuple(ENVELOPE["properties"])


def check(document: Document, kinds: Kinds = BUILT_IN_KINDS) -> list[Problem]:
    """Return everything that is wrong with a document; it is an entity if none of it is an error."""
    problems = check_envelope(document)
    if problems:
        return problems
    definition = find_definition(document, kinds)
    if isinstance(definition, Problem):
        return [definition]
    problems = [*_check_written(document), *(check_kind(document, definition) or [])]
    faulty = {problem.path for problem in problems}
    problems += [problem for problem in check_formats(document) if problem.path not in faulty]
    ref = ref_of(document.data)
    if not problems:
        problems = check_refs(document, ref, definition)
        problems += check_schemas(document, definition, kinds)
    return [*problems, *_warn_near_misses(document, definition, problems)]


def check_envelope(document: Document) -> list[Problem]:
    """Check the least that an entity needs to be told from others: apiVersion, kind, a name."""
    data = document.data
    if isinstance(data, dict) and "apiVersion" not in data and "kind" not in data:
        reason = "The document is not an entity: it has neither apiVersion nor kind."
        return [document.problem((), reason, "An entity has apiVersion, kind, metadata and spec.")]
    if document.line == 0 and not is_storable(data):
        return [document.problem((), "A text holds a NUL character or half a surrogate pair.", "Remove it.")]
    envelope = {name: data[name] for name in _ENVELOPE_FIELDS if name in data} if isinstance(data, dict) else data
    return [] if _ENVELOPE.is_valid(envelope) else _check_schema(document, _ENVELOPE, ENVELOPE)


def _check_written(document: Document) -> list[Problem]:
    """Report the fields at the root that only the catalog writes."""
    return [
        document.problem((name,), f"{name} is written by the catalog.", "Remove it.", at_key=True)
        for name in ("relations", "status")
        if name in document.data
    ]


def check_kind(document: Document, definition: KindDefinition) -> list[Problem] | None:
    """Check the document against the schema of a kind. None: it says itself to be of another kind or version."""
    if definition.validator.is_valid(document.data):
        return []
    errors = list(definition.validator.iter_errors(document.data))
    decisive = [error for error in errors if error.instance_path in (["kind"], ["apiVersion"])]
    if decisive and all(error.kind.name == "enum" for error in decisive) and _names_itself(document):
        return None
    return _problems(document, errors, definition.schema)


def check_held(data: Mapping[str, Any], definition: KindDefinition) -> list[Problem]:
    """Return what is wrong with an entity that was sound once, now that its kind may be another; quick when nothing is.

    Args:
        data: its document as it is kept or handed out.
        definition: of its kind.
    """
    document = from_json({name: data[name] for name in ("apiVersion", "kind", "metadata", "spec")})
    if data["apiVersion"] not in definition.api_versions:
        wanted = " or ".join(definition.api_versions)
        return [document.problem(("apiVersion",), f"apiVersion is {data['apiVersion']}.", f"Write {wanted}.")]
    return check_kind(document, definition) or check_refs(document, ref_of(document.data), definition)


def check_formats(document: Document) -> list[Problem]:
    """Check which characters the fields of the envelope hold."""
    problems = []
    for path, value, wanted in _formatted_fields(document.data):
        if not wanted.accepts(value):
            problems.append(
                document.problem(path, f"{write_path(path)} is {value!r}.", f"Wanted is {wanted.expected}.")
            )
    return problems


def check_schemas(document: Document, definition: KindDefinition, kinds: Kinds) -> list[Problem]:
    """Check what a Roadbed entity says about schemas: that they are ones, and of a kind, that it can be taken."""
    if definition.name == KIND.name:
        return check_declaration(document, kinds)
    if definition.name != "ResourceType":
        return []
    problems = []
    for name in ("parameters", "outputs"):
        try:
            jsonschema_rs.Draft202012Validator(document.data["spec"][name], offline=True)
        except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
            problems.append(document.problem(("spec", name), f"spec.{name} is not a JSON Schema: {error.args[0]}."))
    return problems


def find_definition(document: Document, kinds: Kinds) -> KindDefinition | Problem:
    """Return the definition of the document's kind, or why there is none."""
    kind, version = document.data["kind"], document.data["apiVersion"]
    definition = kinds.find(kind)
    if definition is None:
        hint = say_closest(kind, [known.name for known in kinds])
        return document.problem(("kind",), f"There is no kind {kind}.", hint or "See the reference of kinds.")
    if definition.name != kind:
        return document.problem(("kind",), f"There is no kind {kind}.", f"Write {definition.name}; case counts.")
    if version not in definition.api_versions:
        wanted = " or ".join(definition.api_versions)
        hint = definition.retired.get(version, f"Write apiVersion: {wanted}.")
        return document.problem(("apiVersion",), f"{kind} of {version} is not supported, only of {wanted}.", hint)
    return definition


def find_ref(document: Document) -> EntityRef | None:
    """Return the ref of a document if its envelope tells one, sound or not."""
    return None if check_envelope(document) else ref_of(document.data)


def with_default_namespace(entity: dict[str, Any], namespace: str = DEFAULT_NAMESPACE) -> dict[str, Any]:
    """Return the entity with a namespace."""
    if entity["metadata"].get("namespace"):
        return entity
    return entity | {"metadata": {**entity["metadata"], "namespace": namespace}}


def _check_schema(document: Document, validator: jsonschema_rs.Draft202012Validator, schema: Schema) -> list[Problem]:
    if validator.is_valid(document.data):
        return []
    return _problems(document, validator.iter_errors(document.data), schema)


def _problems(document: Document, errors: Iterable[jsonschema_rs.ValidationError], schema: Schema) -> list[Problem]:
    found: dict[tuple[str, str], Problem] = {}
    for error in errors:
        for path, reason, hint, at_key in explain(error, document.data, schema):
            problem = document.problem(path, reason, hint, at_key=at_key)
            found.setdefault((problem.path, problem.reason), problem)
    return list(found.values())


def _names_itself(document: Document) -> bool:
    return isinstance(document.data, dict) and all(
        isinstance(document.data.get(name), str) for name in ("apiVersion", "kind")
    )


def _formatted_fields(entity: dict[str, Any]) -> Iterator[tuple[Path, Any, Format]]:
    """Return what has a format. What is of another shape than it should be is for the schema to report."""
    metadata = entity["metadata"]
    yield ("apiVersion",), entity["apiVersion"], formats.API_VERSION
    yield ("kind",), entity["kind"], formats.KIND
    yield ("metadata", "name"), metadata["name"], formats.NAME
    if metadata.get("namespace") is not None:
        yield ("metadata", "namespace"), metadata["namespace"], formats.NAMESPACE
    for field, key_format, value_format in (
        ("labels", formats.LABEL_KEY, formats.LABEL_VALUE),
        ("annotations", formats.ANNOTATION_KEY, formats.ANNOTATION_VALUE),
    ):
        pairs = metadata.get(field)
        for key, value in pairs.items() if isinstance(pairs, dict) else ():
            yield ("metadata", field, key), key, key_format
            yield ("metadata", field, key), value, value_format
    for index, tag in enumerate(_items(metadata.get("tags"))):
        yield ("metadata", "tags", index), tag, formats.TAG
    for index, link in enumerate(_items(metadata.get("links"))):
        if isinstance(link, dict):
            yield ("metadata", "links", index, "url"), link.get("url"), formats.URL
            for field in ("title", "icon"):
                if field in link:
                    yield ("metadata", "links", index, field), link[field], formats.TEXT


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _warn_near_misses(document: Document, definition: KindDefinition, problems: list[Problem]) -> Iterator[Problem]:
    """Point at fields that a kind does not know and that look like ones it does; Backstage ignores them in silence."""
    spec = document.data.get("spec")
    if not isinstance(spec, dict) or spec.keys() <= definition.field_names:
        return
    reported = {problem.path for problem in problems}
    for name in (name for name in spec if name not in definition.field_names):
        path = write_path(("spec", name))
        closest = find_closest(name, definition.field_names - spec.keys()) if path not in reported else ()
        if closest:
            line, column = document.locate(("spec", name), at_key=True)
            yield Problem(
                document.file,
                line,
                column,
                path,
                f"{path} is not a field of {definition.name}; it is kept and means nothing.",
                f"Did you mean {closest[0]}?",
                Severity.WARNING,
            )
