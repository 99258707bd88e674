"""JSON Schema, in the dialects of OpenAPI and AsyncAPI, as shapes.

A `$ref` becomes the name of a type; each place that is referred to is read once, so cycles cost nothing and the work
grows with the document.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from roadbed.catalog.rules.definitions.model import Combination, Field, NamedType, Shape
from roadbed.catalog.rules.definitions.sources import Pointers, mapping, sequence, text_of
from roadbed.catalog.rules.definitions.text import write_example, write_value

ANY_NAME = "(any other name)"
_RULES = (
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern",
    "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "readOnly", "writeOnly",
    "contentEncoding", "contentMediaType",
)  # fmt: skip
_COMBINATIONS = (("allOf", Combination.ALL), ("anyOf", Combination.ANY), ("oneOf", Combination.ONE))
_MOST_SHAPES = 300_000
_MOST_ENUM = 500
_MOST_EXAMPLES = 10


class SchemaReader:
    """Reads the schemas of one document.

    Args:
        pointers: into the document.
        home: where the types of the format stand: `#/components/schemas/`.
    """

    def __init__(self, pointers: Pointers, *, home: str) -> None:
        self._pointers = pointers
        self._home = home
        self._names: dict[str, str] = {}
        self._waiting: deque[str] = deque()
        self._left = _MOST_SHAPES
        self.notices: list[str] = []

    def read(self, node: Any) -> Shape:
        """Return the shape that a schema describes."""
        if self._left <= 0:
            if not self.notices:
                self.notices.append(f"Schemas after the first {_MOST_SHAPES:,} are left out.")
            return Shape(note="left out")
        self._left -= 1
        if isinstance(node, bool):
            return Shape() if node else Shape(type="nothing")
        if not isinstance(node, dict):
            return Shape()
        if isinstance(node.get("$ref"), str):
            return self._refer(node)
        if isinstance(node.get("$dynamicRef"), str):
            return Shape(note=f"{node['$dynamicRef']} is chosen when it is used, and was not followed")
        return self._describe(node)

    def read_types(self, named: dict[str, Any]) -> list[NamedType]:
        """Return the types of a document: those under their names, and whatever else was referred to."""
        types = []
        for name in named:
            self._name(self._home + _escape(name))
        while self._waiting:
            ref = self._waiting.popleft()
            node = self._pointers.find(ref)
            if node is not None:
                shape = self.read(node)
                types.append(
                    NamedType(
                        name=self._names[ref],
                        label="schema",
                        shape=shape,
                        description=shape.description,
                        is_deprecated=shape.is_deprecated,
                    )
                )
        return types

    def _name(self, ref: str) -> str:
        if ref not in self._names:
            plain = ref.removeprefix(self._home).replace("~1", "/").replace("~0", "~")
            is_home = ref.startswith(self._home) and "/" not in ref.removeprefix(self._home)
            self._names[ref] = plain if is_home else ref.removeprefix("#/")
            self._waiting.append(ref)
        return self._names[ref]

    def _refer(self, node: dict[str, Any]) -> Shape:
        ref = node["$ref"]
        description = text_of(node, "description")
        if self._pointers.find(ref) is None:
            return Shape(type=ref.rpartition("/")[2], note=self._pointers.problems[ref], description=description)
        name = self._name(ref)
        return Shape(type=name, ref=name, description=description, is_deprecated=node.get("deprecated") is True)

    def _describe(self, node: dict[str, Any]) -> Shape:
        types = [node["type"]] if isinstance(node.get("type"), str) else sequence(node, "type")
        words = [word for word in types if isinstance(word, str) and word != "null"]
        fields = tuple(self._fields(node))
        variants, combination = self._variants(node)
        items = self.read(node["items"]) if isinstance(node.get("items"), dict | bool) else None
        enum = [node["const"]] if "const" in node else sequence(node, "enum")
        examples = sequence(node, "examples") or ([node["example"]] if "example" in node else [])
        default = node.get("default")
        return Shape(
            type=" or ".join(words) or _guess(fields=fields, items=items, variants=variants, enum=enum),
            format=text_of(node, "format"),
            items=items,
            fields=fields,
            variants=variants,
            combination=combination,
            enum=tuple(write_value(value) for value in enum[:_MOST_ENUM]),
            rules=tuple((name, write_value(node[name])) for name in _RULES if node.get(name) not in (None, False)),
            is_nullable="null" in types or node.get("nullable") is True or node.get("x-nullable") is True,
            default="" if "default" not in node else write_value(default) or '""',
            examples=tuple(write_example(value) for value in examples[:_MOST_EXAMPLES]),
            description=text_of(node, "description") or text_of(node, "title"),
            is_deprecated=node.get("deprecated") is True,
        )

    def _fields(self, node: dict[str, Any]) -> Iterator[Field]:
        required = {name for name in sequence(node, "required") if isinstance(name, str)}
        properties = mapping(node, "properties")
        for name, schema in properties.items():
            yield self._field(name, schema, is_required=name in required)
        for pattern, schema in mapping(node, "patternProperties").items():
            yield self._field(f"/{pattern}/", schema)
        for index, schema in enumerate(sequence(node, "prefixItems")):
            yield self._field(f"[{index}]", schema)
        if isinstance(node.get("additionalProperties"), dict) and node["additionalProperties"]:
            yield self._field(ANY_NAME, node["additionalProperties"])
        for name in sorted(required - properties.keys()):
            yield Field(name=name, shape=Shape(), is_required=True)

    def _field(self, name: str, schema: Any, *, is_required: bool = False) -> Field:
        shape = self.read(schema)
        return Field(
            name=name,
            shape=shape,
            is_required=is_required,
            is_deprecated=shape.is_deprecated,
            description=shape.description,
        )

    def _variants(self, node: dict[str, Any]) -> tuple[tuple[Shape, ...], Combination]:
        """Return what a schema combines; several ways of combining at once are all to hold."""
        found = [(way, sequence(node, key)) for key, way in _COMBINATIONS if sequence(node, key)]
        if not found:
            return (), Combination.ALL
        if len(found) == 1:
            way, parts = found[0]
            return tuple(self.read(part) for part in parts), way
        return tuple(
            Shape(type=way, variants=tuple(self.read(part) for part in parts), combination=way) for way, parts in found
        ), Combination.ALL


def _guess(*, fields: tuple[Field, ...], items: Shape | None, variants: tuple[Shape, ...], enum: list[Any]) -> str:
    if fields:
        return "object"
    if items is not None:
        return "array"
    if variants:
        return ""
    return "string" if enum and all(isinstance(value, str) for value in enum) else "any"


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
