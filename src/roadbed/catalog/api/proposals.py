"""REST: entities as their files have them, and asking for a change of the file."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from roadbed.catalog.access import EntityWriter
from roadbed.catalog.schemas.entities import ProblemOut
from roadbed.catalog.schemas.proposals import (
    DocumentIn,
    DraftOut,
    OpenProposalOut,
    ProposalIn,
    ProposalOut,
    SourceTextOut,
    write_diff,
)
from roadbed.catalog.service.editing import drafts
from roadbed.catalog.service.editing.origins import list_open_proposals
from roadbed.catalog.service.editing.proposals import Words, page_of
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.kit.refs import EntityRef

router = APIRouter(tags=["catalog"])

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]


@router.get("/entities/{kind}/{namespace}/{name}/source")
async def get_source(request: Request, actor: EntityWriter, ref: RefOfPath) -> SourceTextOut:
    """Return the document of an entity as its file has it now, to be changed."""
    services: Services = request.app.state.services
    opened = await drafts.open_entity(services, actor, ref)
    origin = opened.origin
    async with services.get(Database).read() as session:
        waiting = await list_open_proposals(session, actor, origin)
    return SourceTextOut(
        place=origin.place,
        file=origin.file,
        href=origin.href,
        first_line=opened.first_line + 1,
        is_writable=origin.is_writable,
        reason=origin.reason,
        commit=opened.base,
        text=opened.text,
        change_requests=[OpenProposalOut.model_validate(change) for change in waiting],
    )


@router.post("/entities/{kind}/{namespace}/{name}/proposals/check")
async def check_proposal(request: Request, actor: EntityWriter, ref: RefOfPath, body: DocumentIn) -> DraftOut:
    """Say what a change would do to the file, and what is wrong with it, without proposing it."""
    services: Services = request.app.state.services
    draft = await _draft(services, actor, ref, body)
    if body.base is not None:
        await drafts.require_unchanged(services, actor, draft.opened, body.base)
    return DraftOut(
        valid=draft.is_sound,
        problems=[ProblemOut.model_validate(problem) for problem in draft.problems],
        diff=write_diff(draft.difference, draft.opened.origin.file),
        keeps_comments=not draft.has_lost_comments,
        content=draft.opened.put(draft.text).decode("utf-8", "replace"),
    )


@router.post("/entities/{kind}/{namespace}/{name}/proposals", status_code=201)
async def propose(request: Request, actor: EntityWriter, ref: RefOfPath, body: ProposalIn) -> ProposalOut:
    """Open a change request with the changed file; the same again gives the same one."""
    services: Services = request.app.state.services
    draft = await _draft(services, actor, ref, body)
    base = draft.opened.base if body.base is None else body.base
    words = Words(body.title or drafts.default_title(ref), body.message)
    repository, change = await drafts.propose_draft(services, actor, draft, words, base=base)
    return ProposalOut(repository=repository.full_name, number=change.number, href=page_of(repository, change))


async def _draft(services: Services, actor: EntityWriter, ref: EntityRef, body: DocumentIn) -> drafts.Draft:
    opened = await drafts.open_entity(services, actor, ref)
    if body.document is not None:
        return await drafts.draft_document(services, opened, body.document)
    return await drafts.draft_text(services, opened, body.text or "")
