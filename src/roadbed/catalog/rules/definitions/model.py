"""One model for definitions of every format: elements that one calls or listens to, and types that they speak of.

A shape refers to a type by its name and never holds it, so that a model is as large as its document, also when types
hold each other. Values such as defaults and examples are texts: how the document writes them.
"""

import dataclasses
from collections.abc import Iterator
from dataclasses import MISSING, dataclass
from enum import StrEnum
from typing import Any


class Direction(StrEnum):
    """Seen from a client: what it sends, and what it gets."""

    IN = "in"
    OUT = "out"


class Combination(StrEnum):
    """What the variants of a shape mean together."""

    ALL = "all of"
    ANY = "any of"
    ONE = "one of"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What a value looks like.

    Args:
        type: in the words of the format: `string`, `object`, `array`, the name of a type.
        ref: the type of the model that it is; empty when it is described here.
        format: of a text or number, `date-time`.
        items: of a list.
        fields: of an object.
        variants: other shapes, together as `combination` says.
        enum: the values it can have.
        rules: what a value must fulfil, as pairs of name and value: `("maxLength", "20")`.
        note: what a reader must know about the description itself, such as that a part of it is elsewhere.
    """

    type: str = "any"
    ref: str = ""
    format: str = ""
    items: "Shape | None" = None
    fields: tuple["Field", ...] = ()
    variants: tuple["Shape", ...] = ()
    combination: Combination = Combination.ALL
    enum: tuple[str, ...] = ()
    rules: tuple[tuple[str, str], ...] = ()
    is_nullable: bool = False
    default: str = ""
    examples: tuple[str, ...] = ()
    description: str = ""
    is_deprecated: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A named part: a property, a parameter, a field of a message. `place` says where it stands: `query`."""

    name: str
    shape: Shape
    is_required: bool = False
    is_deprecated: bool = False
    description: str = ""
    place: str = ""
    arguments: tuple["Field", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of an element: its parameters, a body, a response, a message. `key` is what it is known by."""

    key: str
    title: str
    direction: Direction
    description: str = ""
    is_required: bool = False
    is_error: bool = False
    fields: tuple[Field, ...] = ()
    shape: Shape | None = None
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """Something said about a definition or an element. `is_contract`: clients rely on it."""

    label: str
    value: str
    is_contract: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """What one calls or listens to: an operation, a message on a channel, a query, a method. `id` is unique."""

    id: str
    label: str
    name: str
    group: str
    summary: str = ""
    description: str = ""
    is_deprecated: bool = False
    facts: tuple[Fact, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedType:
    """A type of the definition; `label` is its sort: `schema`, `enum`, `input`, `message`."""

    name: str
    label: str
    shape: Shape
    description: str = ""
    is_deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A line of the table of contents."""

    id: str
    label: str
    name: str
    group: str = ""
    summary: str = ""
    is_deprecated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Everything but the elements and types themselves.

    Args:
        format: with its version: `OpenAPI 3.1.0`.
        has_wire_names: whether names of types are part of what travels or is compiled (GraphQL, Protocol Buffers).
        notices: what was left out, and why.
    """

    format: str
    title: str = ""
    version: str = ""
    description: str = ""
    has_wire_names: bool = False
    facts: tuple[Fact, ...] = ()
    groups: tuple[Group, ...] = ()
    elements: tuple[Entry, ...] = ()
    types: tuple[Entry, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    head: Head
    elements: tuple[Element, ...] = ()
    types: tuple[NamedType, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why a text is no definition. `line` and `column` count from 1; 0 when the place is unknown."""

    reason: str
    hint: str = ""
    line: int = 0
    column: int = 0


class BrokenDefinition(Exception):
    """A text cannot be read as a definition of its format."""

    def __init__(self, reason: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.broken = Broken(reason=reason, hint=hint, line=line, column=column)


def assemble(
    head: Head, elements: list[Element], types: list[NamedType], *, groups: dict[str, str] | None = None
) -> Definition:
    """Return the definition, with its table of contents.

    Args:
        head: without groups and entries.
        elements: in the order in which they are shown; one whose id is taken gets a number behind it.
        types: likewise; the first of a name stays.
        groups: descriptions of groups by name, in their order; groups that are not among them come last.
    """
    unique = _make_unique(elements)
    kept = {type_.name: type_ for type_ in reversed(types)}
    ordered = [type_ for type_ in {type_.name: None for type_ in types} if type_ in kept]
    described = groups or {}
    used = {element.group: None for element in unique}
    names = [name for name in described if name in used] + [name for name in used if name not in described]
    head = dataclasses.replace(
        head,
        groups=tuple(Group(name=name, description=described.get(name, "")) for name in names),
        elements=tuple(
            Entry(
                id=element.id,
                label=element.label,
                name=element.name,
                group=element.group,
                summary=element.summary,
                is_deprecated=element.is_deprecated,
            )
            for element in unique
        ),
        types=tuple(
            Entry(
                id=f"type:{name}",
                label=kept[name].label,
                name=name,
                summary=first_line(kept[name].description),
                is_deprecated=kept[name].is_deprecated,
            )
            for name in ordered
        ),
    )
    return Definition(head=head, elements=tuple(unique), types=tuple(kept[name] for name in ordered))


def first_line(text: str) -> str:
    """Return the first line of a description, for lists."""
    line = text.strip().split("\n", 1)[0].strip()
    return line if len(line) <= 160 else line[:159] + "…"


def pack(value: Any) -> Any:
    """Return a part of a model as JSON data, without what has its default."""
    if isinstance(value, tuple | list):
        return [pack(item) for item in value]
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    return {name: pack(given) for name, given in _given(value)}


def _given(value: Any) -> Iterator[tuple[str, Any]]:
    for field in dataclasses.fields(value):
        given = getattr(value, field.name)
        if field.default is MISSING or given != field.default:
            yield field.name, given


def _make_unique(elements: list[Element]) -> list[Element]:
    taken: dict[str, int] = {}
    unique = []
    for element in elements:
        count = taken[element.id] = taken.get(element.id, 0) + 1
        unique.append(element if count == 1 else dataclasses.replace(element, id=f"{element.id}~{count}"))
    return unique
