"""The words of the domain as types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from roadbed.core.events import Event
from roadbed.kit.refs import EntityRef

DEPLOY_RUN = "environments.deploy"
RESTART_RUN = "environments.restart"
STOP_RUN = "environments.stop"


class DeploymentState(StrEnum):
    """Where a deployment is. All but the first are ends; a failed one can be taken up again by a retry of its run."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


class InstanceState(StrEnum):
    """How it is with one process of a workload."""

    STARTING = "starting"
    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class DeployWish:
    """What shall run where.

    Args:
        component: ref of the Component; its system, or itself without one, is the application.
        environment: name of an EnvironmentType: `development`.
        artifact: digest of what shall run.
        score: the Score document.
        commit: of the repository.
        repository: `owner/name`.
        version: for people; the short commit when empty.
        parent_run_id: the run that wants it.
        key: names the deployment: asked again under it, the same run answers. Empty: a run of its own each time.
    """

    component: EntityRef
    environment: str
    artifact: str
    score: Mapping[str, Any]
    commit: str = ""
    repository: str = ""
    version: str = ""
    parent_run_id: UUID | None = None
    key: str = ""


@dataclass(frozen=True)
class DeploymentFilter:
    """Which deployments; what is None does not limit. `commit` is a whole id or its beginning."""

    application_id: UUID | None = None
    environment: str | None = None
    component: str | None = None
    state: DeploymentState | None = None
    version: str | None = None
    commit: str | None = None
    artifact: str | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which earlier deployment; what is None does not limit. The newest that succeeded is taken.

    `component` may be left out where the application has one only; `source` is the name of an environment.
    """

    component: str | None = None
    source: str | None = None
    version: str | None = None
    commit: str | None = None
    artifact: str | None = None


@dataclass(frozen=True)
class WorkloadFilter:
    """Which workloads; what is None does not limit. `application` and `environment` are names."""

    application: str | None = None
    environment: str | None = None
    component: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class WorkloadAddress:
    """A workload by the names in its address."""

    application: str
    environment: str
    workload: str


@dataclass(frozen=True)
class Probe:
    """A request that tells how a workload is. `path` is asked on its port."""

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkloadSpec:
    """What Roadbed uses of a Score file.

    Args:
        name: of the workload.
        command: the program and its arguments, from inside the artifact.
        variables: as written, with placeholders.
        port: what the file calls its port; None when it serves nothing.
        ready: asked until it may receive requests; None: it is ready when it runs.
        live: asked while it runs; None: the process is all that is looked at.
        resources: what it needs, by the name it gives to each.
        metadata: for `${metadata.…}`.
        notes: what the file says and Roadbed does not do.
    """

    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str]
    port: int | None
    ready: Probe | None
    live: Probe | None
    resources: Mapping[str, "ResourceNeed"]
    metadata: Mapping[str, Any]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResourceNeed:
    """One entry of `resources` in a Score file."""

    type: str
    class_: str | None
    id: str | None
    params: Mapping[str, Any]


@dataclass(frozen=True)
class Variable:
    """A variable of a workload, with `secret://` references in place of secrets, and where it is from."""

    name: str
    value: str
    source: str

    @property
    def is_secret(self) -> bool:
        return "secret://" in self.value


@dataclass(frozen=True)
class EnvironmentView:
    """An environment as other domains see it. `application` is the ref of the entity it is bound to."""

    id: UUID
    application: str
    application_name: str
    name: str
    type: str
    order: int
    set_id: str | None

    @property
    def page(self) -> str:
        return f"/environments/{self.application_name}/{self.name}"


@dataclass(frozen=True)
class DeploymentView:
    """A deployment as other domains see it."""

    id: UUID
    environment: str
    application: str
    application_name: str
    component: str
    version: str
    commit: str
    repository: str
    artifact: str
    set_id: str | None
    former_set_id: str | None
    state: DeploymentState
    run_id: UUID
    by: str
    error: str | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True)
class WorkloadView:
    """A workload in an environment: what runs, how it is, and where it is reached.

    `is_stopped`: somebody stopped it; the version is that which runs when it is started again.
    """

    id: UUID
    name: str
    component: str
    environment: str
    environment_type: str
    order: int
    application: str
    application_name: str
    version: str | None
    commit: str | None
    artifact: str | None
    deployment_id: UUID | None
    deployed_at: datetime | None
    run_id: UUID | None
    instance_id: UUID | None
    state: InstanceState | None
    is_stopped: bool
    health: str
    health_summary: str
    health_since: datetime | None
    port: int | None
    pid: int | None
    restarts: int
    is_isolated: bool
    variables: tuple[Variable, ...]
    url: str | None

    @property
    def page(self) -> str:
        return f"/environments/{self.application_name}/{self.environment}"

    @property
    def steering(self) -> str:
        """The path below which a page restarts and stops it."""
        return f"{self.page}/workloads/{self.name}"

    @property
    def log_page(self) -> str:
        return f"{self.steering}/log"


@dataclass(frozen=True)
class Difference:
    """A fact that differs between two environments; None where it does not exist."""

    name: str
    before: str | None
    after: str | None

    @property
    def sign(self) -> str:
        """The sign of the line in a diff."""
        return "+" if self.before is None else "-" if self.after is None else "~"


@dataclass(frozen=True)
class WorkloadComparison:
    """What differs of a workload between two environments. `is_in_*`: a version of it was deployed there."""

    name: str
    component: str
    is_in_before: bool
    is_in_after: bool
    differences: list[Difference]


@dataclass(frozen=True)
class Comparison:
    """What differs between two environments of an application."""

    before: EnvironmentView
    after: EnvironmentView
    workloads: list[WorkloadComparison]
    resources: list[Difference]

    @property
    def is_equal(self) -> bool:
        return not self.resources and not any(workload.differences for workload in self.workloads)


@dataclass(frozen=True, kw_only=True)
class DeploymentFinished(Event):
    """A deployment came to an end."""

    name: ClassVar[str] = "environments.deployment_finished"

    deployment_id: str
    environment: str
    environment_type: str
    application: str
    component: str
    state: str
    version: str
    commit: str
    run_id: str

    @property
    def aggregate(self) -> str:
        return f"application:{self.application}"


@dataclass(frozen=True, kw_only=True)
class HealthChanged(Event):
    """The health of a workload changed in one environment."""

    name: ClassVar[str] = "environments.health_changed"

    component: str
    environment: str
    before: str
    after: str
    summary: str

    @property
    def aggregate(self) -> str:
        return f"health:{self.component}"
