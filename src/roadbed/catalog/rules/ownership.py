"""Who owns what through whom: a person and their groups, groups below groups, safe when parents lead in a circle."""

from collections import deque
from collections.abc import Callable, Iterable

from roadbed.core.actor import Actor


def owners_of(actor: Actor) -> tuple[str, ...]:
    """Return the refs whose things are somebody's own: their User, and the groups that they are in."""
    own = {actor.entity_ref} if actor.entity_ref else set()
    return tuple(sorted(actor.groups | own))


def spread_down(root: str, children_of: Callable[[str], Iterable[str]], *, limit: int) -> dict[str, int]:
    """Return the groups below a group with their steps, itself with 0; each once, whatever leads to it.

    Args:
        root: ref of the group.
        children_of: gives the refs of the groups below one, in their order.
        limit: most groups.
    """
    steps = {root: 0}
    waiting = deque([root])
    while waiting:
        ref = waiting.popleft()
        for child in children_of(ref):
            if child not in steps and len(steps) < limit:
                steps[child] = steps[ref] + 1
                waiting.append(child)
    return steps
