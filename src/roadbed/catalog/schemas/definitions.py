"""Definitions of APIs as the API gives them."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.rules.definitions.breaking import Impact
from roadbed.catalog.rules.definitions.model import Element, Head, NamedType
from roadbed.catalog.schemas.changes import LATEST_POSITION


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
