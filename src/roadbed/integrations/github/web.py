"""What GitHub calls when something happened in an organisation."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from roadbed.core.access import anonymous
from roadbed.core.actor import Actor
from roadbed.integrations.github.service import deliveries

router = APIRouter()

PATH = "/webhooks/github"


@router.post(PATH + "/{location_id}", status_code=202)
async def receive_delivery(
    request: Request, _: Annotated[Actor, anonymous("the signature of each delivery is checked")], location_id: UUID
) -> JSONResponse:
    """Take a delivery of a webhook."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    outcome = await deliveries.receive(request.app.state.services, location_id, headers, await request.body())
    return JSONResponse({"status": outcome}, 202)
