"""The description of the REST API, for those who are signed in."""

from typing import Annotated, Any

from fastapi import APIRouter, Request

from roadbed.core.access import signed_in
from roadbed.core.actor import Actor

router = APIRouter()


@router.get("/api/v1/openapi.json")
async def read_openapi(request: Request, _: Annotated[Actor, signed_in()]) -> dict[str, Any]:
    """Give the OpenAPI document of everything under /api/v1."""
    document: dict[str, Any] = request.app.openapi()
    return document
