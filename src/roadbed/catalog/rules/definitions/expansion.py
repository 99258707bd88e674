"""Shapes as rows that a page shows: types are followed as far as a reader can use it, and never in circles."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from roadbed.catalog.rules.definitions.merging import FindType, is_merged, merge
from roadbed.catalog.rules.definitions.model import Combination, Field, NamedType, Section, Shape
from roadbed.catalog.rules.definitions.text import shorten

DEEPEST = 6
MOST_ROWS = 400
_MOST_VALUES = 100
_MOST_RULES = 20
_RULE_WORDS = {
    "minimum": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "exclusiveMaximum": "less than",
    "multipleOf": "a multiple of",
    "minLength": "length at least",
    "maxLength": "length at most",
    "pattern": "matches",
    "minItems": "items at least",
    "maxItems": "items at most",
    "uniqueItems": "no item twice",
    "minProperties": "properties at least",
    "maxProperties": "properties at most",
    "readOnly": "read only",
    "writeOnly": "write only",
    "contentEncoding": "encoded as",
    "contentMediaType": "holds",
    "number": "number",
    "oneof": "one of the group",
    "implements": "implements",
}
_ALONE = frozenset({"uniqueItems", "readOnly", "writeOnly"})


@dataclass(frozen=True, slots=True)
class Row:
    """A line about a field, or about a variant.

    Args:
        depth: how far in it stands, from 0.
        name: of the field; empty for a whole body.
        type: in words: `array of Order`.
        ref: the type of the definition that it is, to be linked.
        enum, rules: the values and limits, as texts.
        note: what a reader must know, such as where the description goes on.
    """

    depth: int
    name: str
    type: str
    ref: str = ""
    is_required: bool = False
    is_deprecated: bool = False
    place: str = ""
    description: str = ""
    default: str = ""
    enum: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    note: str = ""


def expand_section(section: Section, find: FindType) -> list[Row]:
    """Return the rows of a section's fields and body."""
    expander = _Expander(find)
    expander.add_fields(section.fields, 0)
    if section.shape is not None:
        expander.add_whole(section.shape)
    return expander.rows


def expand_type(named: NamedType, find: FindType) -> list[Row]:
    """Return the rows of a type."""
    expander = _Expander(find, inside=named.name)
    expander.add_whole(named.shape, has_description=False)
    return expander.rows


def write_type(shape: Shape) -> str:
    """Return the type of a value in words."""
    if shape.items is not None:
        word = "list" if shape.type in ("array", "list", "any") else shape.type
        text = f"{word} {write_type(shape.items)}" if word.startswith("map") else f"{word} of {write_type(shape.items)}"
    else:
        text = shape.type or ("object" if shape.combination is Combination.ALL else shape.combination)
    text += f" ({shape.format})" if shape.format else ""
    return f"{text} or null" if shape.is_nullable else text


class _Expander:
    """Collects rows until there are enough of them; `inside` are the types that are open."""

    def __init__(self, find: FindType, *, inside: str = "") -> None:
        self._find = find
        self._open = [inside] if inside else []
        self.rows: list[Row] = []

    def add_fields(self, fields: Sequence[Field], depth: int) -> None:
        for field in fields:
            if self._is_full(depth):
                return
            self._add(
                Row(
                    depth,
                    field.name,
                    write_type(field.shape),
                    is_required=field.is_required,
                    is_deprecated=field.is_deprecated,
                    place=field.place,
                    description=field.description,
                ),
                field.shape,
            )
            if field.arguments:
                self.add_fields([_as_argument(argument) for argument in field.arguments[:MOST_ROWS]], depth + 1)

    def add_whole(self, shape: Shape, *, has_description: bool = True) -> None:
        """Add a body: its own row only where it says more than that it is an object."""
        is_plain = bool(shape.fields) and not (shape.variants or shape.rules or shape.enum or shape.note or shape.ref)
        if is_plain and not shape.is_nullable:
            self.add_fields(shape.fields, 0)
            return
        description = shape.description if has_description else ""
        self._add(Row(0, "", write_type(shape), description=description), shape)

    def _add(self, row: Row, shape: Shape) -> None:
        """Add a row with what its shape says, and the rows inside it."""
        core = _unwrap(shape)
        note = shape.note or core.note
        opened = self._open_type(core.ref) if core.ref else None
        if core.ref and opened is None and not note:
            note = "as above" if core.ref in self._open else ""
        self.rows.append(
            Row(
                row.depth,
                shorten(row.name),
                shorten(row.type),
                ref=core.ref,
                is_required=row.is_required,
                is_deprecated=row.is_deprecated,
                place=row.place,
                description=row.description or (opened.description if opened else ""),
                default=shape.default,
                enum=tuple(map(shorten, (opened.shape if opened else core).enum[:_MOST_VALUES])),
                rules=tuple(_write_rules([*shape.rules, *(core.rules if core is not shape else ())][:_MOST_RULES])),
                examples=shape.examples,
                note=note or (opened.shape.note if opened else ""),
            )
        )
        if opened is not None:
            self._open.append(core.ref)
            self._add_inside(_unwrap(opened.shape), row.depth + 1)
            self._open.pop()
        else:
            self._add_inside(core, row.depth + 1)

    def _open_type(self, ref: str) -> NamedType | None:
        return None if ref in self._open else self._find(ref)

    def _add_inside(self, shape: Shape, depth: int) -> None:
        if not (shape.fields or shape.variants):
            return
        if depth > DEEPEST:
            self.rows[-1] = _with_note(self.rows[-1], "deeper levels are not shown here")
            return
        if is_merged(shape):
            shape, names = merge(shape, self._open_type)
            self._open += names
            self._add_parts(shape, depth)
            del self._open[len(self._open) - len(names) :]
        else:
            self._add_parts(shape, depth)

    def _add_parts(self, shape: Shape, depth: int) -> None:
        self.add_fields(shape.fields, depth)
        for number, variant in enumerate(shape.variants, 1):
            if self._is_full(depth):
                return
            name = f"{shape.combination} {number}"
            self._add(Row(depth, name, write_type(variant), description=variant.description), variant)

    def _is_full(self, depth: int) -> bool:
        if len(self.rows) < MOST_ROWS:
            return False
        if self.rows[-1].note != _CUT:
            self.rows.append(Row(depth, "", "", note=_CUT))
        return True


_CUT = f"There is more: only the first {MOST_ROWS} fields are shown here."


def _unwrap(shape: Shape) -> Shape:
    """Return what a list holds, through lists of lists."""
    while shape.items is not None:
        shape = shape.items
    return shape


def _with_note(row: Row, note: str) -> Row:
    return Row(**{name: getattr(row, name) for name in Row.__slots__} | {"note": note})


def _as_argument(field: Field) -> Field:
    return Field(
        name=field.name,
        shape=Shape(type=field.shape.type, items=field.shape.items, default=field.shape.default),
        is_required=field.is_required,
        is_deprecated=field.is_deprecated,
        description=field.description,
        place="argument",
    )


def _write_rules(rules: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, value in rules:
        word = _RULE_WORDS.get(name, name)
        yield word if name in _ALONE else f"{word} {value}"
