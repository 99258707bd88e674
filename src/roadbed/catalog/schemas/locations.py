"""Locations as the API takes and gives them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.schemas.entities import ProblemOut
from roadbed.catalog.types import LocationOptions, LocationSummary


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

    may_define_kinds: bool = Field(
        default=False, description="Whether entities from it may define kinds; needs `catalog.kind.write`."
    )

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
    may_define_kinds: bool
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
            may_define_kinds=location.options.may_define_kinds,
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
