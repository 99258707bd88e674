"""Which entities a filter of lists means, and which facets it has, in the words of the index."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from pyroaring import BitMap

from roadbed.catalog.rules.index.columns import union
from roadbed.catalog.rules.index.conditions import AllOf, AnyOf, Condition, HasKey, HasValue
from roadbed.catalog.rules.index.entries import HELD, LOCATION, ORPHAN, OWNER, STALE, SYSTEM
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.relations import list_targets
from roadbed.catalog.rules.index.rows import TRUE
from roadbed.catalog.rules.ownership import spread_down
from roadbed.catalog.types import EntityFilter

MOST_WORDS = 10
MOST_GROUPS = 10_000
KEYS = {
    "kinds": "kind",
    "namespaces": "metadata.namespace",
    "types": "spec.type",
    "lifecycles": "spec.lifecycle",
    "owners": OWNER,
    "systems": SYSTEM,
    "tags": "metadata.tags",
}


def select(index: Index, wanted: EntityFilter, *, has: Callable[[str], bool] | None = None) -> BitMap:
    """Return the numbers of the entities that a filter lets through. The bitmap is not to be changed.

    Args:
        index: to look in.
        wanted: the filter.
        has: tells which refs there are, where that is more or less than the index holds.
    """
    if wanted.is_inherited:
        wanted = replace(wanted, owners=tuple(owners_below(index, wanted.owners)))
    found = index.select(AllOf(tuple(_conditions(wanted))))
    if wanted.is_unowned:
        found = found & _unowned(index, wanted.owned_kinds, has or index.has)
    if wanted.refs is not None:
        numbers = map(index.number_of, wanted.refs)
        found = found & BitMap(number for number in numbers if number is not None)
    return index.search(wanted.text.lower().split()[:MOST_WORDS], found)


def owners_below(index: Index, owners: Iterable[str]) -> list[str]:
    """Return these owners, and the groups below them."""
    found: dict[str, int] = {}
    for owner in owners:
        found |= spread_down(owner.lower(), lambda ref: list_targets(index, ref, "parentOf"), limit=MOST_GROUPS)
    return list(found)


def _conditions(wanted: EntityFilter) -> list[Condition]:
    conditions: list[Condition] = [HasValue(HELD, (TRUE,))]
    for field, key in KEYS.items():
        values = getattr(wanted, field)
        if values:
            conditions.append(HasValue(key, tuple(value.lower() for value in values)))
    if wanted.owned_by is not None:
        conditions.append(HasValue(OWNER, tuple(owner.lower() for owner in wanted.owned_by)))
    if wanted.location_id is not None:
        conditions.append(HasValue(LOCATION, (str(wanted.location_id),)))
    if wanted.is_orphan:
        conditions.append(HasKey(ORPHAN))
    if wanted.is_stale:
        failing = HasValue(LOCATION, wanted.failing_locations) if wanted.failing_locations else AnyOf()
        conditions.append(AnyOf((HasKey(STALE), failing)))
    return conditions


def _unowned(index: Index, owned_kinds: tuple[str, ...], has: Callable[[str], bool]) -> BitMap:
    """Return what should have an owner and has none, or one that is not there."""
    owned = index.select(HasValue("kind", tuple(kind.lower() for kind in owned_kinds))) if owned_kinds else BitMap()
    column = index.column(OWNER)
    if column is None:
        return owned
    missing = union(numbers for owner, numbers in column.values.items() if not has(owner))
    return owned - (column.exists - missing)
