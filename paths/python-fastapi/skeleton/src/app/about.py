"""The front door: what runs here, and where its parts are."""

from datetime import UTC, datetime

from fastapi import APIRouter
from pydantic import BaseModel

from app import SERVICE, VERSION

router = APIRouter(tags=["about"])
STARTED_AT = datetime.now(UTC)


class About(BaseModel):
    service: str
    version: str
    started_at: datetime
    links: dict[str, str]


@router.get("/", summary="What runs here", operation_id="about")
async def about() -> About:
    return About(
        service=SERVICE,
        version=VERSION,
        started_at=STARTED_AT,
        links={
{%- if values.postgres %}
            "notes": "/v1/notes",
{%- endif %}
            "definition": "/openapi.json",
            "ready": "/readyz",
        },
    )
