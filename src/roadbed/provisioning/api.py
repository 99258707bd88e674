"""REST: resources. Asking and deleting start runs."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from roadbed.core.db import Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.core.paging import id_cursor, id_of_cursor
from roadbed.provisioning.access import ResourceDeleter, ResourceReader, ResourceWriter
from roadbed.provisioning.schemas import ResourceIn, ResourceOut, ResourcePageOut, ResourceQuery, StartedOut
from roadbed.provisioning.service.asking import ask_resources
from roadbed.provisioning.service.reading import get_resource, list_resources
from roadbed.provisioning.service.requests import delete_resource

router = APIRouter(prefix="/resources", tags=["resources"])


@router.get("")
async def list_all(session: Reading, _: ResourceReader, query: Annotated[ResourceQuery, Query()]) -> ResourcePageOut:
    """List resources, newest first."""
    found = await list_resources(
        session, query.to_filter(), before_id=id_of_cursor(query.cursor), limit=query.limit + 1
    )
    shown = found[: query.limit]
    next_cursor = id_cursor(shown[-1].id) if len(found) > query.limit else None
    return ResourcePageOut(items=[ResourceOut.of(resource) for resource in shown], next_cursor=next_cursor)


@router.post("", status_code=202)
async def ask(session: Writing, actor: ResourceWriter, body: ResourceIn, once: Once) -> StartedOut:
    """Ask for a resource: start the run that makes it be as asked."""
    if known := await once.find(StartedOut):
        return known
    run = await ask_resources(session, actor, body.to_wish())
    return await once.keep(StartedOut(run_id=run.id, title=run.title))


@router.get("/{resource_id}")
async def read_one(session: Reading, _: ResourceReader, resource_id: UUID) -> ResourceOut:
    """Give one resource with its outputs and why it is provided as it is."""
    return ResourceOut.of(await get_resource(session, resource_id))


@router.delete("/{resource_id}", status_code=202)
async def delete(session: Writing, actor: ResourceDeleter, resource_id: UUID) -> StartedOut:
    """Save what the resource holds, then delete it."""
    run = await delete_resource(session, actor, resource_id)
    return StartedOut(run_id=run.id, title=run.title)
