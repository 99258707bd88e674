"""JSON Schemas that people give for the spec of their own kinds: read as a graph, and refused where they could harm.

A validator follows `$ref` wherever it leads and holds Python's global lock while it runs, so what it is given must
end, stay small, and need nothing from elsewhere:

- references lead to parts of the same schema, and none comes back to itself without going into a field or item;
- a part that holds itself does so once for each field, or its cost would double with each level of a document;
- alternatives within alternatives are counted, and patterns are read by an engine that takes linear time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, NamedTuple

import jsonschema_rs

from roadbed.catalog.rules.kinds.parts import Schema
from roadbed.catalog.rules.problems import Path
from roadbed.kit.jsons import write_json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
MAX_BYTES = 64 * 1024
MAX_DEPTH = 40
MAX_PARTS = 500
MAX_PATTERNS = 50
MAX_COST = 1_000
_PATTERN_BYTES = 1024 * 1024

_ALONGSIDE = ("if", "then", "else", "not", "allOf", "anyOf", "oneOf", "dependentSchemas")
_ITEMS = ("items", "contains", "unevaluatedItems", "prefixItems")
_OTHER_FIELDS = ("additionalProperties", "unevaluatedProperties", "patternProperties")
_STORES = ("$defs", "definitions")
_LISTS = frozenset(("allOf", "anyOf", "oneOf", "prefixItems"))
_MAPPINGS = frozenset(("dependentSchemas", "patternProperties", "properties", *_STORES))
_KEYWORDS = (*_ALONGSIDE, *_ITEMS, *_OTHER_FIELDS, *_STORES, "propertyNames", "properties")
_REFUSED = {
    "$id": "References lead to parts of the same schema: leave it out.",
    "$anchor": "Name the part under $defs and write $ref: '#/$defs/NAME'.",
    "$dynamicAnchor": "Write $ref: '#/$defs/NAME'.",
    "$dynamicRef": "Write $ref: '#/$defs/NAME'.",
    "$recursiveAnchor": "Write $ref: '#/$defs/NAME'.",
    "$recursiveRef": "Write $ref: '#/$defs/NAME'.",
    "$vocabulary": "Leave it out.",
    "additionalItems": "In draft 2020-12 it is items, beside prefixItems.",
    "dependencies": "In draft 2020-12 these are dependentRequired and dependentSchemas.",
}
_PATTERN_HINT = "Patterns have no look-around and no back references, and stay small with their repetitions counted."
_HERE, _ITEM, _FIELDS, _NAMES = "", "[]", "{}", "names"


class SchemaFault(NamedTuple):
    """Why a schema cannot be used: where in it, and what to do."""

    path: Path
    reason: str
    hint: str = ""


class _Edge(NamedTuple):
    """From a part to another: at the same place of a document (`_HERE`), or one level into it."""

    slot: str
    target: str


@dataclass(frozen=True)
class _Part:
    """A schema within a schema. Places are JSON pointers: `#/properties/name`."""

    path: Path
    schema: Mapping[str, Any]
    edges: list[_Edge] = field(default_factory=list)


def compile_schema(schema: Schema) -> jsonschema_rs.Draft202012Validator:
    """Return the validator of a schema: formats are checked, patterns take linear time, nothing is fetched.

    Raises:
        ValueError, jsonschema_rs.ReferencingError: it is no schema.
    """
    return jsonschema_rs.Draft202012Validator(
        schema,
        validate_formats=True,
        offline=True,
        pattern_options=jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES),
    )


def check_schema(schema: Any) -> list[SchemaFault]:
    """Return why a schema cannot be used; nothing when it can."""
    if not isinstance(schema, dict):
        return [SchemaFault((), "It is not a JSON Schema.", "Give a mapping, such as {type: object, properties: …}.")]
    if (size := len(write_json(schema))) > MAX_BYTES:
        return [SchemaFault((), f"The schema has {size:,} bytes; at most {MAX_BYTES:,} are taken.", "Shorten it.")]
    if _depth(schema) > MAX_DEPTH:
        return [SchemaFault((), f"The schema is nested more than {MAX_DEPTH} levels deep.", "Use $defs and $ref.")]
    parts = _read_parts(schema)
    faults = [*_check_words(parts), *_check_counts(parts)] or list(_check_refs(parts))
    faults = faults or list(_check_recursion(parts))
    return faults or list(_check_compiled(schema))


def relocate(schema: Schema, place: str) -> Schema:
    """Return a copy of a sound schema whose references are right where it stands at `place` of a larger one."""
    copied = deepcopy(schema)
    for part in _read_parts(copied).values():
        if isinstance(part.schema.get("$ref"), str) and isinstance(part.schema, dict):
            part.schema["$ref"] = place + part.schema["$ref"][1:]
    return copied


def inline(schema: Schema, whole: Schema) -> Schema:
    """Return a schema with what its references name in their place, for readers that know no references.

    Args:
        schema: a part of `whole`.
        whole: a sound schema. A part of it that holds itself accepts anything there.
    """
    found: Schema = _Inliner(whole).read(schema, ())
    return found


class _Inliner:
    """Follows references, at most so many."""

    def __init__(self, whole: Schema) -> None:
        self._whole = whole
        self._left = MAX_COST

    def read(self, schema: Any, within: tuple[str, ...]) -> Any:
        if not isinstance(schema, Mapping):
            return schema
        found: dict[str, Any] = {}
        ref = schema.get("$ref")
        if isinstance(ref, str) and ref not in within and self._left > 0:
            self._left -= 1
            found = dict(self.read(look_up(self._whole, ref), (*within, ref)))
        for word, value in schema.items():
            if word != "$ref" and word not in _STORES:
                found[word] = self._read_word(word, value, within)
        return found

    def _read_word(self, word: str, value: Any, within: tuple[str, ...]) -> Any:
        if word in _MAPPINGS and isinstance(value, Mapping):
            return {name: self.read(part, within) for name, part in value.items()}
        if word in _LISTS and isinstance(value, list):
            return [self.read(part, within) for part in value]
        return self.read(value, within) if word in _KEYWORDS else value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _read_parts(schema: Schema) -> dict[str, _Part]:
    parts: dict[str, _Part] = {}
    waiting: list[tuple[Path, Any]] = [((), schema)]
    while waiting:
        path, found = waiting.pop()
        part = _Part(path, found)
        parts[_pointer(path)] = part
        if isinstance(found.get("$ref"), str):
            part.edges.append(_Edge(_HERE, found["$ref"]))
        for slot, inner in _inner(found):
            inner_path = (*path, *inner)
            value = _node(schema, inner_path)
            if isinstance(value, dict):  # true and false are schemas without parts
                waiting.append((inner_path, value))
                if slot is not None:
                    part.edges.append(_Edge(slot, _pointer(inner_path)))
    return parts


def _inner(schema: Mapping[str, Any]) -> Iterator[tuple[str | None, Path]]:
    """Yield the schemas right below one: whether and where in a document they apply, and their path."""
    for word in _KEYWORDS:
        value = schema.get(word)
        if word in _MAPPINGS and isinstance(value, dict):
            for name in value:
                yield (f".{name}" if word == "properties" else _slot(word)), (word, name)
        elif word in _LISTS and isinstance(value, list):
            for index in range(len(value)):
                yield _slot(word), (word, index)
        elif isinstance(value, dict):
            yield _slot(word), (word,)


def _slot(word: str) -> str | None:
    if word in _STORES:
        return None
    if word in _ALONGSIDE:
        return _HERE
    if word in _ITEMS:
        return _ITEM
    return _NAMES if word == "propertyNames" else _FIELDS


def _check_words(parts: Mapping[str, _Part]) -> Iterator[SchemaFault]:
    for part in parts.values():
        for word, hint in _REFUSED.items():
            if word in part.schema:
                yield SchemaFault((*part.path, word), f"{word} is not supported in the schema of a kind.", hint)
        dialect = part.schema.get("$schema")
        if dialect is not None and (dialect != DIALECT or part.path):
            hint = f"It is always {DIALECT}; leave it out."
            yield SchemaFault((*part.path, "$schema"), "Another dialect of JSON Schema is not supported.", hint)


def _check_counts(parts: Mapping[str, _Part]) -> Iterator[SchemaFault]:
    if len(parts) > MAX_PARTS:
        yield SchemaFault((), f"The schema has {len(parts):,} parts; at most {MAX_PARTS} are taken.", "Shorten it.")
    patterns = sum(len(_patterns(part.schema)) for part in parts.values())
    if patterns > MAX_PATTERNS:
        yield SchemaFault((), f"The schema has {patterns} patterns; at most {MAX_PATTERNS} are taken.", "Use fewer.")


def _patterns(schema: Mapping[str, Any]) -> list[Any]:
    keys = schema.get("patternProperties")
    own = [schema["pattern"]] if "pattern" in schema else []
    return [*own, *keys] if isinstance(keys, Mapping) else own


def _check_refs(parts: Mapping[str, _Part]) -> Iterator[SchemaFault]:
    for part in parts.values():
        ref = part.schema.get("$ref")
        if "$ref" not in part.schema or (isinstance(ref, str) and ref in parts):
            continue
        if isinstance(ref, str) and ref.startswith("#"):
            hint = "Write the name as it stands under $defs: '#/$defs/NAME'."
            yield SchemaFault((*part.path, "$ref"), f"{ref} names no part of this schema.", hint)
        else:
            hint = "Nothing is fetched: put what it names under $defs and write '#/$defs/NAME'."
            yield SchemaFault((*part.path, "$ref"), f"{ref} lies outside of this schema.", hint)


def _check_recursion(parts: Mapping[str, _Part]) -> Iterator[SchemaFault]:
    alongside = {
        place: [edge.target for edge in part.edges if edge.slot == _HERE and edge.target in parts]
        for place, part in parts.items()
    }
    try:
        order = list(TopologicalSorter(alongside).static_order())
    except CycleError as error:
        place = error.args[1][0]
        hint = "A part may hold itself only inside of a field or an item."
        yield SchemaFault(parts[place].path, f"{place} leads back to itself and would never end.", hint)
        return
    groups = _group(parts)
    size = Counter(groups.values())
    loops = {place for place in parts if size[groups[place]] > 1 or any(e.target == place for e in parts[place].edges)}
    yield from _check_doubling(parts, order, groups, loops)
    if loops and any(
        word in part.schema for part in parts.values() for word in ("unevaluatedProperties", "unevaluatedItems")
    ):
        hint = "Write additionalProperties: false where the fields are listed."
        yield SchemaFault(
            (), "unevaluatedProperties and unevaluatedItems do not go with a schema that holds itself.", hint
        )
    if (cost := _cost(parts, groups)) > MAX_COST:
        reason = f"Checking would look at {cost:,} parts for one value; at most {MAX_COST:,} are allowed."
        yield SchemaFault((), reason, "Nest fewer alternatives, or refer to them fewer times.")


def _check_doubling(
    parts: Mapping[str, _Part], order: list[str], groups: Mapping[str, int], loops: set[str]
) -> Iterator[SchemaFault]:
    """Report parts that hold themselves twice at one place of a document."""
    reached: dict[str, Counter[_Edge]] = {}
    for place in order:  # what is alongside comes first
        found: Counter[_Edge] = Counter()
        for edge in parts[place].edges:
            if edge.slot == _HERE:
                found += reached[edge.target]
            else:
                found[edge] += 1
        reached[place] = found
    for place in sorted(loops):
        slots: Counter[str] = Counter()
        for edge, count in reached[place].items():
            if groups[edge.target] == groups[place]:
                slots[edge.slot] += count
        named = max((count for slot, count in slots.items() if slot.startswith(".")), default=0)
        if named + slots[_FIELDS] > 1 or slots[_ITEM] > 1:
            hint = "Say what the field holds once, outside of the alternatives."
            yield SchemaFault(parts[place].path, f"{place} holds itself several times at the same field or item.", hint)
            return


def _group(parts: Mapping[str, _Part]) -> dict[str, int]:
    """Return the group of each part, those that reach one another in one; what a group leads to has a lower number."""
    targets = {place: [edge.target for edge in part.edges] for place, part in parts.items()}
    sources: dict[str, list[str]] = {place: [] for place in parts}
    for place, found in targets.items():
        for target in found:
            sources[target].append(place)
    groups: dict[str, int] = {}
    for root in reversed(list(_finish_order(sources))):
        if root not in groups:
            number, waiting = len(set(groups.values())), [root]
            while waiting:
                place = waiting.pop()
                if place not in groups:
                    groups[place] = number
                    waiting += targets[place]
    return groups


def _finish_order(edges: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield each place after all that it reaches, but for circles (depth first)."""
    seen: set[str] = set()
    for root in edges:
        stack: list[tuple[str, Iterator[str]]] = []
        if root not in seen:
            seen.add(root)
            stack.append((root, iter(edges[root])))
        while stack:
            place, rest = stack[-1]
            target = next((one for one in rest if one not in seen), None)
            if target is None:
                yield place
                stack.pop()
            else:
                seen.add(target)
                stack.append((target, iter(edges[target])))


