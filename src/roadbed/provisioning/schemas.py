"""Resources as the API takes and gives them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.paging import PageQuery
from roadbed.provisioning.types import (
    EnvironmentKey,
    ResourceFilter,
    ResourceState,
    ResourcesWish,
    ResourceView,
    ResourceWish,
)


class ResourceQuery(PageQuery):
    """Which resources."""

    application: str | None = Field(None, description="Ref of the application: `component:default/orders`.")
    environment: str | None = None
    type: str | None = None
    state: ResourceState | None = None

    def to_filter(self) -> ResourceFilter:
        application = self.application.lower() if self.application else None
        return ResourceFilter(application, self.environment, self.type, self.state)


class ResourceIn(BaseModel):
    """What is asked for. `environment_type` is the environment's name when absent."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    application: str = Field(min_length=1, examples=["component:default/orders"])
    environment: str = Field(min_length=1, max_length=63, pattern="^[a-z0-9][a-z0-9-]*$", examples=["development"])
    environment_type: str | None = None
    type: str = Field(min_length=1, examples=["postgres"])
    id: str = Field(min_length=1, examples=["db"])
    class_: str | None = Field(None, alias="class", examples=["small"])
    params: dict[str, Any] = Field(default_factory=dict)

    def to_wish(self) -> ResourcesWish:
        wish = ResourceWish(self.id, self.type, self.class_, self.params)
        environment = EnvironmentKey(self.application, self.environment)
        return ResourcesWish(environment, self.environment_type or self.environment, (wish,))


class ResourceOut(BaseModel):
    """A resource. Secret outputs are `secret://` references; `why` says how its definition was chosen."""

    id: UUID
    application: str
    environment: str
    environment_type: str
    type: str
    name: str
    class_: str = Field(serialization_alias="class")
    params: dict[str, Any]
    definition: str
    definition_version: str
    driver: str
    state: ResourceState
    outputs: dict[str, Any]
    why: list[dict[str, Any]]
    error: dict[str, Any] | None
    run_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, view: ResourceView) -> "ResourceOut":
        values = {name: getattr(view, name) for name in cls.model_fields if hasattr(view, name)}
        where: Mapping[str, Any] = {
            "application": view.environment.application,
            "environment": view.environment.name,
        }
        return cls.model_validate({**values, **where})


class ResourcePageOut(BaseModel):
    items: list[ResourceOut]
    next_cursor: str | None


class StartedOut(BaseModel):
    """The run that does it; follow it at `/api/v1/runs/{run_id}`."""

    run_id: UUID
    title: str
