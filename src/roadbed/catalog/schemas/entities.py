"""Entities as the API takes and gives them. They keep the spelling of their documents: `apiVersion`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from roadbed.catalog.rules.declarations import KindChange
from roadbed.catalog.rules.health import HealthView, Rolled
from roadbed.catalog.rules.index.sorts import KEYS, PATTERN
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.computed import ComputedValue
from roadbed.catalog.rules.ownership import owners_of
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.types import EntityFilter, EntitySummary, Status
from roadbed.core.actor import Actor
from roadbed.core.paging import PageQuery
from roadbed.kit.clock import now
from roadbed.kit.refs import InvalidRef, parse_ref


def _read_moment(value: object) -> object:
    """Read a time: nothing is now, a date alone the end of that day, a time without zone is UTC."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text:
        return None
    if len(text) == len("2026-11-19"):
        text += "T23:59:59.999999"
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is no time; write it like 2026-11-19 or 2026-11-19T14:30:00Z") from error
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    if at.date() > now().date():
        raise ValueError("lies in the future")
    return min(at, now())


AsOf = Annotated[
    datetime | None,
    BeforeValidator(_read_moment),
    Field(
        description="The catalog as it was at this time. A date alone is the end of that day, a time without zone UTC.",
        examples=["2026-11-19", "2026-11-19T14:30:00Z"],
    ),
]


class EntityCriteria(BaseModel):
    """Which entities. A parameter given several times means any of its values; different ones are combined."""

    model_config = ConfigDict(extra="forbid")

    kind: list[str] = Field(default_factory=list)
    namespace: list[str] = Field(default_factory=list)
    owner: list[str] = Field(default_factory=list, description="Refs; a plain name is a group.")
    type: list[str] = Field(default_factory=list)
    lifecycle: list[str] = Field(default_factory=list)
    system: list[str] = Field(default_factory=list, description="Refs; a plain name is a system.")
    tag: list[str] = Field(default_factory=list)
    q: str = Field("", max_length=200, description="Words that name, title, description or tags hold.")
    unowned: bool = Field(default=False, description="Only those that should have an owner and have none that exists.")
    location: UUID | None = Field(None, description="Only those read from this location.")
    orphan: bool = Field(default=False, description="Only those that their location no longer holds.")
    stale: bool = Field(
        default=False,
        description="Only orphans, what cannot be read at present, and what has errors in its newer content.",
    )
    inherited: bool = Field(
        default=False, description="Also what the groups below the owners own, as they are today: not with `as_of`."
    )
    followed: bool = Field(default=False, description="Only those that you follow.")
    mine: bool = Field(
        default=False, description="Only those that you own, or one of the groups that you are in today."
    )
    sort: str = Field(
        "",
        pattern=PATTERN,
        description=f"{', '.join(KEYS)}; with a minus in front the other way round. What has no value comes last. By "
        "title unless given. `health`: the worst first, what is not checked between bad and good; not kept, so that "
        "with `as_of` it is by title.",
        examples=["owner", "-updated_at"],
    )
    as_of: AsOf = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.inherited and self.as_of is not None:
            raise ValueError("inherited is for today only; leave out as_of")
        return self

    def to_filter(self, kinds: Kinds, actor: Actor) -> EntityFilter:
        return EntityFilter(
            kinds=tuple(self.kind),
            namespaces=tuple(self.namespace),
            owners=_refs(self.owner, "Group"),
            types=tuple(self.type),
            lifecycles=tuple(self.lifecycle),
            systems=_refs(self.system, "System"),
            tags=tuple(self.tag),
            text=self.q,
            is_unowned=self.unowned,
            is_inherited=self.inherited,
            is_orphan=self.orphan,
            is_stale=self.stale,
            location_id=self.location,
            owned_kinds=list_owned_kinds(kinds),
            followed_by=actor.id if self.followed else None,
            owned_by=owners_of(actor) if self.mine else None,
        )


class EntityQuery(EntityCriteria, PageQuery):
    """Which entities, and which page of them."""


def list_owned_kinds(kinds: Kinds) -> tuple[str, ...]:
    """Return the names of the kinds whose entities should have an owner."""
    return tuple(definition.name for definition in kinds if definition.is_owned)


def _refs(texts: Sequence[str], default_kind: str) -> tuple[str, ...]:
    refs = []
    for text in texts:
        try:
            refs.append(str(parse_ref(text, default_kind=default_kind)))
        except InvalidRef:
            refs.append(text)  # no entity has such a ref: nothing is found
    return tuple(refs)


class SourceOut(BaseModel):
    """Where an entity was read from; `location_id` is null for those put over the API, and for those built in."""

    location_id: UUID | None
    is_built_in: bool
    file: str
    line: int


