"""The catalog as the API takes and gives it. Entities keep the spelling of their documents: `apiVersion`."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from roadbed.catalog.rules.declarations import KindChange
from roadbed.catalog.rules.definitions.breaking import Impact
from roadbed.catalog.rules.definitions.model import Element, Head, NamedType
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.computed import ComputedValue
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.types import EntityFilter, EntitySummary, LocationOptions, LocationSummary, Status
from roadbed.core.paging import PageQuery
from roadbed.kit.clock import now
from roadbed.kit.paging import DEFAULT_LIMIT, MAX_LIMIT
from roadbed.kit.refs import InvalidRef, parse_ref

LATEST_POSITION = 2**62


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
    as_of: AsOf = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.inherited and self.as_of is not None:
            raise ValueError("inherited is for today only; leave out as_of")
        return self

    def to_filter(self, kinds: Kinds) -> EntityFilter:
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
            owned_kinds=tuple(definition.name for definition in kinds if definition.is_owned),
        )


class EntityQuery(EntityCriteria, PageQuery):
    """Which entities, and which page of them."""


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


class EntityDetailOut(EntityOut):
    """An entity with everything around it."""

    relations: list[RelationOut]
    statuses: list[StatusOut]
    problems: list[ProblemOut]
    computed: dict[str, ComputedOut]


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


class DefinitionOut(BaseModel):
    """What a definition says. Shapes name types and never hold them; what has its default is left out."""

    head: Head
    elements: list[Element]
    types: list[NamedType]


class DefinitionVersions(BaseModel):
    """Which versions of a definition are compared: positions of the changes that brought them."""

    version: int | None = Field(None, ge=1, le=LATEST_POSITION, description="The newer one; unset, the newest.")
    since: int | None = Field(None, ge=1, le=LATEST_POSITION, description="The older one; unset, the one before.")


class DefinitionVersionOut(BaseModel):
    """A version of a definition: the change that brought it."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    actor: str
    revision: str | None
    run_id: UUID | None
    at: datetime


class DefinitionChangeOut(BaseModel):
    """A difference, and the rule that says what it means for clients: `breaking`, `risky` or `safe`."""

    sign: str = Field(examples=["-"])
    place: list[str] = Field(examples=[["GET /orders", "Response 200 · application/json", "total"]])
    what: str
    element: str
    before: str
    after: str
    code: str = Field(examples=["output-removed"])
    impact: Impact
    reason: str


class DefinitionChangesOut(BaseModel):
    """What changed from one version of a definition to the next; `before` is null for the first version."""

    before: DefinitionVersionOut | None
    after: DefinitionVersionOut
    breaking: int
    items: list[DefinitionChangeOut]
    is_cut: bool = Field(description="There are more changes than these.")


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


class ChangeOut(BaseModel):
    """One change of an entity, with what it was after it."""

    model_config = ConfigDict(from_attributes=True)

    position: int
    change: str
    actor: str
    at: datetime
    revision: str | None
    run_id: UUID | None
    digest: str
    document: dict[str, Any]


class FeedChangeOut(ChangeOut):
    """A change in the feed: which entity it is of, beside what it was."""

    ref: str


class FeedQuery(BaseModel):
    """What of the feed is wanted."""

    model_config = ConfigDict(extra="forbid")

    since: str | None = Field(None, description="`next_cursor` of the answer before; unset: from the beginning.")
    limit: int = Field(DEFAULT_LIMIT, ge=1, le=MAX_LIMIT)
    wait_seconds: float = Field(0, ge=0, le=60, description="How long to wait when there is nothing new.")


class FeedOut(BaseModel):
    """Changes, oldest first, and where to go on; the cursor is there also when nothing is new."""

    items: list[FeedChangeOut]
    next_cursor: str


