"""The words of the domain as types that other domains may hold: entities, changes, statuses, locations, events."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol
from uuid import UUID

from roadbed.core.events import Event
from roadbed.core.extension import ContributionKind, Slot
from roadbed.core.services import Services
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
    """The types that the catalog reads itself; others are added by integrations (`catalog.sources`)."""

    FILE = "file"
    GIT = "git"
    URL = "url"


class Changeable(StrEnum):
    """The fields of `spec` that are changed for many entities at once; of at most `MOST_CHANGED`."""

    OWNER = "owner"
    LIFECYCLE = "lifecycle"


MOST_CHANGED = 500
LONGEST_VALUE = 100


class Health(StrEnum):
    """The states of the status `health`, from best to worst; other statuses may use other words."""

    HEALTHY = "healthy"
    DEPLOYING = "deploying"
    UNKNOWN = "unknown"
    DEGRADED = "degraded"
    FAILING = "failing"


CHECKABLE_KINDS = ("Component", "Resource")
"""The kinds whose health is missed where none is reported: an API or a system runs nothing itself."""


@dataclass(frozen=True)
class EntityFilter:
    """Which entities. Several values of one field are alternatives; fields are combined.

    `owned_kinds` are the kinds whose entities should have an owner; `is_unowned` selects those of them that declare
    none, or one that is not in the catalog. `is_inherited` takes in what the groups below the owners own.
    `owned_by` narrows to what one of these owns, beside `owners`, whose counts as a facet it holds for, too.
    `is_stale` selects orphans, what has a newer content with errors, and what is read from one of `failing_locations`.
    `followed_by` is an account; the `refs` that it follows are found out before the index is asked, as the failing
    locations are (service.resolving).
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
    is_inherited: bool = False
    owned_by: tuple[str, ...] | None = None
    is_orphan: bool = False
    is_stale: bool = False
    failing_locations: tuple[str, ...] = ()
    owned_kinds: tuple[str, ...] = ()
    location_id: UUID | None = None
    followed_by: str | None = None
    refs: tuple[str, ...] | None = None

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
        """Whether a health is missed where none is reported."""
        return self.ref.kind in CHECKABLE_KINDS

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
class Bookmark:
    """An entity that somebody follows, or has looked at; `at` is since when, or when last.

    One that is gone is not `is_found`, and has the title that it had.
    """

    ref: EntityRef
    title: str
    type: str | None
    owner: str | None
    health: str | None
    is_found: bool
    at: datetime


EVERYBODY = "everybody"


@dataclass(frozen=True)
class ViewWish:
    """What a saved view should be; `shared_with` is None for its owner alone, `EVERYBODY`, or the ref of a group."""

    name: str
    query: str
    shared_with: str | None = None


@dataclass(frozen=True)
class SavedViewSummary:
    """A saved view as one reader sees it. `owner` is an actor's label, `digest` of what can be changed."""

    id: UUID
    name: str
    query: str
    shared_with: str | None
    owner: str
    digest: str
    updated_at: datetime
    is_own: bool
    is_default: bool
    may_change: bool
    deleted_at: datetime | None

    @property
    def href(self) -> str:
        """The address of the list in that state."""
        return f"/catalog?{self.query}{'&' if self.query else ''}view={self.id}"


@dataclass(frozen=True)
class LocationOptions:
    """How a location is looked after. What is None is as for all locations, or does not happen.

    Args:
        allowed_kinds: names of the kinds that entities from it may have.
        interval_seconds: how long after one look at its source the next is due.
        remove_orphans_after_hours: when an entity that its source no longer has is deleted.
        remove_after_missing: after how many looks in a row that found no entry file it is removed, with its entities.
        source: what its type asks for beside the target; secrets as `secret://` references.
        may_define_kinds: whether entities from it may define kinds; at first, whether who registers it may.
    """

    allowed_kinds: tuple[str, ...] | None = None
    interval_seconds: int | None = None
    remove_orphans_after_hours: int | None = None
    remove_after_missing: int | None = None
    source: Mapping[str, Any] = field(default_factory=dict)
    may_define_kinds: bool = False


@dataclass(frozen=True)
class LocationSummary:
    """A location as other domains see it. `type` is one of `LocationType`, or of an integration.

    `missing_count` is how many looks in a row found no entry file. `report` is what its source tells about reading.
    """

    id: UUID
    type: str
    target: str
    entity_ref: str
    created_at: datetime
    created_by: str
    checked_at: datetime | None
    read_at: datetime | None
    revision: str | None
    error: Mapping[str, Any] | None
    run_id: UUID | None
    options: LocationOptions
    missing_count: int
    report: Mapping[str, Any]


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


