"""REST: looking at a place before it is registered, and proposing its catalog file."""

from uuid import UUID

from fastapi import APIRouter, Request

from roadbed.catalog.access import LocationWriter
from roadbed.catalog.schemas.entities import ProblemOut
from roadbed.catalog.schemas.looking import (
    FileCheckedOut,
    FileIn,
    FileProposalIn,
    FileProposalOut,
    LookIn,
    LookOut,
    LookStartedOut,
)
from roadbed.catalog.service import registering
from roadbed.catalog.service.editing.proposals import Words, page_of
from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, Writing
from roadbed.core.idempotency import Once
from roadbed.core.services import Services

router = APIRouter(prefix="/locations/looks", tags=["catalog"])


@router.post("", status_code=202)
async def start_look(session: Writing, actor: LocationWriter, body: LookIn, once: Once) -> LookStartedOut:
    """Look at a place as a location would read it; nothing comes into the catalog."""
    if known := await once.find(LookStartedOut):
        return known
    run = await registering.start_look(session, actor, type_=body.type, target=body.target)
    return await once.keep(LookStartedOut(run_id=run.id))


@router.get("/{run_id}")
async def get_look(session: Reading, actor: LocationWriter, run_id: UUID) -> LookOut:
    """Return what a look has found: entities, what is wrong, or a catalog file that could be written."""
    findings = await registering.get_findings(session, actor, run_id)
    found, run = findings.found, findings.run
    return LookOut(
        run_id=run.id,
        state=run.state.value,
        type=findings.type,
        target=findings.target,
        message=run.error.get("message") if run.error else None,
        revision=found.get("revision"),
        files=found.get("files", []),
        problems=found.get("problems", []),
        counts=found.get("counts", {}),
        generated=found.get("generated"),
    )


@router.post("/{run_id}/check")
async def check_file(request: Request, actor: LocationWriter, run_id: UUID, body: FileIn) -> FileCheckedOut:
    """Say what is wrong with a file that was found, or is proposed, as somebody has changed it."""
    services: Services = request.app.state.services
    findings = await _get(services, actor, run_id)
    file = await registering.check_file(services, findings, path=body.path, text=body.text)
    return FileCheckedOut(
        valid=file.is_sound, problems=[ProblemOut.model_validate(problem) for problem in file.problems]
    )


@router.post("/{run_id}/proposals", status_code=201)
async def propose_file(request: Request, actor: LocationWriter, run_id: UUID, body: FileProposalIn) -> FileProposalOut:
    """Open a change request with a file, and register the repository when it is merged."""
    services: Services = request.app.state.services
    findings = await _get(services, actor, run_id)
    file = await registering.check_file(services, findings, path=body.path, text=body.text)
    words = Words(body.title or registering.default_title(body.path), body.message)
    repository, change, run = await registering.propose_file(services, actor, findings, file, words)
    return FileProposalOut(
        repository=repository.full_name, number=change.number, href=page_of(repository, change), run_id=run.id
    )


async def _get(services: Services, actor: Actor, run_id: UUID) -> registering.Findings:
    async with services.get(Database).read() as session:
        return await registering.get_findings(session, actor, run_id)
