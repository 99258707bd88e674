"""The words of the domain as types: paths, their sources, actions and what they are given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from roadbed.core.actor import Actor
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services
from roadbed.runs.contract import Guard, Outcome, StepContext, Undone
from roadbed.scm.contract import FileContent

RUN_KIND = "goldenpaths.create"
ACTION_STEP = "goldenpaths.action"
OUTPUT_STEP = "goldenpaths.output"
OUTPUT_KEY = "roadbed-output"

VERSION_ANNOTATION = "roadbed.dev/version"
SUPPORT_ANNOTATION = "roadbed.dev/support-level"
PROVENANCE_FILE = ".roadbed/path.yaml"
PATH_REF = "refs/roadbed/path"


@dataclass(frozen=True)
class Source:
    """Where the files of a path are read from: a repository of Roadbed's own host, at one commit.

    Args:
        repository: `owner/name`.
        commit: its commit.
        folder: the folder of `template.yaml` in it; empty at its root.
    """

    repository: str
    commit: str
    folder: str


@dataclass(frozen=True)
class PathOrigin:
    """Which path something came from, as runs and products keep it."""

    ref: str
    title: str
    version: str
    source: Source

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "PathOrigin":
        """Read what `dataclasses.asdict` made."""
        return cls(**{**values, "source": Source(**values["source"])})

    @property
    def label(self) -> str:
        """`python-fastapi 1.2.0`."""
        return f"{self.ref.rpartition('/')[2]} {self.version}".strip()


@dataclass(frozen=True)
class GoldenPath:
    """A path as pages and the API show it. With `problems` it cannot be started."""

    origin: PathOrigin | None
    namespace: str
    name: str
    title: str
    description: str
    type: str
    version: str
    support_level: str
    owner: str | None
    tags: tuple[str, ...]
    used_by: int
    spec: Mapping[str, Any]
    problems: tuple[str, ...]

    @property
    def ref(self) -> str:
        return f"template:{self.namespace}/{self.name}".lower()

    @property
    def href(self) -> str:
        return f"/create/{self.namespace}/{self.name}".lower()


@dataclass(frozen=True)
class Product:
    """A repository that a run of a path created."""

    id: UUID
    run_id: UUID
    path_ref: str
    version: str
    commit: str
    repository_id: UUID
    repository: str
    entity_ref: str | None
    created_by: str
    created_at: datetime


@dataclass(frozen=True)
class Layer:
    """What one call of an action put into the workspace: paths written, and paths left because they existed."""

    written: tuple[str, ...]
    kept: tuple[str, ...] = ()


class Workspace(Protocol):
    """The files that the steps of one run make before they are published."""

    async def add_layer(
        self, name: str, fill: Callable[[Path], None], *, target: str = "", is_replacing: bool = False
    ) -> Layer:
        """Have `fill` write files into an empty folder and put them over those of earlier layers.

        Args:
            name: sorts after the layers that it lies over; the same name again replaces the layer.
            fill: called in a thread.
            target: the folder of the workspace that the files go to.
            is_replacing: whether a file replaces an earlier one of the same path.
        """

    async def read(self) -> dict[str, FileContent]:
        """Return all files by path."""


@dataclass(frozen=True)
class ActionScope:
    """What an action is given, whether it acts or only tells what it would do.

    Args:
        key: names this call for ever, so that repeating it finds what it made.
        layer: the name of its layer in the workspace.
        services: of the server.
        actor: who started the run.
        origin: the path.
        answers: the values of its parameters, defaults filled in.
        workspace: of the run.
    """

    key: str
    layer: str
    services: Services
    actor: Actor
    origin: PathOrigin
    answers: Mapping[str, Any]
    workspace: Workspace


@dataclass(frozen=True)
class ActionCall(ActionScope):
    """An action's call within a run; `step` is the run's step, for its log, links, notes and waits."""

    step: StepContext


@dataclass(frozen=True)
class Foresight:
    """What a step will do, for the review before the run.

    Args:
        title: the thing: "Repository checkout/orders".
        detail: more of it, one line.
        files: paths that are written.
        repository: `owner/name` that is created.
        problem: why it would fail, if that is known already.
    """

    title: str
    detail: str = ""
    files: tuple[str, ...] = ()
    repository: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Action:
    """Something that a template's step can call.

    Args:
        name: as templates write it: `publish:repository`.
        title: what it does, for people.
        input: JSON Schema of its input.
        execute: does it; answers as a step kind does. It must find its own earlier work by `call.key`.
        undo: takes back what `execute` made, also when it was only half made.
        guard_undo: refuses whom deleting the same thing directly would refuse.
        foresee: tells what `execute` would do, changing nothing but the workspace that it is given.
        makes_files: whether it fills the workspace and does nothing else, so that it can be repeated at any time.
    """

    name: str
    title: str
    input: Mapping[str, Any]
    execute: Callable[[ActionCall, dict[str, Any]], Awaitable[Outcome]]
    undo: Callable[[ActionCall], Awaitable[Undone]] | None = None
    guard_undo: Guard | None = None
    foresee: Callable[[ActionScope, dict[str, Any]], Awaitable[Foresight]] | None = None
    makes_files: bool = False


ACTIONS: Slot[Action] = Slot(ContributionKind.ACTION, Action)


@dataclass(frozen=True)
class ParameterPage:
    """A page of questions: `number` counts from 1; `schema` is what `core.forms` takes."""

    number: int
    title: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Fault:
    """Why an answer is not accepted.

    Args:
        page: counts from 1; 0 when no page asks for it.
        name: of its field, as `core.forms` names it; empty for a whole page.
        message: for people.
        suggestion: what was probably meant.
    """

    page: int
    name: str
    message: str
    suggestion: str | None = None

    def as_dict(self) -> dict[str, Any]:
        return {"page": self.page, "path": self.name, "reason": self.message, "suggestion": self.suggestion}


@dataclass(frozen=True)
class CheckedValues:
    """Values with their defaults, and what is wrong with them."""

    values: dict[str, Any]
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class PlannedStep:
    """A step in a preview. `state` is `will`, `skipped` (by its condition) or `depends` (on an earlier step)."""

    id: str
    name: str
    action: str
    state: str
    foresight: Foresight | None = None


@dataclass(frozen=True)
class Preview:
    """What a run with these values would do."""

    steps: tuple[PlannedStep, ...]
    files: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    problems: tuple[str, ...] = field(default=())
