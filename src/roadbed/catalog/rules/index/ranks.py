"""By what entities are put in order that is no value of theirs, as whole numbers: when they changed, how bad it is.

Numbers are kept apart from columns: all of these times are different, and as texts in a column each would take a
hundred bytes.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from roadbed.catalog.rules.health import read_health
from roadbed.catalog.types import CHECKABLE_KINDS, Health

CHANGED = "\0changed"
SEVERITY = "\0severity"

Rank = Callable[[str, Mapping[str, Any]], int | None]
"""Gives the number of an entity by its ref and record, not below zero; None for one that has no place."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SEVERITIES = {health: number for number, health in enumerate(reversed(Health))}
_CHECKABLE = tuple(f"{kind.lower()}:" for kind in CHECKABLE_KINDS)


def rank_change(_: str, record: Mapping[str, Any]) -> int | None:
    """Return when an entity changed last, in microseconds."""
    at = record.get("updated_at")
    return None if at is None else max(0, (datetime.fromisoformat(at) - _EPOCH) // _MICROSECOND)


def rank_health(ref: str, record: Mapping[str, Any]) -> int | None:
    """Return how well an entity is: the worst is 0; what is not checked is as what is unknown."""
    state = record.get("health")
    if state is None and not ref.startswith(_CHECKABLE):
        return None
    return _SEVERITIES[read_health(state)]


RANKS: Mapping[str, Rank] = {CHANGED: rank_change, SEVERITY: rank_health}
