"""What changed between two versions of a definition, and what of it breaks clients.

Types are compared once, by name, in the directions in which elements use them; elements are compared up to the types
that they name. Texts for people (descriptions, examples) are not compared.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count, islice

from roadbed.catalog.rules.definitions.breaking import RULES, Impact, Rule
from roadbed.catalog.rules.definitions.expansion import write_type
from roadbed.catalog.rules.definitions.merging import is_merged, merge
from roadbed.catalog.rules.definitions.model import (
    Combination,
    Definition,
    Direction,
    Element,
    Fact,
    Field,
    NamedType,
    Section,
    Shape,
)
from roadbed.catalog.rules.definitions.text import shorten

MOST_CHANGES = 1_000
_WIDER = {("integer", "number")}
_LOWER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
_UPPER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
_ORDER = list(Impact)

Directions = frozenset[Direction]


class Sign(StrEnum):
    ADDED = "+"
    REMOVED = "-"
    CHANGED = "~"


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Args:
        place: where, from the outside: an element or type, then the parts inside it.
        what: what happened, as words.
        element: the id of the element or type.
    """

    sign: Sign
    place: tuple[str, ...]
    what: str
    rule: Rule
    element: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The changes, those that break clients first; `is_cut` when there are more."""

    changes: tuple[Change, ...]
    is_cut: bool = False

    def count(self, impact: Impact) -> int:
        return sum(change.rule.impact is impact for change in self.changes)


def compare(before: Definition, after: Definition) -> Comparison:
    """Return what changed from one version to the next."""
    comparer = _Comparer(before, after)
    found = list(islice(comparer.compare(), MOST_CHANGES + 1))
    kept = sorted(found[:MOST_CHANGES], key=lambda change: _ORDER.index(change.rule.impact))
    return Comparison(tuple(kept), is_cut=len(found) > MOST_CHANGES)


@dataclass(frozen=True, slots=True)
class _At:
    """Where the comparison is, and which way the values there travel."""

    element: str
    place: tuple[str, ...]
    ways: Directions

    def inside(self, *names: str, ways: Directions | None = None) -> "_At":
        return _At(self.element, (*self.place, *map(shorten, names)), self.ways if ways is None else ways)

    def change(self, sign: Sign, code: str, what: str, before: str = "", after: str = "") -> Change:
        return Change(sign, self.place, what, RULES[code], self.element, shorten(before), shorten(after))

    def judge(self, sign: Sign, codes: Mapping[Direction, str], what: str, *values: str) -> Iterator[Change]:
        """Yield one change by the rule that is the worst for the directions."""
        rules = [RULES[codes[way]] for way in self.ways] or [RULES["unused-changed"]]
        worst = min(rules, key=lambda rule: _ORDER.index(rule.impact))
        yield Change(sign, self.place, what, worst, self.element, *map(shorten, values))


class _Comparer:
    def __init__(self, before: Definition, after: Definition) -> None:
        self._before, self._after = before, after
        self._old_types = {type_.name: type_ for type_ in before.types}
        self._new_types = {type_.name: type_ for type_ in after.types}
        self._has_wire_names = after.head.has_wire_names
        self._ways = _find_ways(before), _find_ways(after)
        self._renamed: set[tuple[str, str, Directions]] = set()

    def compare(self) -> Iterator[Change]:
        yield from self._elements()
        yield from self._types()

    def _elements(self) -> Iterator[Change]:
        old = {element.id: element for element in self._before.elements}
        new = {element.id: element for element in self._after.elements}
        for id_, element in old.items():
            at = _At(id_, (_title(element),), frozenset())
            if id_ not in new:
                yield at.change(Sign.REMOVED, "element-removed", "removed")
            else:
                yield from self._element(at, element, new[id_])
        for id_, element in new.items():
            if id_ not in old:
                yield _At(id_, (_title(element),), frozenset()).change(Sign.ADDED, "element-added", "added")

    def _element(self, at: _At, old: Element, new: Element) -> Iterator[Change]:
        yield from _deprecation(at, old.is_deprecated, new.is_deprecated)
        yield from _facts(at, old.facts, new.facts)
        if old.label != new.label:
            yield at.change(Sign.CHANGED, "contract-changed", "kind", old.label, new.label)
        before = {section.key: section for section in old.sections}
        after = {section.key: section for section in new.sections}
        for key, section in before.items():
            inside = at.inside(section.title, ways=frozenset({section.direction}))
            if key not in after:
                yield from _section_gone(inside, section)
            else:
                yield from self._section(inside, section, after[key])
        for key, section in after.items():
            if key not in before:
                yield from _section_new(at.inside(section.title, ways=frozenset({section.direction})), section)

    def _section(self, at: _At, old: Section, new: Section) -> Iterator[Change]:
        yield from _required(at, old.is_required, new.is_required)
        yield from self._fields(at, old.fields, new.fields)
        yield from self._shape(at, old.shape or Shape(type="nothing"), new.shape or Shape(type="nothing"))

    def _types(self) -> Iterator[Change]:
        for name, old in self._old_types.items():
            ways = self._ways[0].get(name, frozenset()) | self._ways[1].get(name, frozenset())
            at = _At(f"type:{name}", (shorten(name),), ways)
            new = self._new_types.get(name)
            if new is None:
                code = "type-removed" if self._has_wire_names else "schema-removed"
                yield at.change(Sign.REMOVED, code, "removed")
            else:
                yield from _deprecation(at, old.is_deprecated, new.is_deprecated)
                yield from self._shape(at, old.shape, new.shape)
        for name in self._new_types.keys() - self._old_types.keys():
            yield _At(f"type:{name}", (shorten(name),), frozenset()).change(Sign.ADDED, "type-added", "added")

    def _fields(self, at: _At, old: Sequence[Field], new: Sequence[Field]) -> Iterator[Change]:
        before = {(field.place, field.name): field for field in old}
        after = {(field.place, field.name): field for field in new}
        for key, field in before.items():
            inside = at.inside(_field_title(field))
            if key not in after:
                codes = {Direction.IN: "input-removed", Direction.OUT: "output-removed"}
                yield from inside.judge(Sign.REMOVED, codes, "removed")
            else:
                yield from self._field(inside, field, after[key])
        for key, field in after.items():
            if key not in before:
                is_demanded = field.is_required and not field.shape.default
                codes = {
                    Direction.IN: "required-input-added" if is_demanded else "input-added",
                    Direction.OUT: "output-added",
                }
                yield from at.inside(_field_title(field)).judge(
                    Sign.ADDED, codes, "added, required" if field.is_required else "added"
                )

    def _field(self, at: _At, old: Field, new: Field) -> Iterator[Change]:
        yield from _deprecation(at, old.is_deprecated, new.is_deprecated)
        yield from _required(at, old.is_required, new.is_required)
        yield from self._fields(at.inside(ways=frozenset({Direction.IN})), old.arguments, new.arguments)
        yield from self._shape(at, old.shape, new.shape)

    def _shape(self, at: _At, old: Shape, new: Shape) -> Iterator[Change]:
        if old == new:
            return
        if not self._has_wire_names and (old.ref != new.ref or is_merged(old) != is_merged(new)):
            # A name that travels nowhere was given, taken or changed: what counts is what stands behind it.
            names = (_name(old), _name(new), at.ways)
            if all(names[:2]):
                if names in self._renamed:
                    return
                self._renamed.add(names)
            old, new = _resolve(old, self._old_types), _resolve(new, self._new_types)
            if is_merged(old) != is_merged(new):
                old, new = merge(old, self._old_types.get)[0], merge(new, self._new_types.get)[0]
        if _word(old) != _word(new):
            yield from _type_changed(at, old, new)
            return
        yield from _nullable(at, old, new)
        yield from _values(at, old.enum, new.enum)
        yield from _rules(at, dict(old.rules), dict(new.rules))
        if old.default != new.default and Direction.IN in at.ways:
            yield at.change(Sign.CHANGED, "default-changed", "default", old.default, new.default)
        yield from self._fields(at, old.fields, new.fields)
        yield from self._variants(at, old, new)
        if old.items is not None and new.items is not None:
            yield from self._shape(at.inside("items"), old.items, new.items)

    def _variants(self, at: _At, old: Shape, new: Shape) -> Iterator[Change]:
        if old.combination is Combination.ALL and new.combination is Combination.ALL:
            yield from self._bases(at, old.variants, new.variants)
            return
        before, after = _by_name(old.variants), _by_name(new.variants)
        for name, variant in before.items():
            if name in after:
                yield from self._shape(at.inside(name), variant, after[name])
            else:
                codes = {Direction.IN: "input-variant-removed", Direction.OUT: "output-variant-removed"}
                yield from at.judge(Sign.REMOVED, codes, f"form {name} removed")
        for name in after.keys() - before.keys():
            codes = {Direction.IN: "input-variant-added", Direction.OUT: "output-variant-added"}
            yield from at.judge(Sign.ADDED, codes, f"form {name} added")

    def _bases(self, at: _At, old: Iterable[Shape], new: Iterable[Shape]) -> Iterator[Change]:
        """Compare what a shape is put together of: named types by name, the rest as one."""
        before = {shape.ref: shape for shape in old if shape.ref}
        after = {shape.ref: shape for shape in new if shape.ref}
        for name in before.keys() - after.keys():
            yield at.change(Sign.REMOVED, "base-removed", f"no longer built on {name}")
        for name in after.keys() - before.keys():
            yield at.change(Sign.ADDED, "base-added", f"built on {name}")
        yield from self._fields(at, _inline(old), _inline(new))


def _resolve(shape: Shape, types: Mapping[str, NamedType]) -> Shape:
    """Return what stands behind the name of a type, also where that is another name."""
    seen = set()
    while shape.ref in types and shape.ref not in seen:
        seen.add(shape.ref)
        shape = types[shape.ref].shape
    return shape


def _name(shape: Shape) -> str:
    """Return by which names of types a shape says what it is."""
    return shape.ref or (" ".join(part.ref for part in shape.variants) if is_merged(shape) else "")


def _inline(shapes: Iterable[Shape]) -> list[Field]:
    return [field for shape in shapes if not shape.ref for field in shape.fields]


def _by_name(variants: Iterable[Shape]) -> dict[str, Shape]:
    """Return variants by the type that they are, and those without by their order among themselves."""
    numbers = count(1)
    return {shape.ref or f"{next(numbers)}": shape for shape in variants}


def _word(shape: Shape) -> str:
    """Return what must be the same for two shapes to be of one type."""
    if shape.items is not None:
        return shape.type
    return shape.ref or f"{shape.type} {shape.format}".strip()


def _title(element: Element) -> str:
    return shorten(f"{element.label} {element.name}")


def _field_title(field: Field) -> str:
    return f"{field.name} ({field.place})" if field.place else field.name


def _deprecation(at: _At, old: bool, new: bool) -> Iterator[Change]:  # noqa: FBT001 - before and after, as everywhere here
    if old != new:
        yield at.change(
            Sign.CHANGED, "deprecated" if new else "not-deprecated", "deprecated" if new else "no longer deprecated"
        )


def _required(at: _At, old: bool, new: bool) -> Iterator[Change]:  # noqa: FBT001 - as above
    if old == new:
        return
    codes = (
        {Direction.IN: "input-became-required", Direction.OUT: "output-became-required"}
        if new
        else {Direction.IN: "input-became-optional", Direction.OUT: "output-became-optional"}
    )
    yield from at.judge(Sign.CHANGED, codes, "became required" if new else "became optional")


def _nullable(at: _At, old: Shape, new: Shape) -> Iterator[Change]:
    if old.is_nullable == new.is_nullable:
        return
    codes = (
        {Direction.IN: "input-nullable", Direction.OUT: "output-nullable"}
        if new.is_nullable
        else {Direction.IN: "input-not-nullable", Direction.OUT: "output-not-nullable"}
    )
    yield from at.judge(Sign.CHANGED, codes, "may be null" if new.is_nullable else "is never null")


def _type_changed(at: _At, old: Shape, new: Shape) -> Iterator[Change]:
    words = (_word(old), _word(new))
    texts = (write_type(old), write_type(new))
    codes = {
        Direction.IN: "type-widened" if words in _WIDER else "type-changed",
        Direction.OUT: "type-widened" if words[::-1] in _WIDER else "type-changed",
    }
    yield from at.judge(Sign.CHANGED, codes, "type", *texts)


def _values(at: _At, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    if old and not new:
        codes = {Direction.IN: "input-value-added", Direction.OUT: "output-value-added"}
        yield from at.judge(Sign.CHANGED, codes, "any value", ", ".join(old), "")
        return
    if new and not old:
        codes = {Direction.IN: "input-value-removed", Direction.OUT: "output-value-removed"}
        yield from at.judge(Sign.CHANGED, codes, "only some values", "", ", ".join(new))
        return
    for value in (value for value in old if value not in set(new)):
        codes = {Direction.IN: "input-value-removed", Direction.OUT: "output-value-removed"}
        yield from at.judge(Sign.REMOVED, codes, f"value {value} removed")
    for value in (value for value in new if value not in set(old)):
        codes = {Direction.IN: "input-value-added", Direction.OUT: "output-value-added"}
        yield from at.judge(Sign.ADDED, codes, f"value {value} added")


def _rules(at: _At, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Change]:
    for name in [*old, *(name for name in new if name not in old)]:
        before, after = old.get(name, ""), new.get(name, "")
        if before == after:
            continue
        if name in ("number", "oneof", "implements", "on"):
            yield at.change(Sign.CHANGED, _STRUCTURAL.get(name, "contract-changed"), name, before, after)
        else:
            stricter = _is_stricter(name, before, after)
            codes = (
                {Direction.IN: "input-limited", Direction.OUT: "output-limited"}
                if stricter
                else {Direction.IN: "input-unlimited", Direction.OUT: "output-unlimited"}
            )
            yield from at.judge(Sign.CHANGED, codes, name, before, after)


_STRUCTURAL = {"number": "field-number-changed"}


def _is_stricter(name: str, before: str, after: str) -> bool:
    """Tell whether fewer values fulfil a rule than before; what cannot be told counts as stricter."""
    if not before or not after:
        return not before
    try:
        old, new = float(before), float(after)
    except ValueError:
        return True
    return new > old if name in _LOWER else new < old if name in _UPPER else True


def _facts(at: _At, old: Sequence[Fact], new: Sequence[Fact]) -> Iterator[Change]:
    before = {fact.label: fact for fact in old}
    after = {fact.label: fact for fact in new}
    for label in [*before, *(label for label in after if label not in before)]:
        values = before.get(label), after.get(label)
        texts = tuple(fact.value if fact else "" for fact in values)
        if texts[0] == texts[1]:
            continue
        is_contract = any(fact is not None and fact.is_contract for fact in values)
        code = "sign-in-changed" if label == "Sign-in" else "contract-changed" if is_contract else "fact-changed"
        yield at.change(Sign.CHANGED, code, label, *texts)


def _section_gone(at: _At, section: Section) -> Iterator[Change]:
    kind = section.key.partition(" ")[0]
    if kind in ("parameters", "arguments"):
        for field in section.fields:
            yield at.inside(_field_title(field)).change(Sign.REMOVED, "input-removed", "removed")
        return
    code = "body-removed" if kind in ("body", "request") else "response-removed"
    code = "error-removed" if section.is_error else "message-removed" if "message" in section.key else code
    yield at.change(Sign.REMOVED, code, "removed")


def _section_new(at: _At, section: Section) -> Iterator[Change]:
    kind = section.key.partition(" ")[0]
    if kind in ("parameters", "arguments"):
        for field in section.fields:
            is_demanded = field.is_required and not field.shape.default
            code = "required-input-added" if is_demanded else "input-added"
            yield at.inside(_field_title(field)).change(
                Sign.ADDED, code, "added, required" if field.is_required else "added"
            )
        return
    if "message" in section.key:
        codes = {Direction.IN: "input-message-added", Direction.OUT: "output-message-added"}
        yield from at.judge(Sign.ADDED, codes, "added")
    elif section.direction is Direction.IN and section.is_required:
        yield at.change(Sign.ADDED, "required-input-added", "added, required")
    else:
        yield at.change(Sign.ADDED, "body-added" if kind == "body" else "response-added", "added")


def _find_ways(definition: Definition) -> dict[str, Directions]:
    """Return for each type in which directions its values travel."""
    types = {type_.name: type_.shape for type_ in definition.types}
    ways: dict[str, set[Direction]] = {}
    waiting: list[tuple[str, Direction]] = []
    for element in definition.elements:
        for section in element.sections:
            shapes = [field.shape for field in section.fields] + ([section.shape] if section.shape else [])
            waiting += [(ref, section.direction) for shape in shapes for ref in _refs(shape)]
    for type_ in definition.types:  # what arguments of fields name is sent
        waiting += [
            (ref, Direction.IN)
            for field in type_.shape.fields
            for argument in field.arguments
            for ref in _refs(argument.shape)
        ]
    while waiting:
        name, way = waiting.pop()
        known = ways.setdefault(name, set())
        if way not in known and name in types:
            known.add(way)
            waiting += [(ref, way) for ref in _refs(types[name])]
    return {name: frozenset(found) for name, found in ways.items()}


def _refs(shape: Shape) -> Iterator[str]:
    """Yield the types that a shape names, however deep."""
    waiting = [shape]
    while waiting:
        one = waiting.pop()
        if one.ref:
            yield one.ref
        waiting += [field.shape for field in one.fields] + list(one.variants)
        if one.items is not None:
            waiting.append(one.items)
