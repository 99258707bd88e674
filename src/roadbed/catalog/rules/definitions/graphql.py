"""GraphQL SDL as the common model. The syntax is read by graphql-core; the rules of a schema are not checked."""

from collections.abc import Iterator, Sequence
from typing import Any

from graphql import language
from graphql.error import GraphQLSyntaxError

from roadbed.catalog.rules.definitions.model import (
    BrokenDefinition,
    Combination,
    Definition,
    Direction,
    Element,
    Field,
    Head,
    NamedType,
    Section,
    Shape,
    assemble,
)
from roadbed.catalog.rules.definitions.sources import MAX_BYTES
from roadbed.catalog.rules.definitions.text import join_told, shorten

_ROOTS = {"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}
_GROUPS = {"query": "Queries", "mutation": "Mutations", "subscription": "Subscriptions"}
_MOST_TOKENS = 2_000_000
_LABELS = {
    "object_type": "type", "interface_type": "interface", "input_object_type": "input", "union_type": "union",
    "enum_type": "enum", "scalar_type": "scalar",
}  # fmt: skip


def read(text: str) -> Definition:
    """Return the model of a schema.

    Raises:
        BrokenDefinition: it is none; with the line.
    """
    if len(text) > MAX_BYTES:
        raise BrokenDefinition(f"The schema has {len(text):,} characters; at most {MAX_BYTES:,} are read.")
    try:
        document = language.parse(text, no_location=True, max_tokens=_MOST_TOKENS)
    except GraphQLSyntaxError as error:
        place = error.locations[0] if error.locations else None
        raise BrokenDefinition(
            f"The schema cannot be read: {error.message.removeprefix('Syntax Error: ')}",
            "Correct this place.",
            line=place.line if place else 0,
            column=place.column if place else 0,
        ) from error
    return _Reader(document.definitions).read()


class _Reader:
    def __init__(self, nodes: Sequence[Any]) -> None:
        self._parts: dict[str, list[Any]] = {}
        self._roots = dict(_ROOTS)
        self._directives = []
        self._description = ""
        for node in nodes:
            kind = node.kind.removesuffix("_definition").removesuffix("_extension")
            if kind == "schema":
                self._roots |= {part.operation.value: part.type.name.value for part in node.operation_types}
                self._description = self._description or _description(node)
            elif kind == "directive":
                self._directives.append(node)
            elif kind in _LABELS:
                self._parts.setdefault(node.name.value, []).append(node)
        self._operations = {name: kind for kind, name in self._roots.items() if name in self._parts}

    def read(self) -> Definition:
        if not self._parts:
            raise BrokenDefinition(
                "It defines no types.",
                "A schema has at least `type Query { … }`; queries of clients are no schema.",
                line=1,
            )
        elements = [element for name in self._operations for element in self._elements(name)]
        types = [self._type(name) for name in self._parts if name not in self._operations]
        types += [self._directive(node) for node in self._directives]
        head = Head(format="GraphQL", description=self._description, has_wire_names=True)
        return assemble(head, elements, types, groups=dict.fromkeys(_GROUPS.values(), ""))

    def _elements(self, root: str) -> Iterator[Element]:
        kind = self._operations[root]
        for node in self._fields_of(root):
            arguments = tuple(self._input(argument) for argument in node.arguments or ())
            sections = []
            if arguments:
                sections.append(Section(key="arguments", title="Arguments", direction=Direction.IN, fields=arguments))
            shape, is_required = self._shape(node.type)
            sections.append(
                Section(key="result", title="Result", direction=Direction.OUT, shape=shape, is_required=is_required)
            )
            description = _description(node)
            yield Element(
                id=f"{kind}-{node.name.value}",
                label=kind.upper(),
                name=node.name.value,
                group=_GROUPS[kind],
                description=description,
                is_deprecated=_deprecation(node) is not None,
                sections=tuple(sections),
            )

    def _fields_of(self, name: str) -> Iterator[Any]:
        for part in self._parts[name]:
            yield from getattr(part, "fields", None) or ()

    def _type(self, name: str) -> NamedType:
        parts = self._parts[name]
        label = _LABELS[parts[0].kind.removesuffix("_definition").removesuffix("_extension")]
        values = [value for part in parts for value in getattr(part, "values", None) or ()]
        members = [member for part in parts for member in getattr(part, "types", None) or ()]
        above = [one.name.value for part in parts for one in getattr(part, "interfaces", None) or ()]
        read_field = self._input if label == "input" else self._output
        shape = Shape(
            type=label,
            fields=tuple(read_field(node) for node in self._fields_of(name)),
            variants=tuple(self._shape(member)[0] for member in members),
            combination=Combination.ONE,
            enum=tuple(value.name.value for value in values),
            rules=tuple(("implements", one) for one in above),
            note=join_told(_describe_value(value) for value in values),
        )
        return NamedType(
            name=name,
            label=label,
            shape=shape,
            description=next((text for part in parts if (text := _description(part))), ""),
        )

    def _output(self, node: Any) -> Field:
        shape, is_required = self._shape(node.type)
        return Field(
            name=node.name.value,
            shape=shape,
            is_required=is_required,
            is_deprecated=_deprecation(node) is not None,
            description=_with_deprecation(node),
            arguments=tuple(self._input(argument) for argument in node.arguments or ()),
        )

    def _input(self, node: Any) -> Field:
        default = shorten(language.print_ast(node.default_value)) if node.default_value is not None else ""
        shape, is_required = self._shape(node.type, default=default)
        return Field(
            name=node.name.value,
            shape=shape,
            is_required=is_required and not default,
            is_deprecated=_deprecation(node) is not None,
            description=_with_deprecation(node),
        )

    def _shape(self, node: Any, *, default: str = "") -> tuple[Shape, bool]:
        """Return the shape of a type, and whether it is never null."""
        is_required = node.kind == "non_null_type"
        node = node.type if is_required else node
        if node.kind == "list_type":
            inner, is_inner_required = self._shape(node.type)
            items = inner if is_inner_required else _make_nullable(inner)
            return Shape(type="list", items=items, default=default), is_required
        name = node.name.value
        ref = name if name in self._parts and name not in self._operations else ""
        return Shape(type=name, ref=ref, default=default), is_required

    def _directive(self, node: Any) -> NamedType:
        places = ", ".join(place.value for place in node.locations)
        return NamedType(
            name=f"@{node.name.value}",
            label="directive",
            shape=Shape(
                type="directive",
                fields=tuple(self._input(argument) for argument in node.arguments or ()),
                rules=(("on", places), *((("repeatable", "yes"),) if node.repeatable else ())),
            ),
            description=_description(node),
        )


def _make_nullable(shape: Shape) -> Shape:
    return Shape(type=shape.type, ref=shape.ref, items=shape.items, is_nullable=True)


def _description(node: Any) -> str:
    return node.description.value.strip() if getattr(node, "description", None) is not None else ""


def _deprecation(node: Any) -> str | None:
    """Return why something is deprecated; None when it is not."""
    for directive in node.directives or ():
        if directive.name.value == "deprecated":
            given = [argument.value for argument in directive.arguments or () if argument.name.value == "reason"]
            return str(getattr(given[0], "value", "")) if given else ""
    return None


def _with_deprecation(node: Any) -> str:
    reason = _deprecation(node)
    return "\n\n".join(filter(None, (_description(node), f"Deprecated: {reason}" if reason else "")))


def _describe_value(node: Any) -> str:
    """Return what is said about a value of an enum, on a line."""
    told = " ".join(_with_deprecation(node).split())
    return f"{node.name.value}: {told}" if told else ""
