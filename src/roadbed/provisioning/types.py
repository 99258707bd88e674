"""What other domains see of resources, and what a driver is."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from roadbed.core.db import ReadSession
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services

DEFAULT_CLASS = "default"


class ResourceState(StrEnum):
    """Where a resource is."""

    PENDING = "pending"
    READY = "ready"
    FAILED = "failed"
    DELETING = "deleting"


@dataclass(frozen=True)
class EnvironmentKey:
    """One environment of an application. `application` is the ref of a System, or of a Component without one."""

    application: str
    name: str


@dataclass(frozen=True)
class ResourceWish:
    """One resource. The type and `id` name it in its environment; `class_` None takes that of the environment type."""

    id: str
    type: str
    class_: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ResourcesWish:
    """What an environment needs.

    Args:
        environment: where.
        environment_type: `development`, `staging`, `production`, `preview`.
        resources: all of them; what is there already stays as it is.
        key: names the request: asked again under it, the same run answers. Empty: a run of its own each time.
        parent_run_id: the run that needs them.
    """

    environment: EnvironmentKey
    environment_type: str
    resources: tuple[ResourceWish, ...]
    key: str = ""
    parent_run_id: UUID | None = None


@dataclass(frozen=True)
class ResourceView:
    """A resource as other domains see it. Secret outputs are `secret://` references."""

    id: UUID
    environment: EnvironmentKey
    environment_type: str
    type: str
    name: str
    class_: str
    params: Mapping[str, Any]
    definition: str
    definition_version: str
    driver: str
    state: ResourceState
    outputs: Mapping[str, Any]
    why: Sequence[Mapping[str, Any]]
    error: Mapping[str, Any] | None
    run_id: UUID | None
    created_at: datetime
    updated_at: datetime

    @property
    def page(self) -> str:
        return f"/resources/{self.id}"


@dataclass(frozen=True)
class ResourceFilter:
    """Which resources; what is empty does not limit."""

    application: str | None = None
    environment: str | None = None
    type: str | None = None
    state: ResourceState | None = None


@dataclass(frozen=True)
class Change:
    """One thing that a plan would do. `action` is `create`, `update` or `replace`."""

    action: str
    what: str


@dataclass(frozen=True)
class Outputs:
    """What a driver made: plain values, and secret ones, which go into the secrets."""

    values: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Observation:
    """What is really there. `summary` is a sentence for people."""

    exists: bool
    summary: str


@dataclass(frozen=True)
class ResourceContext:
    """What a driver is given.

    Args:
        id: the resource for good; names of outside things are made from it, so that each attempt finds them.
        label: `orders-development-db`, for names that people meet.
        type: of the resource.
        class_: of the resource.
        params: what the request said, checked against the type's schema.
        inputs: of the definition.
        applied: class, params and definition as they were applied last; None when nothing was.
        secrets: secret outputs that are stored already, to be kept.
        operation: the run; the same at each attempt.
        services: the running server.
        log: adds a line to the step's log.
    """

    id: UUID
    label: str
    type: str
    class_: str
    params: Mapping[str, Any]
    inputs: Mapping[str, Any]
    applied: Mapping[str, Any] | None
    secrets: Mapping[str, str]
    operation: str
    services: Services
    log: Callable[[str], None]


@runtime_checkable
class Driver(Protocol):
    """Makes and takes away resources of some types. Every verb may be called again and finds its earlier work."""

    @property
    def name(self) -> str: ...

    @property
    def types(self) -> frozenset[str]: ...

    async def plan(self, context: ResourceContext) -> Sequence[Change]:
        """Return what `apply` would do, without doing it; nothing when all is as wanted."""

    async def apply(self, context: ResourceContext) -> Outputs:
        """Make it as wanted."""

    async def destroy(self, context: ResourceContext) -> str | None:
        """Save what it holds, then take it away. Returns where the last copy is, if it held anything."""

    async def observe(self, context: ResourceContext) -> Observation:
        """Look at what is there."""


class ResourceUser(Protocol):
    """Names what uses a resource now, in words: "orders 1.2". What is used is not deleted."""

    async def __call__(self, session: ReadSession, resource: ResourceView, /) -> Sequence[str]: ...


RESOURCE_USERS: Slot[ResourceUser] = Slot(ContributionKind.RESOURCE_USER, Callable)
DRIVERS: Slot[Driver] = Slot(ContributionKind.DRIVER, Driver)
