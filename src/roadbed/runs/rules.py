"""Pure decisions about runs."""

from collections.abc import Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any, Protocol, TypeVar

from roadbed.core.actor import Actor, ActorKind
from roadbed.core.errors import RoadbedError
from roadbed.kit.clock import now
from roadbed.kit.text import clean_text, name_actor
from roadbed.runs.types import StepState

RUN_NOUNS = {
    "pending": ("todo", "Waiting to start"),
    "running": ("run", "Running"),
    "waiting": ("wait", "Waiting"),
    "undoing": ("run", "Undoing"),
    "succeeded": ("ok", "Done"),
    "failed": ("bad", "Failed"),
    "cancelled": ("no", "Cancelled"),
    "skipped": ("no", "Skipped"),
    "undone": ("no", "Undone"),
}


def state_words(state: str) -> tuple[str, str]:
    """Return the kind and the word with which pages show a state of a run or step."""
    return RUN_NOUNS[state]


def initiator_words(initiator: str, reader: Actor) -> str:
    """Return who started a run, for `reader`: `you`, the name of an account, or `Roadbed` for its own work."""
    return "you" if initiator == reader.label else name_actor(initiator)


def seconds_between(started_at: datetime | None, finished_at: datetime | None) -> float | None:
    """Return how long something took, or takes until now; None when it has not begun."""
    return ((finished_at or now()) - started_at).total_seconds() if started_at else None


class _Step(Protocol):
    key: Any
    state: Any
    attempt: Any
    line_count: Any


StepT = TypeVar("StepT", bound=_Step)


def choose_step(steps: Sequence[StepT], key: str | None) -> StepT | None:
    """Return the step whose log is shown: the asked one, else the failed, the moving, the last that said something."""
    by_key = next((step for step in steps if step.key == key), None)
    if by_key is not None:
        return by_key
    for state in (StepState.FAILED, StepState.RUNNING, StepState.WAITING):
        for step in steps:
            if step.state == state:
                return step
    begun = [step for step in steps if step.attempt]
    said = [step for step in begun if step.line_count]
    return next((found[-1] for found in (said, begun, steps[:1]) if found), None)


def first_line_shown(count: int, *, line: int | None, limit: int) -> int:
    """Return the first of the `limit` lines that a page shows of `count`: the newest, or those around `line`."""
    newest = max(1, count - limit + 1)
    return newest if line is None else max(1, min(line - limit // 2, newest))


def freeze_actor(actor: Actor) -> dict[str, Any]:
    """Return `actor` as JSON; steps act as who started the run, with the rights of that moment."""
    values = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(actor).items()}
    return values | {"credential": None}


def thaw_actor(values: dict[str, Any]) -> Actor:
    """Return the actor that `freeze_actor` was given, without its credential."""
    known = {field.name for field in fields(Actor)}
    thawed: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in values.items() if name in known
    }
    return Actor(**thawed | {"kind": ActorKind(values["kind"])})


def error_record(error: RoadbedError) -> dict[str, Any]:
    """Return what a run keeps of an error: code, words, next step."""
    hint = None if error.hint is None else clean_text(error.hint)
    return {"code": error.code, "message": clean_text(error.message), "hint": hint}
