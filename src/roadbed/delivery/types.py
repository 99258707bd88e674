"""The words of the domain as types."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

PIPELINE_KIND = "delivery.pipeline"
"""The kind of runs."""
STANDARD = "pipeline:default/standard"
CHECKOUT = "checkout"
"""The key of the first step, which no stage may have."""
DEVELOPMENT = "development"
DEVELOPMENT_WAIT = "delivery.development"
"""The kind of waits that end when what a pipeline run made runs in development; the key is the run's id."""


class ReportKind(StrEnum):
    JUNIT = "junit"
    COVERAGE = "coverage"
    SCAN = "scan"
    SARIF = "sarif"
    SBOM = "sbom"
    LOG = "log"


class ReportState(StrEnum):
    """What a report says. `not_checked`: the question could not be answered, which is no pass."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_CHECKED = "not_checked"
    UNREADABLE = "unreadable"


class TestState(StrEnum):
    __test__ = False  # not a test of pytest's

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def is_bad(self) -> bool:
        return self in (TestState.FAILED, TestState.ERROR)


@dataclass(frozen=True)
class ReportPlan:
    """A file, or a glob of files, that a step leaves in the workspace."""

    kind: ReportKind
    path: str


@dataclass(frozen=True)
class StageStep:
    """One step of a stage: a make target, or `uses` something built in."""

    name: str
    make: str | None = None
    uses: str | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    reports: tuple[ReportPlan, ...] = ()
    when: str | None = None
    timeout_seconds: int | None = None
    may_fail: bool = False


@dataclass(frozen=True)
class Stage:
    """A stage as a run freezes it."""

    id: str
    title: str
    steps: tuple[StageStep, ...]
    is_required: bool = False
    needs: tuple[str, ...] = ()
    when: str | None = None
    timeout_seconds: int | None = None

    @property
    def environment(self) -> str | None:
        """Where this stage deploys to; None when it calls targets."""
        return next((str(step.arguments["environment"]) for step in self.steps if step.uses == "deploy"), None)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline in force for a repository: its own stages joined with those it may not leave out."""

    ref: str
    version: str
    stages: tuple[Stage, ...]
    triggers: tuple[str, ...]
    branches: tuple[str, ...]


@dataclass(frozen=True)
class TestCase:
    """The result of one test."""

    __test__ = False  # not a test of pytest's

    suite: str
    class_name: str
    name: str
    state: TestState
    seconds: float | None
    message: str = ""
    details: str = ""

    @property
    def title(self) -> str:
        return f"{self.class_name}.{self.name}" if self.class_name else self.name


@dataclass(frozen=True)
class TestCounts:
    __test__ = False  # not a test of pytest's

    total: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0

    @property
    def passed(self) -> int:
        return self.total - self.failed - self.skipped


@dataclass(frozen=True)
class Check:
    """One answer of a scan."""

    name: str
    state: ReportState
    detail: str


@dataclass(frozen=True)
class StageReport:
    """What a stage left behind. `summary` depends on the kind; `blob` holds the file where it is kept."""

    stage: str
    kind: ReportKind
    path: str
    state: ReportState
    summary: dict[str, Any]
    blob: str | None = None


@dataclass(frozen=True)
class PipelineRunView:
    """A pipeline run as other domains see it; its state is that of its run."""

    run_id: UUID
    repository_id: UUID
    repository: str
    commit: str
    branch: str
    is_default_branch: bool
    pipeline: str
    version: str
    subject: str | None
    is_isolated: bool
    artifact: str | None
    created_at: datetime


@dataclass(frozen=True)
class PipelineRunFilter:
    """Which pipeline runs; what is empty does not limit."""

    repository: str | None = None
    commit: str | None = None
    subject: str | None = None