class Source(Protocol):
    """Files under one root. Paths are relative to it, with forward slashes. It blocks, and is used in a thread."""

    revision: str | None

    def list_entries(self) -> list[str]:
        """Return the paths that the location's target names."""

    def locate(self, target: str) -> str | None:
        """Return the path here that an address leads to; None when it leads out of the source."""

    def expand(self, pattern: str) -> list[str]:
        """Return the existing paths that a path or glob stands for."""

    def digest(self, path: str) -> str | None:
        """Return what changes with the content; None when there is no such file."""

    def read(self, path: str) -> bytes: ...

    def fingerprint(self, paths: Iterable[str]) -> str:
        """Return what changes whenever one of these files may have changed."""

    def describe(self, path: str) -> str:
        """Return the location ref of a file, for the annotations."""

    def annotate(self, path: str) -> Mapping[str, str]:
        """Return annotations for those entities of a file that do not have them."""


class Memory:
    """What a source remembers from one look to the next.

    `changes` are what is to be kept of this look, None for what is forgotten.
    """

    def __init__(self, kept: Mapping[str, dict[str, Any]]) -> None:
        self._values = dict(kept)
        self.changes: dict[str, dict[str, Any] | None] = {}

    def find(self, key: str) -> dict[str, Any] | None:
        return self._values.get(key)

    def list_keys(self, prefix: str) -> list[str]:
        return [key for key in self._values if key.startswith(prefix)]

    def put(self, key: str, value: dict[str, Any]) -> None:
        if self._values.get(key) != value:
            self._values[key] = value
            self.changes[key] = value

    def forget(self, key: str) -> None:
        if self._values.pop(key, None) is not None:
            self.changes[key] = None


@dataclass(frozen=True)
class Look:
    """What a look at a source saw: `fingerprint` changes whenever the source may have changed.

    `has_seen_entry` is whether it saw that the entry files are there, too.
    """

    fingerprint: str
    has_seen_entry: bool


@dataclass(frozen=True)
class SourceContext:
    """What a reader is given.

    Args:
        services: of this process.
        location: what is looked at.
        memory: what it remembers; changes are kept with the outcome.
        known_digests: of the files as they were last read, by path, as `Source.digest` gave them.
        known_paths: all paths that the last reading depended on.
    """

    services: Services
    location: LocationSummary
    memory: Memory
    known_digests: Mapping[str, str]
    known_paths: frozenset[str]


class SourceReader(Protocol):
    """Looks at the source of one location, or reads it; made anew for each."""

    async def look(self) -> Look:
        """Find out, as cheaply as can be, whether something may have changed.

        Raises:
            LocationUnreadable: the source as a whole cannot be read; LocationMissing: its entry is not there.
            ReadLater: not now.
        """

    async def open(self) -> Callable[[], Source]:
        """Return what opens the source, in a thread. Raises as `look` does."""

    def report(self) -> dict[str, Any]:
        """Return what is shown of the reading: `budget` as `RequestBudget.as_json`, `facts` as pairs of texts."""


class ReadLater(Exception):
    """A source does not want to be asked before a time, and says why, as a sentence."""

    def __init__(self, reason: str, *, until: datetime) -> None:
        super().__init__(reason)
        self.reason = reason
        self.until = until


@dataclass(frozen=True)
class RequestBudget:
    """How many requests a host takes until it counts anew, and how many are left."""

    limit: int
    remaining: int
    resets_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {"limit": self.limit, "remaining": self.remaining, "resets_at": self.resets_at.isoformat()}


@dataclass(frozen=True)
class LocationSource:
    """A type of location that an integration reads. It is read-only to the catalog.

    Args:
        type: stored with locations: `github`.
        label: for people: "GitHub organisation".
        description: what to give as target, with an example.
        icon: name of a Tabler icon.
        schema: JSON Schema (draft 7) of `LocationOptions.source`.
        check: returns the target as it is kept, or raises LocationInvalid for target or options.
        reader: makes what reads a location.
        link: returns the address at which people see a file of a location at a line; None when there is none.
        notes: returns pairs for the page of a location that follow from its settings.
    """

    type: str
    label: str
    description: str
    icon: str
    schema: Mapping[str, Any]
    check: Callable[[str, Mapping[str, Any]], str]
    reader: Callable[[SourceContext], SourceReader]
    link: Callable[[LocationSummary, str, int], str | None]
    notes: Callable[[Services, LocationSummary], list[tuple[str, str]]]


LOCATION_SOURCES: Slot[LocationSource] = Slot(ContributionKind.LOCATION_SOURCE, LocationSource)