class KindRelationOut(BaseModel):
    """A relation that follows from a field of the spec."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    type: str
    inverse: str
    kinds: list[str]
    default_kind: str | None
    is_many: bool | None


class KindOut(BaseModel):
    """A kind in force; `declared_by` is the ref of the entity that declares it."""

    name: str
    title: str
    plural: str
    icon: str
    description: str
    api_versions: list[str]
    is_owned: bool
    relations: list[KindRelationOut]
    computed: dict[str, str] = Field(description="Name and type of each computed property.")
    declared_by: str | None
    schema_url: str

    @classmethod
    def of(cls, definition: KindDefinition) -> "KindOut":
        return cls(
            name=definition.name,
            title=definition.word,
            plural=definition.plural,
            icon=definition.icon,
            description=definition.description,
            api_versions=list(definition.api_versions),
            is_owned=definition.is_owned,
            relations=[KindRelationOut.model_validate(relation) for relation in definition.relations],
            computed={one.name: one.type.value for one in definition.computed},
            declared_by=definition.declared_by,
            schema_url=f"/api/v1/kinds/{definition.name}/schema",
        )


class KindsOut(BaseModel):
    items: list[KindOut]


class LocationOptionsIn(BaseModel):
    """How a location is looked after; what is null is as for all locations, or does not happen."""

    model_config = ConfigDict(extra="forbid")

    allowed_kinds: list[str] | None = Field(
        None, max_length=100, description="Kinds that entities from it may have.", examples=[["Component", "API"]]
    )
    interval_seconds: int | None = Field(
        None, ge=30, le=2_592_000, description="How long after one look at its source the next is due."
    )
    remove_orphans_after_hours: int | None = Field(
        None, ge=0, le=87_600, description="When an entity that its source no longer has is deleted."
    )
    remove_after_missing: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="After how many looks in a row that found no entry file it is removed, with its entities.",
    )
    source: dict[str, Any] = Field(
        default_factory=dict, description="What its type asks for; secrets as `secret://` references."
    )


class LocationChangeIn(LocationOptionsIn):
    """What to change of a location; fields that are left out stay."""

    def changes(self) -> dict[str, Any]:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if given.get("allowed_kinds") is not None:
            given["allowed_kinds"] = tuple(given["allowed_kinds"])
        return given


class LocationIn(LocationOptionsIn):
    """A location to register."""

    type: str = Field(examples=["git"], description="`git`, `url`, `file`, or a type of an integration: `github`.")
    target: str = Field(
        min_length=1,
        max_length=2000,
        examples=["https://git.example.com/shop.git#main:catalog-info.yaml"],
        description="`git`: `url[#branch[:path or glob]]`; `url`: an address; `file`: an absolute path or glob; "
        "`github`: the address of an organisation.",
    )

    @property
    def options(self) -> LocationOptions:
        return LocationOptions(
            allowed_kinds=None if self.allowed_kinds is None else tuple(self.allowed_kinds),
            interval_seconds=self.interval_seconds,
            remove_orphans_after_hours=self.remove_orphans_after_hours,
            remove_after_missing=self.remove_after_missing,
            source=self.source,
        )


class LocationOut(BaseModel):
    """A location, and how reading it went."""

    id: UUID
    type: str = Field(examples=["git"])
    target: str
    allowed_kinds: list[str] | None
    interval_seconds: int | None
    remove_orphans_after_hours: int | None
    remove_after_missing: int | None
    source: dict[str, Any]
    missing_count: int = Field(description="How many looks in a row found no entry file.")
    report: dict[str, Any] = Field(description="What its source tells about reading, such as a budget of requests.")
    created_at: datetime
    created_by: str
    checked_at: datetime | None
    read_at: datetime | None
    revision: str | None
    error: dict[str, Any] | None
    run_id: UUID | None
    entities: int
    errors: int

    @classmethod
    def of(
        cls, location: LocationSummary, *, entities: Mapping[UUID, int], errors: Mapping[UUID, int]
    ) -> "LocationOut":
        return cls(
            id=location.id,
            type=location.type,
            target=location.target,
            allowed_kinds=None if location.options.allowed_kinds is None else list(location.options.allowed_kinds),
            interval_seconds=location.options.interval_seconds,
            remove_orphans_after_hours=location.options.remove_orphans_after_hours,
            remove_after_missing=location.options.remove_after_missing,
            source=dict(location.options.source),
            missing_count=location.missing_count,
            report=dict(location.report),
            created_at=location.created_at,
            created_by=location.created_by,
            checked_at=location.checked_at,
            read_at=location.read_at,
            revision=location.revision,
            error=dict(location.error) if location.error else None,
            run_id=location.run_id,
            entities=entities.get(location.id, 0),
            errors=errors.get(location.id, 0),
        )


class LocationDetailOut(LocationOut):
    problems: list[ProblemOut]


class LocationPageOut(BaseModel):
    items: list[LocationOut]
    next_cursor: str | None


class RunStartedOut(BaseModel):
    """The run that was started, and what it works on."""

    location_id: UUID
    run_id: UUID
