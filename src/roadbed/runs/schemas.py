"""Runs as the API takes and gives them."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, field_validator

from roadbed.core.paging import PageQuery
from roadbed.runs.types import RunFilter, RunState, StepState


class RunQuery(PageQuery):
    """Which runs."""

    state: Annotated[list[RunState], Field(default_factory=list, description="Any of these states.")]
    kind: str | None = None
    subject: str | None = None
    initiator: str | None = None

    @field_validator("state", mode="before")
    @classmethod
    def _drop_empty(cls, value: Any) -> Any:
        """Take a form's empty choice for no choice."""
        return [item for item in value if item != ""] if isinstance(value, list) else value

    @field_validator("kind", "subject", "initiator", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    def to_filter(self) -> RunFilter:
        return RunFilter(tuple(self.state), self.kind, self.subject, self.initiator)


class LogQuery(BaseModel):
    """Which lines of a step's log; line numbers begin with 1."""

    model_config = ConfigDict(extra="forbid")

    first_line: Annotated[int, Field(ge=1)] = 1
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class CancelIn(BaseModel):
    """How to cancel."""

    model_config = ConfigDict(extra="forbid")

    undo: Annotated[bool, Field(description="Also take back what the run made.")] = False


class ErrorOut(BaseModel):
    code: str
    message: str
    hint: str | None


class UndoneOut(BaseModel):
    """What is gone, and what stays with the reason, in words."""

    taken: list[str]
    kept: list[str]


class StepOut(BaseModel):
    """One step of a run. `undone` says what undoing it came to, once that is done."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    position: int
    key: str
    title: str
    kind: str
    state: StepState
    attempt: int
    note: str | None
    progress_done: int | None
    progress_total: int | None
    output: dict[str, Any]
    error: ErrorOut | None
    undone: UndoneOut | None
    line_count: int
    started_at: datetime | None
    finished_at: datetime | None


class LinkOut(BaseModel):
    """Something the run made."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    title: str
    href: str
    meta: str


class RunOut(BaseModel):
    """A run without its steps. With `is_undo_wanted`, `cancelled` means undone and `failed` that undoing failed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: str
    title: str
    subject: str | None
    state: RunState
    initiator: str
    parent_run_id: UUID | None
    is_undo_wanted: bool
    error: ErrorOut | None
    output: dict[str, Any]
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class RunDetailOut(RunOut):
    """A run with its steps, links and child runs."""

    inputs: dict[str, Any]
    steps: list[StepOut]
    links: list[LinkOut]
    children: list[RunOut]


class RunPageOut(BaseModel):
    items: list[RunOut]
    next_cursor: str | None


class LogLineOut(BaseModel):
    """One line of a step's log."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    at: datetime
    stream: str
    text: str


class LogOut(BaseModel):
    """Lines of a step's log; `line_count` is how many there are altogether."""

    lines: list[LogLineOut]
    line_count: int
