"""Changes of many entities, as the API takes and gives them."""

from typing import Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from roadbed.catalog.schemas.entities import EntityCriteria
from roadbed.catalog.types import LONGEST_VALUE, MOST_CHANGED, Changeable


class BulkIn(BaseModel):
    """Which entities, by their refs or by what they have in common, and what to set for all of them."""

    model_config = ConfigDict(extra="forbid")

    field: Changeable = Field(examples=["owner"])
    value: str = Field(
        max_length=LONGEST_VALUE,
        description="An owner may be the plain name of a group.",
        examples=["team-checkout"],
    )
    refs: list[str] = Field(default_factory=list, max_length=MOST_CHANGED, examples=[["component:default/orders"]])
    where: EntityCriteria | None = Field(None, description="As the list of entities takes it.")
    message: str = Field("", max_length=10_000, description="For the change requests.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.refs) == (self.where is not None):
            raise ValueError("give either refs or where")
        if self.where is not None and self.where.as_of is not None:
            raise ValueError("as_of cannot be changed; leave it out")
        return self


class BulkFileOut(BaseModel):
    """An entity and the file that holds it."""

    ref: str
    file: str


class BulkRepositoryOut(BaseModel):
    """What one change request would change."""

    repository: str
    branch: str
    entities: list[BulkFileOut]


class BulkRefusalOut(BaseModel):
    """An entity that is not changed, and why."""

    ref: str
    reason: str


class BulkPlanOut(BaseModel):
    """What would be done."""

    field: str
    value: str
    count: int = Field(description="How many would be changed.")
    kept: list[str] = Field(description="Changed at once: the catalog keeps them.")
    repositories: list[BulkRepositoryOut]
    refused: list[BulkRefusalOut]
    unchanged: list[str] = Field(description="They have this value already.")


class BulkStartedOut(BulkPlanOut):
    """What is done, by which run."""

    run_id: UUID
