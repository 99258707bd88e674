"""Shapes that are put together of others (`allOf`), as one shape."""

from collections.abc import Callable
from dataclasses import replace

from roadbed.catalog.rules.definitions.model import Combination, Field, NamedType, Shape

FindType = Callable[[str], NamedType | None]

_MOST_PARTS = 500
_ANYTHING = Shape()


def is_merged(shape: Shape) -> bool:
    """Tell whether a shape is put together of others."""
    return bool(shape.variants) and shape.combination is Combination.ALL


def merge(shape: Shape, find: FindType) -> tuple[Shape, tuple[str, ...]]:
    """Return a shape with the fields of all its parts, and theirs, and the types that these are; each is taken once."""
    fields: dict[str, Field] = {}
    names: list[str] = []
    result, word = replace(shape, variants=()), ""
    waiting = [shape]
    for _ in range(_MOST_PARTS):
        if not waiting:
            break
        part = waiting.pop(0)
        if part.ref:
            named = None if part.ref in names else find(part.ref)
            names.append(part.ref)
            waiting += [named.shape] if named is not None else []
            continue
        for field in part.fields:
            fields[field.name] = _combine(fields.get(field.name), field)
        word = word or part.type
        if is_merged(part):
            waiting += part.variants
        elif part.variants:
            result = replace(result, variants=part.variants, combination=part.combination)
    return replace(result, type=word, fields=tuple(fields.values())), tuple(names)


def _combine(known: Field | None, field: Field) -> Field:
    """Return a field that two parts speak of; a part may only say that it is required."""
    if known is None:
        return field
    says_more = known if field.shape == _ANYTHING else field
    return replace(says_more, is_required=known.is_required or field.is_required)
