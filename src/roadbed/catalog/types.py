"""The words of the domain as types that other domains may hold: entities, changes, statuses, locations, events."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar
from uuid import UUID

from roadbed.core.events import Event
from roadbed.core.extension import ContributionKind, Slot
from roadbed.kit.refs import EntityRef


@dataclass(frozen=True)
class ShippedEntities:
    """Entities that an installation cannot do without: those of a file below `examples`.

    Each is put at start where the catalog has none of its name. No location can take it over, so that whoever may
    register one cannot change what the platform relies on; a platform engineer changes it over the API. Those that
    are built in nobody changes: each start brings them to what this version of Roadbed ships.
    """

    file: str
    is_built_in: bool = False


SHIPPED_ENTITIES: Slot[ShippedEntities] = Slot(ContributionKind.SHIPPED_ENTITIES, ShippedEntities)


class ChangeKind(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    RESTORED = "restored"
    ORPHANED = "orphaned"
    DELETED = "deleted"


class LocationType(StrEnum):
    FILE = "file"
    GIT = "git"
    URL = "url"


class Health(StrEnum):
    """The states of the status `health`, from best to worst; other statuses may use other words."""

    HEALTHY = "healthy"
    DEPLOYING = "deploying"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    FAILING = "failing"


@dataclass(frozen=True)
class EntityFilter:
    """Which entities. Several values of one field are alternatives; fields are combined.

    `owned_kinds` are the kinds whose entities should have an owner; `is_unowned` selects those of them that declare
    none, or one that is not in the catalog.
    """

    kinds: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    lifecycles: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    text: str = ""
    is_unowned: bool = False
    is_orphan: bool = False
    owned_kinds: tuple[str, ...] = ()
    location_id: UUID | None = None

    def without(self, field: str) -> "EntityFilter":
        """Return the filter without its values of a facet."""
        emptied: dict[str, Any] = {field: ()}
        return replace(self, **emptied)


@dataclass(frozen=True)
class EntitySummary:
    """An entity as other domains see it.

    `owner` and `system` are refs; they need not exist. One that `is_built_in` came with Roadbed, and only a newer
    Roadbed changes it.
    """

    uid: UUID
    ref: EntityRef
    title: str
    description: str
    type: str | None
    lifecycle: str | None
    owner: EntityRef | None
    system: EntityRef | None
    tags: tuple[str, ...]
    document: Mapping[str, Any]
    digest: str
    location_id: UUID | None
    is_built_in: bool
    file: str
    line: int
    updated_at: datetime
    orphaned_at: datetime | None

    @property
    def spec(self) -> Mapping[str, Any]:
        spec: Mapping[str, Any] = self.document["spec"]
        return spec

    @property
    def annotations(self) -> Mapping[str, str]:
        annotations: Mapping[str, str] = self.document["metadata"].get("annotations") or {}
        return annotations

    @property
    def can_be_healthy(self) -> bool:
        """Whether a health is missed where none is reported: an API or a system runs nothing itself."""
        return self.ref.kind in ("Component", "Resource")

    @property
    def is_managed(self) -> bool:
        """Whether it is changed elsewhere: in the files of its location, or with Roadbed itself."""
        return self.is_built_in or (self.location_id is not None and self.orphaned_at is None)

    @property
    def href(self) -> str:
        """The address of its page."""
        return entity_href(self.ref)


@dataclass(frozen=True)
class AnnotatedEntity:
    """What is known of an entity without its content, and the value of the annotation that was asked for."""

    ref: EntityRef
    title: str
    owner: str | None
    location_id: UUID | None
    file: str
    value: str


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """What a domain says about an entity.

    Args:
        key: what it is about: `health`, `health:production`.
        state: one word; for health one of `Health`.
        summary: a sentence for people, with the value and its limit.
        source: who says so: `process runtime`, `prometheus`.
        href: where the reader finds more.
        detail: JSON for programs.
    """

    key: str
    state: str
    summary: str
    source: str
    href: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Status(StatusReport):
    """A report as it is kept: in this state `since`, last seen `at`."""

    ref: EntityRef
    since: datetime
    at: datetime


@dataclass(frozen=True)
class RecentChange:
    """What happened to an entity, by whom (an actor's label) and in which run."""

    ref: EntityRef
    title: str
    change: ChangeKind
    actor: str
    run_id: UUID | None
    at: datetime


@dataclass(frozen=True)
class LocationSummary:
    """A location as other domains see it."""

    id: UUID
    type: LocationType
    target: str
    entity_ref: str
    created_at: datetime
    created_by: str
    checked_at: datetime | None
    read_at: datetime | None
    revision: str | None
    error: Mapping[str, Any] | None
    run_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class EntitiesChanged(Event):
    """Entities changed together, in one transaction; `changes` holds `[ref, uid, change]` each, in order.

    `position` is that of the last of them in the order of changes.
    """

    name: ClassVar[str] = "catalog.entities_changed"

    changes: list[list[str]]
    position: int
    location_id: str | None

    @property
    def aggregate(self) -> str:
        return "catalog"


def entity_href(ref: EntityRef) -> str:
    kind, _, rest = str(ref).partition(":")
    return f"/catalog/{kind}/{rest}"
