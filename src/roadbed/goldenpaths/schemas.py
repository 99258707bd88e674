"""Golden paths as the API takes and gives them."""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ValuesIn(BaseModel):
    """Answers to a path's parameters; what is left out gets its default."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"values": {"name": "orders", "owner": "group:default/checkout"}}]},
    )

    values: dict[str, Any] = Field(default_factory=dict)


class PathOut(BaseModel):
    """A golden path. With `problems` it cannot be started; they say why."""

    ref: str
    namespace: str
    name: str
    title: str
    description: str
    type: str
    version: str
    support_level: str
    owner: str | None
    tags: list[str]
    used_by: int
    problems: list[str]


class SourceOut(BaseModel):
    """Where its files are read from."""

    repository: str
    commit: str
    folder: str


class StepOut(BaseModel):
    id: str
    name: str
    action: str


class PathDetailOut(PathOut):
    """A golden path with what it asks, page by page, and what it does."""

    source: SourceOut | None
    parameters: list[dict[str, Any]]
    steps: list[StepOut]


class PathListOut(BaseModel):
    items: list[PathOut]


class RunOut(BaseModel):
    """The run that was started, or that the same idempotency key started before."""

    run_id: UUID
    title: str
    state: str
    href: str


class ValidationOut(BaseModel):
    """What is wrong with values, and the values with defaults. `page` counts from 1; it is 0 when none asks for it."""

    is_valid: bool
    problems: list[dict[str, Any]]
    values: dict[str, Any]


class PlannedStepOut(BaseModel):
    """A step: `state` is `will`, `skipped` or `depends` (on what an earlier step gives)."""

    id: str
    name: str
    action: str
    state: str
    title: str
    detail: str


class PreviewOut(BaseModel):
    """What a run with these values would do."""

    steps: list[PlannedStepOut]
    files: list[str]
    repositories: list[str]
    problems: list[str]
