"""Changes as the API gives them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.kit.paging import DEFAULT_LIMIT, MAX_LIMIT

LATEST_POSITION = 2**62


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
