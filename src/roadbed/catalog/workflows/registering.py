"""Registering a repository when the change request with its catalog file is merged."""

from typing import Any
from uuid import UUID

from roadbed.catalog.access import LOCATION_WRITE
from roadbed.catalog.errors import LocationExists
from roadbed.catalog.service.locations import refresh_location, register_location
from roadbed.catalog.service.registering import CHANGE_WAIT, REGISTER_MERGED
from roadbed.core.db import ReadSession, WriteSession
from roadbed.core.events import Envelope
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepKind, Wait, needing, resume_waits
from roadbed.scm.contract import (
    ChangeRequestChanged,
    ChangeRequestState,
    get_change_request,
    get_repository_by_id,
)


async def register_merged(context: StepContext) -> Outcome:
    """Wait for the end of a change request; register the location when it was merged."""
    repository_id, number = UUID(context.inputs["repository_id"]), int(context.inputs["number"])

    async def find(session: ReadSession) -> dict[str, Any] | None:
        repository = await get_repository_by_id(session, repository_id)
        change = await get_change_request(session, repository, number)
        return None if change.state is ChangeRequestState.OPEN else {"state": change.state.value}

    async with context.database.read() as session:
        ended = await find(session)
    if ended is None:
        return Wait(CHANGE_WAIT, f"{repository_id}:{number}", f"Waits for change request #{number}", find=find)
    if ended["state"] != ChangeRequestState.MERGED:
        return Skip("The change request was closed without a merge.")
    async with context.database.write() as session:
        try:
            location, _ = await register_location(
                session,
                context.actor,
                type_=context.inputs["type"],
                target=context.inputs["target"],
                parent_run_id=context.run_id,
            )
            location_id = location.id
        except LocationExists as error:
            location_id = UUID(error.context["location_id"])
            await refresh_location(session, context.actor, location_id)
    href = f"/catalog/locations/{location_id}"
    await context.link("location", title=context.inputs["target"], href=href)
    return Done({"location_id": str(location_id), "href": href}, note="Registered")


async def follow_change_requests(session: WriteSession, envelope: Envelope[ChangeRequestChanged]) -> None:
    """Go on with the steps that wait for the end of a change request."""
    event = envelope.event
    if event.state != ChangeRequestState.OPEN:
        key = f"{event.repository_id}:{event.number}"
        await resume_waits(session, kind=CHANGE_WAIT, key=key, result={"state": event.state})


STEP = StepKind(REGISTER_MERGED, register_merged, guard_retry=needing(LOCATION_WRITE))
