"""The words of the domain as types: states, plans, outcomes, what a step kind is."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol
from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.db import Database, ReadSession
from roadbed.core.events import Event
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services

PLACE_FACTS = "runs.run.facts"
"""`<li>` elements under the heading of a run's page; loaded with the run."""
PLACE_RESULT = "runs.run.result"
"""Cards over the steps: what came of it and what to do next; loaded with the run."""
PLACE_MAIN = "runs.run.main"
"""Cards under the steps; loaded with the run."""
PLACE_WAITING = "runs.run.waiting"
"""Under the step that waits: what ends the wait, without a card around it; loaded with the run."""


class RunState(StrEnum):
    """Where a run is. The last three are ends; a failed run can be taken up again by a retry."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    UNDOING = "undoing"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_finished(self) -> bool:
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED)


class StepState(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNDOING = "undoing"
    UNDONE = "undone"

    @property
    def is_finished(self) -> bool:
        return self in (StepState.SUCCEEDED, StepState.SKIPPED, StepState.UNDONE)


@dataclass(frozen=True)
class StepPlan:
    """One step of a plan.

    Args:
        key: names the step within its run; later steps and links use it.
        title: for people: "Deploy to staging".
        kind: a registered step kind.
        inputs: JSON; secrets only as `secret://` references.
    """

    key: str
    title: str
    kind: str
    inputs: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Done:
    """The step did its work. `note` is one line under its title: "42 files"."""

    output: dict[str, Any] = field(default_factory=dict)
    note: str | None = None


@dataclass(frozen=True)
class Skip:
    """The step had nothing to do, and why."""

    reason: str


@dataclass(frozen=True)
class Undone:
    """What the undoing of a step came to, in words: things that are gone, and things that stay with the reason."""

    taken: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    def __add__(self, other: "Undone") -> "Undone":
        return Undone(self.taken + other.taken, self.kept + other.kept)


@dataclass(frozen=True)
class Wait:
    """The step waits for something outside the run; it is executed again, with `context.resumed`, when that happened.

    Args:
        kind: what is waited for: `approval`, `run`, `time`, or a domain's own word.
        key: which one, as `resume_waits` will name it.
        note: for people: "Waits for Team Checkout".
        until: when to give up; the step is then resumed with `{"expired": true}`.
        find: looks, under the lock of this wait, whether it happened already; its JSON answer resumes at once.
    """

    kind: str
    key: str
    note: str
    until: datetime | None = None
    find: Callable[[ReadSession], Awaitable[dict[str, Any] | None]] | None = None


Outcome = Done | Skip | Wait


class StepContext(Protocol):
    """What a step kind is given."""

    run_id: UUID
    step_id: UUID
    key: str
    title: str
    subject: str | None
    inputs: dict[str, Any]
    run_inputs: dict[str, Any]
    outputs: dict[str, dict[str, Any]]
    """Outputs of the finished steps of this run, by key."""
    attempt: int
    resumed: dict[str, Any] | None
    """How the wait of this step ended, when it waited."""
    actor: Actor
    database: Database
    services: Services

    def log(self, text: str, *, stream: str = "out") -> None:
        """Add lines to the step's log; secret values are masked. `stream` is `out`, `err` or `info`."""

    def mask(self, *values: str) -> None:
        """Mask these secret values in everything this step logs from now on."""

    async def note(self, text: str, *, done: int | None = None, total: int | None = None) -> None:
        """Show one line under the step's title, and a progress when numbers are given."""

    async def link(self, kind: str, *, title: str, href: str, meta: str = "") -> None:
        """Show something that this run made; the same `kind` and `title` again replaces it."""

    def is_cancelled(self) -> bool:
        """Tell whether somebody cancelled the run; the step's task is cancelled as well."""


Guard = Callable[[Services, Actor, Mapping[str, Any], Mapping[str, Any]], None]
"""Raises `Forbidden` unless the actor may do what a step with these inputs, of its run and its own, does."""


@dataclass(frozen=True)
class StepKind:
    """The code behind a kind of step.

    Args:
        name: stored in plans: `scm.create_repository`.
        execute: does the work. Runs at least once; must find its own earlier work by `context.step_id`.
        undo: takes back what `execute` made, also when it was only half made, and leaves what others use. The runs that
            the step started were undone before. It may be called again. None: there is nothing to undo but those runs.
        version: raised when stored inputs or outputs change their meaning; a plan with a newer version is parked.
        timeout_seconds: the step is failed after this.
        needs_host: it works with repositories, workloads or files of the home folder, and runs only on the host.
        guard_retry: who may have it executed again, as steps act with the rights of who started the run: it refuses
            whom the start would refuse.
        guard_undo: who may have it undone: it refuses whom deleting the same thing directly would refuse.
    """

    name: str
    execute: Callable[[StepContext], Awaitable[Outcome]]
    undo: Callable[[StepContext], Awaitable[Undone]] | None = None
    version: int = 1
    timeout_seconds: float = 3600
    needs_host: bool = False
    guard_retry: Guard | None = None
    guard_undo: Guard | None = None


STEPS: Slot[StepKind] = Slot(ContributionKind.STEP, StepKind)


@dataclass(frozen=True, kw_only=True)
class RunFinished(Event):
    """A run came to an end; a retry may take a failed one up again, which ends with this event once more."""

    name: ClassVar[str] = "runs.run_finished"

    run_id: str
    kind: str
    state: str
    subject: str | None
    parent_run_id: str | None
    title: str

    @property
    def aggregate(self) -> str:
        return f"run:{self.run_id}"


@dataclass(frozen=True)
class RunSummary:
    """A run as other domains see it."""

    id: UUID
    kind: str
    title: str
    subject: str | None
    state: RunState
    initiator: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    output: dict[str, Any]
    error: dict[str, Any] | None
    parent_run_id: UUID | None


@dataclass(frozen=True)
class RunFilter:
    """Which runs; what is empty does not limit."""

    states: tuple[str, ...] = ()
    kind: str | None = None
    subject: str | None = None
    initiator: str | None = None


@dataclass(frozen=True)
class OpenRun:
    """A run that is not finished: how many of its steps are, and the title of the one it is at."""

    run: RunSummary
    done: int
    total: int
    at: str
