"""Finding the kinds that a request names, or saying which one was probably meant."""

from collections.abc import Iterable

from roadbed.catalog.errors import KindNotFound
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.suggestions import say_closest


def get_kind(kinds: Kinds, name: str) -> KindDefinition:
    """Return the kind of that name, without regard to case.

    Raises:
        KindNotFound: with the closest name, if one is near.
    """
    definition = kinds.find(name)
    if definition is None:
        known = [one.name for one in kinds]
        hint = say_closest(name, known) or f"There are: {', '.join(known)}."
        raise KindNotFound(f"There is no kind {name}.", hint=hint)
    return definition


def require_kinds(kinds: Kinds, names: Iterable[str]) -> None:
    """Raise KindNotFound for the first name that is no kind."""
    for name in names:
        get_kind(kinds, name)
