"""How it is with an entity and with what it hangs on: the one rule behind pages, graph and API.

Only what is checked counts. An unknown health makes nothing worse, and nothing healthy: it is said how many are not
checked. What an entity depends on never changes its own health; both are told side by side.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from roadbed.catalog.rules.graph import DEPENDENCIES, Relations
from roadbed.catalog.types import CHECKABLE_KINDS, Health, Status
from roadbed.kit.refs import EntityRef
from roadbed.kit.text import plural

MOST = 500
PARTS = ("hasPart",)
_SEVERITY = {Health.HEALTHY: 0, Health.DEPLOYING: 1, Health.DEGRADED: 2, Health.FAILING: 3}
_CHECKABLE = tuple(f"{kind.lower()}:" for kind in CHECKABLE_KINDS)
_VERBS = {Health.DEPLOYING: "is being deployed", Health.DEGRADED: "is degraded", Health.FAILING: "fails"}
_WORDS = {**_VERBS, Health.HEALTHY: "is healthy", Health.UNKNOWN: "is not checked"}

StateOf = Callable[[str], str | None]
"""Gives the reported health of a ref; None where nothing is reported."""


@dataclass(frozen=True)
class Rollup:
    """The worst health among what hangs on an entity.

    Args:
        state: the worst that was seen; unknown when nothing is checked, None when there is nothing.
        path: refs from next to the entity up to the worst one; empty while all that is checked is healthy.
        total: how many could be checked.
        counts: how many are in each state; those not checked are unknown.
        is_cut: there is more than was looked at.
    """

    state: Health | None
    path: tuple[str, ...]
    total: int
    counts: Mapping[Health, int]
    is_cut: bool

    @property
    def worst(self) -> str | None:
        return self.path[-1] if self.path else None

    @property
    def unchecked(self) -> int:
        return self.counts.get(Health.UNKNOWN, 0)

    @property
    def is_bad(self) -> bool:
        return is_bad(self.state)


@dataclass(frozen=True)
class Rolled:
    """A rollup for people.

    Args:
        rollup: what was found.
        sentence: what is said of it.
        status: what is reported of the worst one.
        path: ref and title of each from next to the entity up to the worst one.
    """

    rollup: Rollup
    sentence: str
    status: Status | None
    path: Sequence[tuple[EntityRef, str]]


@dataclass(frozen=True)
class HealthView:
    """How it is with an entity: what is reported of it, and what it hangs on. `summary` says all of it."""

    own: Status | None
    dependencies: Rolled
    parts: Rolled
    summary: str


def is_bad(state: str | None) -> bool:
    return state in (Health.DEGRADED, Health.FAILING)


def read_health(state: str | None) -> Health:
    """Return a reported state as a health; what is none, or not reported, is unknown."""
    return Health(state) if state in set(Health) else Health.UNKNOWN


def sort_key(state: str) -> int:
    """Return by what health is sorted, the worst first; what is not checked is last."""
    return -_SEVERITY.get(read_health(state), -1)


def worst_of(states: Iterable[str]) -> Health:
    """Return the worst of those that are checked; unknown when none is."""
    return min(map(read_health, states), key=sort_key, default=Health.UNKNOWN)


def roll_up(
    root: str, relations_of: Callable[[str], Relations], state_of: StateOf, *, limit: int = MOST
) -> tuple[Rollup, Rollup]:
    """Return the health of what an entity depends on, and that of its parts.

    What the parts depend on counts as what the whole depends on.

    Args:
        root: its ref.
        relations_of: gives the relations of a ref; nothing for one that is not there.
        state_of: gives reported states.
        limit: most entities that are looked at, for each of the two.
    """
    parts, are_cut = _reach((root,), relations_of, PARTS, limit)
    needed, is_cut = _reach((root, *parts), relations_of, DEPENDENCIES, limit)
    return (
        _judge(needed, {**needed, **parts}, state_of, is_cut=is_cut or are_cut),
        _judge(parts, parts, state_of, is_cut=are_cut),
    )


def _reach(
    roots: Sequence[str], relations_of: Callable[[str], Relations], types: Collection[str], limit: int
) -> tuple[dict[str, str], bool]:
    """Return what is reached, nearest first, each with the one before it; and whether there was more."""
    via: dict[str, str] = {}
    seen, waiting = set(roots), deque(roots)
    while waiting:
        one = waiting.popleft()
        for target in sorted({target for type_, target in relations_of(one) if type_ in types} - seen):
            if len(via) >= limit:
                return via, True
            seen.add(target)
            via[target] = one
            waiting.append(target)
    return via, False


def _judge(reached: Collection[str], via: Mapping[str, str], state_of: StateOf, *, is_cut: bool) -> Rollup:
    states = {ref: state_of(ref) for ref in reached}
    checkable = {
        ref: read_health(state) for ref, state in states.items() if state is not None or ref.startswith(_CHECKABLE)
    }
    if not checkable:
        return Rollup(None, (), 0, {}, is_cut)
    worst = min(checkable, key=lambda ref: sort_key(checkable[ref]))
    counts = {state: count for state in Health if (count := list(checkable.values()).count(state))}
    path = _path_to(worst, via) if checkable[worst] in _VERBS else ()
    return Rollup(checkable[worst], path, len(checkable), counts, is_cut)


def _path_to(ref: str, via: Mapping[str, str]) -> tuple[str, ...]:
    path = [ref]
    while (before := via.get(path[-1])) is not None and before in via:
        path.append(before)
    return tuple(reversed(path))


def say_dependencies(rollup: Rollup, title: str) -> str:
    """Return a sentence about what an entity depends on; `title` is that of the worst one."""
    if rollup.state in _VERBS:
        return f"It depends on {title}, which {_VERBS[rollup.state]}"
    return _say_good(rollup, "that it depends on")


def say_parts(rollup: Rollup, title: str) -> str:
    """Return a sentence about the parts of an entity; `title` is that of the worst one."""
    if rollup.state in _VERBS:
        return f"Its part {title} {_VERBS[rollup.state]}"
    return _say_good(rollup, "of its parts")


def _say_good(rollup: Rollup, which: str) -> str:
    if rollup.state is Health.UNKNOWN:
        return f"None {which} is checked" if rollup.total == 1 else f"None of the {rollup.total:,} {which} is checked"
    checked = rollup.total - rollup.unchecked
    rest = f"; {plural(rollup.unchecked, 'is', 'are')} not checked" if rollup.unchecked else ""
    return f"{checked:,} {which} {'is' if checked == 1 else 'are'} healthy{rest}"


def say_health(own: str | None, *, is_checkable: bool, clauses: Sequence[tuple[Rollup, str]]) -> str:
    """Return one sentence about everything: `Healthy, but it depends on payments-db, which fails`.

    Args:
        own: the reported health.
        is_checkable: whether one would be missed.
        clauses: each rollup with what is said of it.
    """
    told = [(rollup, text[:1].lower() + text[1:]) for rollup, text in clauses if rollup.total]
    bad = [text for rollup, text in told if rollup.state in _VERBS]
    if own is None and not is_checkable:
        sentence = "; ".join(bad or [text for _, text in told]) or "nothing of it can be checked"
    else:
        sentence = "it " + _WORDS[read_health(own)]
        if bad:
            sentence += (" and " if is_bad(own) else ", but ") + "; ".join(bad)
    return sentence[:1].upper() + sentence[1:]