def _cost(parts: Mapping[str, _Part], groups: Mapping[str, int]) -> int:
    """Return how many parts are looked at when each is followed wherever it leads; those in circles once."""
    members: dict[int, list[str]] = {}
    for place, number in groups.items():
        members.setdefault(number, []).append(place)
    costs: dict[int, int] = {}
    for number in sorted(members):
        costs[number] = sum(
            1
            + sum(
                costs.get(groups[edge.target], 0) if groups[edge.target] != number else 0 for edge in parts[place].edges
            )
            for place in members[number]
        )
    return costs[groups["#"]]


def _check_compiled(schema: Schema) -> Iterator[SchemaFault]:
    try:
        compile_schema(schema)
    except jsonschema_rs.ValidationError as error:
        hint = _PATTERN_HINT if error.kind.name == "format" else ""
        yield SchemaFault(tuple(error.instance_path), f"It is not a JSON Schema: {error.message}.", hint)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        yield SchemaFault((), f"It cannot be used: {str(error).splitlines()[0]}.")


def _pointer(path: Path) -> str:
    return "#" + "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def look_up(whole: Schema, ref: str) -> Any:
    """Return the part of a sound schema that a reference names."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in ref.split("/")[1:]]
    node: Any = whole
    for part in parts:
        node = node[int(part)] if isinstance(node, list) else node[part]
    return node


def _node(schema: Any, path: Path) -> Any:
    for part in path:
        schema = schema[part]
    return schema
