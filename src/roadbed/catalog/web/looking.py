"""Pages: what is found at a place before it is registered, mended in place, or a catalog file that is proposed."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from roadbed.catalog.access import LocationWriter
from roadbed.catalog.errors import LocationForbidden, LocationInvalid, ProposalInvalid
from roadbed.catalog.service import registering
from roadbed.catalog.service.editing.drafts import LONGEST_DOCUMENT
from roadbed.catalog.service.editing.origins import may_propose
from roadbed.catalog.service.editing.proposals import LONGEST_MESSAGE, LONGEST_TITLE, Words, page_of
from roadbed.catalog.service.registering import CheckedFile, Findings
from roadbed.catalog.types import LocationType
from roadbed.catalog.web.places import show_register_form
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.core.services import Services

router = APIRouter(prefix="/catalog/register/look")

_LOOKS, _PAUSE_SECONDS = 15, 0.2


class FileForm(BaseModel):
    """A file as it was written, and the words of the change request."""

    path: str = Field(max_length=4096)
    text: str = ""
    title: str = ""
    message: str = ""


Written = Annotated[FileForm, Form()]


@router.post("")
async def start_look(
    request: Request,
    actor: LocationWriter,
    type_: Annotated[LocationType, Form(alias="type")],
    target: Annotated[str, Form()] = "",
) -> Response:
    """Start to look at a place; what is wrong with its address is said beside the field."""
    database: Database = request.app.state.services.get(Database)
    try:
        async with database.write() as session:
            run = await registering.start_look(session, actor, type_=type_, target=target)
    except (LocationInvalid, LocationForbidden) as error:
        return await show_register_form(request, type_=type_, target=target, error=f"{error.message} {error.hint}")
    return RedirectResponse(f"/catalog/register/look/{run.id}", 303)


@router.get("/{run_id}")
async def look_page(request: Request, actor: LocationWriter, run_id: UUID) -> HTMLResponse:
    """Show what was found; a look that is about to end is waited for."""
    services: Services = request.app.state.services
    findings = await _get(services, actor, run_id)
    for _ in range(_LOOKS):
        if findings.is_over:
            break
        await asyncio.sleep(_PAUSE_SECONDS)
        findings = await _get(services, actor, run_id)
    return await _show(request, actor, findings)


@router.post("/{run_id}/check")
async def check_file(request: Request, actor: LocationWriter, run_id: UUID, form: Written) -> HTMLResponse:
    """Show what is wrong with a file as it was changed."""
    services: Services = request.app.state.services
    findings = await _get(services, actor, run_id)
    try:
        file = await registering.check_file(services, findings, path=form.path, text=form.text)
    except ProposalInvalid as error:
        return await _show(request, actor, findings, error=error)
    return await _show(request, actor, findings, file=file)


@router.post("/{run_id}/propose")
async def propose_file(request: Request, actor: LocationWriter, run_id: UUID, form: Written) -> Response:
    """Open a change request with a file, and show it; the repository is registered when it is merged."""
    services: Services = request.app.state.services
    findings = await _get(services, actor, run_id)
    words, file = Words(form.title, form.message), None
    try:
        file = await registering.check_file(services, findings, path=form.path, text=form.text)
        repository, change, _ = await registering.propose_file(services, actor, findings, file, words)
    except ProposalInvalid as error:
        return await _show(request, actor, findings, file=file, error=error)
    return RedirectResponse(page_of(repository, change), 303)


@router.post("/{run_id}/file")
async def download_file(request: Request, actor: LocationWriter, run_id: UUID, form: Written) -> Response:
    """Give a file as it was changed, to be put into the repository."""
    findings = await _get(request.app.state.services, actor, run_id)
    file = await registering.check_file(request.app.state.services, findings, path=form.path, text=form.text)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(form.path.rpartition('/')[2])}"}
    return Response(file.text, media_type="application/yaml", headers=headers)


async def _get(services: Services, actor: Actor, run_id: UUID) -> Findings:
    async with services.get(Database).read() as session:
        return await registering.get_findings(session, actor, run_id)


async def _show(
    request: Request,
    actor: Actor,
    findings: Findings,
    *,
    file: CheckedFile | None = None,
    error: RoadbedError | None = None,
) -> HTMLResponse:
    services: Services = request.app.state.services
    can_propose = findings.is_own and may_propose(services, actor)
    context = {
        "findings": findings,
        "found": findings.found,
        "short_name": findings.short_name,
        "files": _list_files(findings, file),
        "can_propose": can_propose,
        "error": error,
    }
    is_faulty = error is not None or (file is not None and not file.is_sound)
    return await render(request, "catalog/look.html", context, status=422 if is_faulty else 200)


def _list_files(findings: Findings, changed: CheckedFile | None) -> list[dict[str, Any]]:
    """Return the files that can be mended, with their fields; one that was changed as it was changed."""
    files = [
        (file["path"], file["text"], _problems_of(findings, file["path"]))
        for file in findings.found.get("files", ())
        if file["text"] is not None
    ]
    generated = findings.found.get("generated")
    files += [(generated["path"], generated["text"], [])] if generated else []
    shown = []
    for number, (path, text, problems) in enumerate(files, 1):
        is_changed = changed is not None and changed.path == path
        told = [problem.as_dict() for problem in changed.problems] if changed is not None and is_changed else problems
        shown.append(
            {
                "path": path,
                "problems": told,
                "is_checked": is_changed,
                "is_sound": not any(problem["severity"] == "error" for problem in told),
                "fields": _fields(number, path, changed.text if changed is not None and is_changed else text),
            }
        )
    return shown


def _problems_of(findings: Findings, path: str) -> list[Mapping[str, Any]]:
    return [problem for problem in findings.found.get("problems", ()) if problem["file"] == path]


def _fields(number: int, path: str, text: str) -> dict[str, dict[str, Any]]:
    return {
        "text": {
            "name": "text",
            "id": f"text-{number}",
            "kind": "multiline",
            "label": path,
            "value": text,
            "mono": True,
            "is_required": True,
            "rows": min(max(text.count("\n") + 2, 8), 30),
            "attrs": {"spellcheck": "false", "maxlength": LONGEST_DOCUMENT},
        },
        "title": {
            "name": "title",
            "id": f"title-{number}",
            "kind": "text",
            "label": "Title of the change request",
            "value": registering.default_title(path),
            "is_required": True,
            "attrs": {"maxlength": LONGEST_TITLE},
        },
        "message": {
            "name": "message",
            "id": f"message-{number}",
            "kind": "multiline",
            "label": "Message",
            "value": "",
            "help": "Markdown.",
            "is_required": False,
            "rows": 3,
            "attrs": {"maxlength": LONGEST_MESSAGE},
        },
    }
