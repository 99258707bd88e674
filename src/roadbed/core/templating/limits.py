"""How much one rendering may use, and the error that stops it."""

from collections.abc import Sized
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import TemplateRuntimeError

from roadbed.core.errors import Invalid


class TemplateFailed(Invalid):
    """A template cannot be rendered. The context holds `file`, `line` and `expression`."""

    code = "templating.failed"


class LimitReached(TemplateRuntimeError):
    """Raised inside a rendering; the engine adds file and line."""


@dataclass(frozen=True, slots=True)
class TemplateLimits:
    """What one template may use: a value, a file name, or the content of a file.

    Args:
        output_characters: of the result, and of any text made on the way.
        total_characters: of all texts made on the way together.
        step_count: rounds of loops, calls and filters.
        range_length: numbers that `range` gives.
        file_count: files of one tree.
        tree_bytes: of all files of one tree.
    """

    output_characters: int = 5_000_000
    total_characters: int = 20_000_000
    step_count: int = 100_000
    range_length: int = 10_000
    file_count: int = 5_000
    tree_bytes: int = 100_000_000


class Budget:
    """What is left to one rendering."""

    __slots__ = ("_characters", "_steps", "limits")

    def __init__(self, limits: TemplateLimits) -> None:
        self.limits = limits
        self._steps = limits.step_count
        self._characters = limits.total_characters

    def take_step(self) -> None:
        """Count a round of a loop, a call or a filter."""
        self._steps -= 1
        if self._steps < 0:
            raise LimitReached(f"It takes more than {self.limits.step_count:,} steps. Is there a loop without end?")

    def take_characters(self, count: int) -> None:
        """Count characters before they are made, so that the memory is never needed."""
        if count > self.limits.output_characters:
            raise LimitReached(f"It makes a text of more than {self.limits.output_characters:,} characters.")
        self._characters -= count
        if self._characters < 0:
            raise LimitReached(f"It makes more than {self.limits.total_characters:,} characters in all.")

    def take(self, value: Any) -> Any:
        """Count what a filter or method returned, and return it."""
        if isinstance(value, Sized):
            self.take_characters(len(value))
        return value


_budget: ContextVar[Budget] = ContextVar("template_budget")


def current_budget() -> Budget:
    """Return the budget of the rendering that runs."""
    return _budget.get()


class spending:  # noqa: N801 - used as a verb: `with spending(limits):`
    """Give a fresh budget to what is rendered inside."""

    def __init__(self, limits: TemplateLimits) -> None:
        self._limits = limits

    def __enter__(self) -> None:
        self._token = _budget.set(Budget(self._limits))

    def __exit__(self, *_: object) -> None:
        _budget.reset(self._token)
