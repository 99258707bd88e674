"""What the one whose request this is may see of the catalog: all, or what the conditions of their roles let through.

Everything that reads the index gets it narrowed (`CatalogIndex.index`); what reads rows of single entities asks here.
Runs, events and schedules are not narrowed: they work for Roadbed.
"""

from functools import lru_cache

from roadbed.catalog.access import ENTITY_READ
from roadbed.catalog.errors import CatalogNarrowed
from roadbed.catalog.rules.index.conditions import AnyOf, Condition
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.index.narrowed import NarrowedIndex
from roadbed.catalog.rules.sight import Subject, translate
from roadbed.core.access import acting

_MOST_VIEWS = 200


class Views:
    """An index as those see it who ask: made once for each condition, as long as the index stays the same."""

    def __init__(self) -> None:
        self._whole: Index | None = None
        self._generation = 0
        self._views: dict[Condition, NarrowedIndex] = {}

    def of(self, index: Index) -> Index:
        """Return what there is of an index for the one who asks."""
        condition = _find_condition()
        if condition is None:
            return index
        if index is not self._whole or index.generation != self._generation or len(self._views) >= _MOST_VIEWS:
            self._whole, self._generation, self._views = index, index.generation, {}
        view = self._views.get(condition)
        if view is None:
            view = self._views[condition] = NarrowedIndex(index, index.select(condition))
        return view


def is_narrowed() -> bool:
    """Tell whether the one who asks sees a part of the catalog only."""
    return _find_condition() is not None


def require_whole(what: str) -> None:
    """Refuse what is for those only who see the whole catalog.

    Raises:
        CatalogNarrowed: a role narrows what the one who asks sees.
    """
    if is_narrowed():
        raise CatalogNarrowed(
            f"{what} is for those who see the whole catalog.",
            hint="Your roles let you see a part of it. Ask an admin for a role, or a token, without a condition.",
        )


def _find_condition() -> Condition | None:
    actor = acting()
    conditions = actor.conditions_of(ENTITY_READ.name) if actor is not None else ()
    if actor is None or not conditions:
        return None
    return _translate(conditions, Subject(actor.entity_ref, tuple(sorted(actor.groups))))


@lru_cache(maxsize=1_000)
def _translate(conditions: tuple[str, ...], subject: Subject) -> Condition:
    return AnyOf(tuple(translate(condition, subject) for condition in conditions))
