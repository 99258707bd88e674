"""Filters: `key=value,other` as Backstage's query parameter `filter` has them."""

from collections.abc import Iterable

from roadbed.catalog.rules.backstage.errors import BadQuestion
from roadbed.catalog.rules.index.conditions import AllOf, AnyOf, Condition, HasKey, HasText, HasValue


def parse_filters(texts: Iterable[str]) -> Condition | None:
    """Return the condition of several filters, which are alternatives; None when they say nothing.

    Within one, statements are combined, and several values of one key are alternatives.

    Raises:
        BadQuestion: a statement has no key.
    """
    groups = [group for text in texts if (group := _parse_group(text)) is not None]
    if not groups:
        return None
    return groups[0] if len(groups) == 1 else AnyOf(tuple(groups))


def full_text(term: str, fields: Iterable[str], *, order_field: str | None) -> Condition | None:
    """Return the condition of a full-text filter; None for a term of nothing but space.

    Without fields it looks where the list is ordered by, else at the uid, as Backstage does.
    """
    wanted = term.strip().lower()
    if not wanted:
        return None
    keys = tuple(field.strip().lower() for field in fields) or (order_field or "metadata.uid",)
    return HasText(keys, wanted)


def all_of(parts: Iterable[Condition | None]) -> Condition:
    """Return the condition of all parts that say anything."""
    said = tuple(part for part in parts if part is not None)
    return said[0] if len(said) == 1 else AllOf(said)


def _parse_group(text: str) -> Condition | None:
    values: dict[str, list[str]] = {}
    for statement in text.split(","):
        key, equals, value = statement.partition("=")
        key = key.strip().lower()
        if not key:
            if equals:
                raise BadQuestion(
                    f"Invalid filter, '{statement.strip()}' is not a valid statement "
                    "(expected a string on the form a=b or a= or a)"
                )
            continue
        held = values.setdefault(key, [])
        if equals:
            held.append(value.strip().lower())
    parts = tuple(HasValue(key, tuple(wanted)) if wanted else HasKey(key) for key, wanted in values.items())
    return (parts[0] if len(parts) == 1 else AllOf(parts)) if parts else None
