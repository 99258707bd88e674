"""The long-lived objects of one running Roadbed, found by their type.

The composition root and the domains' providers put them in; handlers, steps and event consumers take them out.
It holds infrastructure only (engine, vault, git host, workflows…): data goes through sessions, never through here.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

T = TypeVar("T")


class Services:
    """A typed box: one object for each type."""

    def __init__(self) -> None:
        self._instances: dict[type[Any], Any] = {}
        self._withheld: dict[type[Any], Callable[[], Exception]] = {}

    def put(self, kind: type[T], instance: T) -> None:
        if kind in self._instances:
            raise RuntimeError(f"{kind.__qualname__} is provided twice")
        self._instances[kind] = instance

    def replace(self, kind: type[T], instance: T) -> None:
        """Put a newer one in place of what was provided: of things that never change themselves."""
        self.get(kind)
        self._instances[kind] = instance

    def withhold(self, kind: type[Any], reason: Callable[[], Exception]) -> None:
        """Have `get` raise `reason()`: this process does not have it, and on purpose."""
        self._withheld[kind] = reason

    def get(self, kind: type[T]) -> T:
        if (reason := self._withheld.get(kind)) is not None:
            error = reason()
            raise error
        try:
            return cast("T", self._instances[kind])
        except KeyError:
            raise RuntimeError(f"no {kind.__qualname__} is provided; is its domain in app.py?") from None

    def find(self, kind: type[T]) -> T | None:
        return cast("T | None", self._instances.get(kind))
