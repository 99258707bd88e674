"""What changed, as a person would tell it: a run that added thirty entities is one line, not thirty."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from roadbed.catalog.contract import ChangeKind, RecentChange, entity_href

_AT_ONCE = timedelta(seconds=5)
_NAMED = 2
_WORDS = {
    ChangeKind.CREATED: ("circle-plus", "was added", "were added"),
    ChangeKind.UPDATED: ("git-commit", "changed", "changed"),
    ChangeKind.RESTORED: ("arrow-back-up", "came back", "came back"),
    ChangeKind.ORPHANED: ("help-circle", "is no longer declared", "are no longer declared"),
    ChangeKind.DELETED: ("circle-minus", "was removed", "were removed"),
}


@dataclass(frozen=True)
class Happening:
    """One line: "orders, cart and 28 more were added". `subjects` are title and address of the named ones.

    With `is_cut` there were more than was read, and `more` are those at least.
    """

    icon: str
    subjects: tuple[tuple[str, str | None], ...]
    more: int
    is_cut: bool
    verb: str
    actor: str
    run_id: UUID | None
    at: datetime


def tell(changes: Sequence[RecentChange], *, limit: int, is_cut: bool = False) -> list[Happening]:
    """Put neighbours that belong together into one line each.

    Args:
        changes: newest first.
        limit: of lines.
        is_cut: there are older ones, which were not read.
    """
    groups: list[list[RecentChange]] = []
    for change in changes:
        if groups and _belong_together(groups[-1][-1], change):
            groups[-1].append(change)
        else:
            groups.append([change])
    return [_tell_group(group, is_cut=is_cut and group is groups[-1]) for group in groups[:limit]]


def _belong_together(later: RecentChange, earlier: RecentChange) -> bool:
    if later.change is not earlier.change or later.run_id != earlier.run_id:
        return False
    return later.run_id is not None or (later.actor == earlier.actor and later.at - earlier.at <= _AT_ONCE)


def _name(change: RecentChange, named: Sequence[RecentChange]) -> str:
    """Return an entity's title, with its kind where another of the line has the same."""
    is_alone = sum(other.title == change.title for other in named) == 1
    return change.title if is_alone else f"{change.title} ({change.ref.kind})"


def _tell_group(group: Sequence[RecentChange], *, is_cut: bool) -> Happening:
    newest = group[0]
    icon, one, many = _WORDS[newest.change]
    named = group if len(group) <= _NAMED + 1 else group[:_NAMED]
    is_gone = newest.change is ChangeKind.DELETED
    return Happening(
        icon=icon,
        subjects=tuple((_name(change, named), None if is_gone else entity_href(change.ref)) for change in named),
        more=len(group) - len(named),
        is_cut=is_cut,
        verb=one if len(group) == 1 else many,
        actor=newest.actor,
        run_id=newest.run_id,
        at=newest.at,
    )