class EntityOut(BaseModel):
    """An entity."""

    model_config = ConfigDict(populate_by_name=True)

    ref: str
    uid: UUID
    api_version: str = Field(serialization_alias="apiVersion")
    kind: str
    metadata: dict[str, Any]
    spec: dict[str, Any]
    owner: str | None = Field(description="Ref of the owner; it need not exist.")
    system: str | None
    source: SourceOut
    etag: str
    updated_at: datetime
    orphaned_at: datetime | None

    @classmethod
    def of(cls, entity: EntitySummary, **more: Any) -> "EntityOut":
        document = entity.document
        return cls(
            ref=str(entity.ref),
            uid=entity.uid,
            api_version=document["apiVersion"],
            kind=document["kind"],
            metadata={**document["metadata"], "uid": str(entity.uid)},
            spec=document["spec"],
            owner=str(entity.owner) if entity.owner else None,
            system=str(entity.system) if entity.system else None,
            source=SourceOut(
                location_id=entity.location_id, is_built_in=entity.is_built_in, file=entity.file, line=entity.line
            ),
            etag=entity.digest,
            updated_at=entity.updated_at,
            orphaned_at=entity.orphaned_at,
            **more,
        )


class RelationOut(BaseModel):
    """A relation; `found` tells whether the target is in the catalog."""

    type: str
    target: str
    found: bool


class StatusOut(BaseModel):
    """What a part of Roadbed reports about an entity."""

    key: str
    state: str
    summary: str
    source: str
    href: str | None
    detail: dict[str, Any]
    since: datetime
    at: datetime

    @classmethod
    def of(cls, status: Status) -> "StatusOut":
        return cls(
            key=status.key,
            state=status.state,
            summary=status.summary,
            source=status.source,
            href=status.href,
            detail=dict(status.detail),
            since=status.since,
            at=status.at,
        )


class ProblemOut(BaseModel):
    """Something wrong in a file."""

    model_config = ConfigDict(from_attributes=True)

    file: str
    line: int
    column: int
    path: str
    reason: str
    hint: str
    severity: str
    code: str
    ref: str


class ComputedOut(BaseModel):
    """A computed property; with an error there is no value."""

    type: str
    value: Any
    error: str | None

    @classmethod
    def of(cls, computed: ComputedValue) -> "ComputedOut":
        return cls(type=computed.property.type, value=computed.value, error=computed.error or None)


class ImpliedLinkOut(BaseModel):
    """A link that a known annotation implies."""

    model_config = ConfigDict(from_attributes=True)

    title: str
    url: str = Field(description="An address; in Roadbed's own host a path.")
    annotation: str
    value: str


class MissingLinkOut(BaseModel):
    """A link that there would be if `catalog.links` had this setting."""

    model_config = ConfigDict(from_attributes=True)

    title: str
    annotation: str
    setting: str


class RollupOut(BaseModel):
    """The worst health among what hangs on an entity.

    `state` is `unknown` when nothing is checked, null when there is nothing. `path` leads from next to the entity to
    the worst one, `status` is what is reported of that. `counts` are by state; those not checked are `unknown`.
    """

    state: str | None
    sentence: str
    path: list[str]
    status: StatusOut | None
    total: int
    counts: dict[str, int]
    is_cut: bool

    @classmethod
    def of(cls, rolled: Rolled) -> "RollupOut":
        rollup = rolled.rollup
        return cls(
            state=rollup.state,
            sentence=rolled.sentence if rollup.total else "",
            path=list(rollup.path),
            status=StatusOut.of(rolled.status) if rolled.status else None,
            total=rollup.total,
            counts={state.value: count for state, count in rollup.counts.items()},
            is_cut=rollup.is_cut,
        )


class HealthOut(BaseModel):
    """How it is: `own` is what is reported of the entity itself, which what it depends on never changes."""

    own: str | None
    summary: str
    dependencies: RollupOut
    parts: RollupOut

    @classmethod
    def of(cls, health: HealthView) -> "HealthOut":
        return cls(
            own=health.own.state if health.own else None,
            summary=health.summary,
            dependencies=RollupOut.of(health.dependencies),
            parts=RollupOut.of(health.parts),
        )


class EntityDetailOut(EntityOut):
    """An entity with everything around it. What `missing_links` are is told to platform engineers only."""

    relations: list[RelationOut]
    statuses: list[StatusOut]
    problems: list[ProblemOut]
    computed: dict[str, ComputedOut]
    health: HealthOut | None = Field(description="Not of the past.")
    implied_links: list[ImpliedLinkOut]
    missing_links: list[MissingLinkOut]


class EntityPageOut(BaseModel):
    items: list[EntityOut]
    next_cursor: str | None
    total: int


class PutOut(BaseModel):
    """What putting did to one entity; `change` is null when it was the same already."""

    ref: str
    change: str | None


class PutResultOut(BaseModel):
    items: list[PutOut]


class KindChangeOut(BaseModel):
    """What a declared kind would do to the entities of it; `problems` are those of the first 100 that would break."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    is_new: bool
    entities: int
    becoming_invalid: int = Field(description="Valid now, and not any more when the kind is put.")
    still_invalid: int
    problems: list[ProblemOut]


class ValidationOut(BaseModel):
    """`valid` is false when any problem is an error. `kinds` is for each kind that is declared."""

    valid: bool
    entities: list[str]
    problems: list[ProblemOut]
    kinds: list[KindChangeOut]

    @classmethod
    def of(cls, refs: Sequence[str], problems: Sequence[Problem], kinds: Sequence[KindChange] = ()) -> "ValidationOut":
        return cls(
            valid=not any(problem.is_error for problem in problems) and bool(refs),
            entities=list(refs),
            problems=[ProblemOut.model_validate(problem) for problem in problems],
            kinds=[KindChangeOut.model_validate(change) for change in kinds],
        )
