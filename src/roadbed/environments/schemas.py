"""Environments as the API takes and gives them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from roadbed.core.paging import PageQuery
from roadbed.environments.types import DeploymentState, InstanceState


class DeploymentQuery(PageQuery):
    """Which deployments."""

    component: Annotated[str | None, Field(description="Ref of a component: `component:default/orders`.")] = None
    state: DeploymentState | None = None


class DeployIn(BaseModel):
    """What to deploy: something that was deployed before in this application."""

    model_config = ConfigDict(extra="forbid")

    component: Annotated[str | None, Field(description="May be left out where the application has one only.")] = None
    from_environment: Annotated[str | None, Field(examples=["staging"])] = None
    version: Annotated[str | None, Field(min_length=1)] = None
    commit: Annotated[str | None, Field(min_length=7, description="The whole id, or its beginning.")] = None
    artifact: Annotated[str | None, Field(min_length=1)] = None

    @model_validator(mode="after")
    def _says_what(self) -> "DeployIn":
        if not any((self.from_environment, self.version, self.commit, self.artifact)):
            raise ValueError("say what to deploy: from_environment, version, commit or artifact")
        return self


class DeployComponentIn(BaseModel):
    """What to deploy where; without from_environment, version, commit or artifact the newest artifact is taken."""

    model_config = ConfigDict(extra="forbid")

    component: Annotated[str, Field(min_length=1, examples=["component:default/orders"])]
    environment: Annotated[str, Field(min_length=1, examples=["development"])]
    from_environment: str | None = None
    version: Annotated[str | None, Field(min_length=1)] = None
    commit: Annotated[str | None, Field(min_length=7, description="The whole id, or its beginning.")] = None
    artifact: Annotated[str | None, Field(min_length=1)] = None


class RollbackIn(BaseModel):
    """What to go back to; without a deployment, what ran before."""

    model_config = ConfigDict(extra="forbid")

    component: str | None = None
    deployment_id: UUID | None = None


class VariableOut(BaseModel):
    """A variable of a workload. A secret's value is its reference."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    value: str
    source: str
    is_secret: bool


class WorkloadOut(BaseModel):
    """What runs, how it is, and where it is reached."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    component: str
    version: str | None
    commit: str | None
    artifact: str | None
    deployment_id: UUID | None
    deployed_at: datetime | None
    run_id: UUID | None
    state: InstanceState | None
    is_stopped: bool
    health: str
    health_summary: str
    health_since: datetime | None
    url: str | None
    restarts: int
    is_isolated: bool
    variables: list[VariableOut]


class PlacedWorkloadOut(WorkloadOut):
    """A workload with where it is."""

    application: str
    application_name: str
    environment: str


class WorkloadQuery(PageQuery):
    """Which workloads. `application` is the name in addresses."""

    application: str | None = None
    environment: str | None = None
    component: Annotated[str | None, Field(description="Ref of a component: `component:default/orders`.")] = None
    name: str | None = None


class WorkloadPageOut(BaseModel):
    items: list[PlacedWorkloadOut]
    next_cursor: str | None


class EnvironmentQuery(PageQuery):
    """Which environments. `application` is the name in addresses."""

    application: str | None = None


class StartedOut(BaseModel):
    """A run that was started; follow it at `/api/v1/runs/{run_id}`."""

    run_id: UUID
    title: str


class EnvironmentOut(BaseModel):
    """An environment with its workloads."""

    application: str
    application_name: str
    name: str
    type: str
    set_id: str | None
    workloads: list[WorkloadOut]


class EnvironmentPageOut(BaseModel):
    items: list[EnvironmentOut]
    next_cursor: str | None


class DeploymentOut(BaseModel):
    """A deployment; follow its run at `/api/v1/runs/{run_id}`."""

    model_config = ConfigDict(from_attributes=True)

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


class DeploymentPageOut(BaseModel):
    items: list[DeploymentOut]
    next_cursor: str | None


class LogQuery(BaseModel):
    """Which lines: from `next_position` of an earlier answer on; without it the last ones."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[int | None, Field(ge=0)] = None
    limit: Annotated[int, Field(ge=1, le=5000)] = 500


class DifferenceOut(BaseModel):
    """A fact that differs. `sign` is + for one that only the other environment has, - for one that it lacks, else ~."""

    model_config = ConfigDict(from_attributes=True)

    sign: str
    name: str
    before: str | None
    after: str | None


class WorkloadComparisonOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    component: str
    is_in_before: bool
    is_in_after: bool
    differences: list[DifferenceOut]


class ComparisonOut(BaseModel):
    """What differs between two environments. Secret values are never shown."""

    application: str
    before: str
    after: str
    is_equal: bool
    workloads: list[WorkloadComparisonOut]
    resources: list[DifferenceOut]


class FollowQuery(BaseModel):
    """Where following begins: `Last-Event-ID`, which browsers send when they come back, before `position`."""

    model_config = ConfigDict(extra="forbid")

    position: Annotated[str | None, Field(description="The `id` of an event.")] = None
    tail: Annotated[int, Field(ge=0, le=5000, description="Without a position, so many of the last lines.")] = 100


class LogOut(BaseModel):
    """Lines that a workload printed. Positions belong to one instance; `lost_bytes` before them are not kept."""

    instance_id: UUID | None
    lines: list[str]
    position: int
    next_position: int
    lost_bytes: int
