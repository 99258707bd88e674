"""Page: the review before a run: the answers, what will happen, the same from the shell, and the one button."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, ReadSession, WriteSession
from roadbed.core.errors import Conflict, RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.core.idempotency import repeatable_form
from roadbed.goldenpaths.access import RunStarter
from roadbed.goldenpaths.rules.answers import describe_page, draw_tree, keep_asked, write_command
from roadbed.goldenpaths.rules.naming import title_of
from roadbed.goldenpaths.rules.parameters import read_pages
from roadbed.goldenpaths.schemas import RunOut
from roadbed.goldenpaths.service.choices import offer_choices
from roadbed.goldenpaths.service.drafts import read_draft
from roadbed.goldenpaths.service.paths import get_path
from roadbed.goldenpaths.service.starting import check, preview, start
from roadbed.goldenpaths.types import CheckedValues, Foresight, GoldenPath, PlannedStep, Preview
from roadbed.goldenpaths.web.wizard import WizardQuery, address, show_path
from roadbed.kit.ids import new_id
from roadbed.secrets.contract import SecretMask

router = APIRouter()


class ReviewQuery(BaseModel):
    """Whose answers are reviewed; without a draft the defaults are."""

    model_config = ConfigDict(extra="ignore")

    draft: UUID | None = None


ReviewPlace = Annotated[ReviewQuery, Query()]


@dataclass(frozen=True)
class _Look:
    """A path with the answers that are reviewed; `key` makes a second click find the first one's run."""

    path: GoldenPath
    draft: UUID | None
    checked: CheckedValues
    key: str


@router.get("/create/{namespace}/{name}/review")
async def review_page(
    request: Request, session: Reading, actor: RunStarter, namespace: str, name: str, place: ReviewPlace
) -> Response:
    """Show what will happen; where an answer is missing or does not fit, lead to its page instead."""
    path = await get_path(session, namespace, name)
    checked = await _read_answers(session, actor, path, place)
    if checked.faults:
        return _lead_back(path, place, checked)
    return await _show(request, session, actor, _Look(path, place.draft, checked, key=str(new_id())))


@router.post("/create/{namespace}/{name}/review")
async def start_from_page(
    request: Request,
    actor: RunStarter,
    namespace: str,
    name: str,
    place: ReviewPlace,
    key: Annotated[str, Form(max_length=100)] = "",
) -> Response:
    """Start the run; a second click with the same key leads to the same run."""
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        path = await get_path(session, namespace, name)
        checked = await _read_answers(session, actor, path, place)
    if checked.faults:
        return _lead_back(path, place, checked)
    try:
        async with database.write() as session:
            started = await _start(session, actor, path, checked.values, key=key)
    except Conflict as error:
        async with database.read() as session:
            return await _show(request, session, actor, _Look(path, place.draft, checked, key=str(new_id())), error)
    return RedirectResponse(started.href, 303)


async def _start(
    session: WriteSession, actor: Actor, path: GoldenPath, values: Mapping[str, Any], *, key: str
) -> RunOut:
    """Start the run; the same answers under the same key find it."""
    once = repeatable_form(session, actor, key=key, asked=["path", path.ref, values])
    if known := await once.find(RunOut):
        return known
    run = await start(session, actor, path, values)
    return await once.keep(RunOut(run_id=run.id, title=run.title, state=run.state, href=f"/runs/{run.id}"))


async def _read_answers(session: ReadSession, actor: Actor, path: GoldenPath, place: ReviewQuery) -> CheckedValues:
    answers = await read_draft(session, actor, path, place.draft)
    asked: dict[str, Any] = {}
    for page in read_pages(path.spec):
        asked |= keep_asked(page, answers)
    return check(path, asked)


def _lead_back(path: GoldenPath, place: ReviewQuery, checked: CheckedValues) -> RedirectResponse:
    page = next((fault.page for fault in checked.faults if fault.page), 1)
    there = WizardQuery(draft=place.draft)
    then = "review" if place.draft else None
    return RedirectResponse(address(path, there, page=page, then=then, strict="true"), 303)


async def _show(
    request: Request, session: ReadSession, actor: Actor, look: _Look, error: RoadbedError | None = None
) -> HTMLResponse:
    path, values = look.path, look.checked.values
    shown = session.services.get(SecretMask).mask_data(values)
    pages = read_pages(path.spec)
    seen = await preview(session, actor, path, values)
    there = WizardQuery(draft=look.draft)
    edits = {page.number: address(path, there, page=page.number, then="review") for page in pages}
    context = {
        **await show_path(session, path),
        "title": title_of(path.title, values),
        "steps": [{"label": page.title, "href": edits[page.number], "state": "done"} for page in pages],
        "answers": [
            {
                "title": page.title,
                "id": f"page-{page.number}",
                "href": edits[page.number],
                "items": describe_page(page, shown, await offer_choices(session, actor, page, values)),
            }
            for page in pages
        ],
        "plan": _show_plan(seen),
        "problems": list(seen.problems) or ([error.message] if error else []),
        "files": seen.files,
        "tree": draw_tree(seen.repositories[0] if seen.repositories else "Files", seen.files),
        "command": write_command(path, pages, shown),
        "action": address(path, there, verb="/review"),
        "back": address(path, there, page=len(pages)) if pages else "/create",
        "key": look.key,
    }
    return await render(request, "goldenpaths/review.html", context, status=status_of(error) if error else 200)


def _show_plan(seen: Preview) -> list[dict[str, Any]]:
    return [_show_step(step, step.foresight or Foresight(step.name)) for step in seen.steps]


def _show_step(step: PlannedStep, foresight: Foresight) -> dict[str, Any]:
    """Show a step by the thing that it makes; one that makes files by its name, as a number names nothing."""
    title, detail = foresight.title, foresight.detail
    if foresight.files and not foresight.repository:
        title, detail = step.name, foresight.title
    return {
        "title": title,
        "detail": detail,
        "name": step.name,
        "state": step.state,
        "problem": foresight.problem,
        "is_repository": bool(foresight.repository),
    }
