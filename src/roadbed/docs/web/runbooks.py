"""The address of a runbook that alerts carry: it stays the same wherever the runbook is."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import RedirectResponse

from roadbed.core.db import Reading
from roadbed.docs.access import DocsReader
from roadbed.docs.service.runbooks import get_runbook
from roadbed.kit.refs import EntityRef

router = APIRouter(prefix="/catalog/{kind}/{namespace}/{name}/runbook")

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]


@router.get("")
async def open_runbook(session: Reading, _: DocsReader, ref: RefOfPath) -> RedirectResponse:
    """Lead to the runbook of an entity."""
    return RedirectResponse((await get_runbook(session, ref))[1], 303)


@router.get("/{alert}")
async def open_section(
    session: Reading, _: DocsReader, ref: RefOfPath, alert: Annotated[str, Path(max_length=200)]
) -> RedirectResponse:
    """Lead to the section of a runbook for an alert; to its beginning where it has none."""
    runbook, address = await get_runbook(session, ref)
    return RedirectResponse(runbook.link_to(alert) or address, 303)
