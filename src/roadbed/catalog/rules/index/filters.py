"""Which entities a filter of lists means, and which facets it has, in the words of the index."""

from pyroaring import BitMap

from roadbed.catalog.rules.index.columns import union
from roadbed.catalog.rules.index.conditions import AllOf, Condition, HasKey, HasValue
from roadbed.catalog.rules.index.entries import HELD, LOCATION, ORPHAN, OWNER, SYSTEM, TRUE
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.types import EntityFilter

MOST_WORDS = 10
_KEYS = {
    "kinds": "kind",
    "namespaces": "metadata.namespace",
    "types": "spec.type",
    "lifecycles": "spec.lifecycle",
    "owners": OWNER,
    "systems": SYSTEM,
    "tags": "metadata.tags",
}


def select(index: Index, wanted: EntityFilter) -> BitMap:
    """Return the numbers of the entities that a filter lets through. The bitmap is not to be changed."""
    found = index.select(AllOf(tuple(_conditions(wanted))))
    if wanted.is_unowned:
        found = found & _unowned(index, wanted.owned_kinds)
    return index.search(wanted.text.lower().split()[:MOST_WORDS], found)


def count_by(index: Index, wanted: EntityFilter, field: str, *, limit: int) -> list[tuple[str, int]]:
    """Return the values of a field of the filter with their counts, most frequent first; its own filter is left out."""
    counts = index.facet(_KEYS[field], select(index, wanted.without(field)))
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]


def _conditions(wanted: EntityFilter) -> list[Condition]:
    conditions: list[Condition] = [HasValue(HELD, (TRUE,))]
    for field, key in _KEYS.items():
        values = getattr(wanted, field)
        if values:
            conditions.append(HasValue(key, tuple(value.lower() for value in values)))
    if wanted.location_id is not None:
        conditions.append(HasValue(LOCATION, (str(wanted.location_id),)))
    if wanted.is_orphan:
        conditions.append(HasKey(ORPHAN))
    return conditions


def _unowned(index: Index, owned_kinds: tuple[str, ...]) -> BitMap:
    """Return what should have an owner and has none, or one that is not there."""
    owned = index.select(HasValue("kind", tuple(kind.lower() for kind in owned_kinds))) if owned_kinds else BitMap()
    column = index.column(OWNER)
    if column is None:
        return owned
    missing = union(numbers for owner, numbers in column.values.items() if index.number_of(owner) is None)
    return owned - (column.exists - missing)
