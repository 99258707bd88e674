"""REST: everything that exists outside the database, and what it belongs to."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.inventory import take_inventory
from roadbed.web.access import InventoryReader

MAX_ITEMS = 20_000

router = APIRouter(tags=["system"])


class InventoryQuery(BaseModel):
    """Which items."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[list[str] | None, Field(description="Only of this kind; may be repeated.")] = None
    unexplained: Annotated[bool, Field(description="Only what belongs to nothing.")] = False
    limit: Annotated[int, Field(ge=1, le=MAX_ITEMS, description="At most so many, what is not explained first.")] = (
        5_000
    )


class ItemOut(BaseModel):
    """Something that exists. What is not explained has a reason, and a hint how to remove it."""

    model_config = ConfigDict(from_attributes=True)

    kind: str
    name: str
    is_explained: bool
    belongs_to: str | None
    reason: str
    hint: str
    details: dict[str, Any]


class InventoryOut(BaseModel):
    """The items asked for, and how many there are of them."""

    items: list[ItemOut]
    total_count: int
    unexplained_count: int


@router.get("/inventory")
async def read_inventory(
    request: Request, _: InventoryReader, query: Annotated[InventoryQuery, Query()]
) -> InventoryOut:
    """List what exists outside the database: processes, databases, repositories, folders, files, ports and routes."""
    found = [
        item
        for item in await take_inventory(request.app.state.services)
        if (not query.kind or item.kind in query.kind) and not (query.unexplained and item.is_explained)
    ]
    return InventoryOut(
        items=[ItemOut.model_validate(item) for item in found[: query.limit]],
        total_count=len(found),
        unexplained_count=sum(not item.is_explained for item in found),
    )
