"""Pages: the form that asks for a resource, with what would happen beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.responses import Response

from roadbed.catalog.contract import EntitySummary
from roadbed.core import forms
from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession, WriteSession, Writing
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.core.http.problems import status_of
from roadbed.core.idempotency import repeatable_form
from roadbed.kit.ids import new_id
from roadbed.provisioning.access import ResourceWriter
from roadbed.provisioning.errors import ResourceInvalid
from roadbed.provisioning.rules.asking import APPLICATION, Option, make_schema, write_command
from roadbed.provisioning.schemas import StartedOut
from roadbed.provisioning.service.asking import ask_resources, foresee, list_applications, list_environments
from roadbed.provisioning.service.matching import list_types
from roadbed.provisioning.service.requests import read_application
from roadbed.provisioning.types import EnvironmentKey, ResourcesWish, ResourceWish
from roadbed.provisioning.web.pages import OUTCOMES, entity_page

router = APIRouter()

KEY, TYPE, STRICT = "~key", "~type", "~strict"
"""Fields of the form that are no answers. `~type` is the type that the form was made for."""
_SUGGESTED = 200


async def read_posted(request: Request) -> dict[str, list[str]]:
    """Return the form that was posted; read before a session is opened, as a client may take its time to send it."""
    return forms.group_pairs((await request.form()).multi_items())


Posted = Annotated[dict[str, list[str]], Depends(read_posted)]


@dataclass(frozen=True)
class _Questions:
    """The form for one resource type."""

    type: EntitySummary
    schema: forms.Schema

    def read(self, posted: Mapping[str, list[str]]) -> dict[str, Any]:
        return forms.fill_defaults(self.schema, forms.read_answers(self.schema, posted))

    def check(self, values: Mapping[str, Any]) -> list[forms.FieldProblem]:
        problems = forms.check_answers(self.schema, values)
        if any(problem.name == APPLICATION for problem in problems):
            return problems
        try:
            read_application(values[APPLICATION])
        except ResourceInvalid as error:
            return [forms.FieldProblem(APPLICATION, error.message), *problems]
        return problems


@dataclass(frozen=True)
class _Form:
    """The form as it is answered. Under one `key` a form starts one run; strictly, what is missing is said too."""

    questions: _Questions
    values: Mapping[str, Any]
    key: str
    is_strict: bool = False


@router.get("/resources/ask")
async def ask_page(request: Request, session: Reading, _: ResourceWriter) -> HTMLResponse:
    """Show the form for a new resource; answers may stand in the address."""
    given = forms.group_pairs(request.query_params.multi_items())
    questions = await _find_questions(session, _last(given, "type"))
    if questions is None:
        return await render(request, "provisioning/ask.html", {"type": None})
    return await _form_page(request, session, _Form(questions, questions.read(given), str(new_id())))


@router.post("/resources/ask")
async def ask(request: Request, actor: ResourceWriter, posted: Posted, session: Writing) -> Response:
    """Start the run that makes the resource; what does not fit is said at its field."""
    questions = await _find_questions(session, _last(posted, "type"))
    if questions is None:
        return RedirectResponse("/resources/ask", 303)
    values, key = questions.read(posted), _last(posted, KEY)
    if _last(posted, TYPE) != questions.type.ref.name:  # chosen in a browser without scripts: it has other questions
        return await _form_page(request, session, _Form(questions, values, key))
    if questions.check(values):
        return await _form_page(request, session, _Form(questions, values, key, is_strict=True), status=422)
    try:
        run_id = await _start(session, actor, values, key=key)
    except RoadbedError as error:
        form = _Form(questions, values, key, is_strict=True)
        return await _form_page(request, session, form, status=status_of(error))
    return RedirectResponse(f"/runs/{run_id}", 303)


@router.post("/resources/ask/questions")
async def check_page(request: Request, _: ResourceWriter, posted: Posted, session: Reading) -> Response:
    """Give the form again with what does not fit and what would happen; nothing is kept."""
    questions = await _find_questions(session, _last(posted, "type"))
    if questions is None:
        return RedirectResponse("/resources/ask", 303)
    is_strict = _last(posted, STRICT) == "true"
    form = _Form(questions, questions.read(posted), _last(posted, KEY), is_strict)
    return await _form_page(request, session, form)


def _last(posted: Mapping[str, list[str]], name: str) -> str:
    return (posted.get(name) or [""])[-1].strip()


async def _start(session: WriteSession, actor: Actor, values: Mapping[str, Any], *, key: str) -> UUID:
    """Start the run that a form asks for; the same form again finds it."""
    once = repeatable_form(session, actor, key=key, asked=["resource", values])
    if known := await once.find(StartedOut):
        return known.run_id
    run = await ask_resources(session, actor, _wish(values))
    return (await once.keep(StartedOut(run_id=run.id, title=run.title))).run_id


def _wish(values: Mapping[str, Any]) -> ResourcesWish:
    wish = ResourceWish(values["id"], values["type"], values["class"], values.get("params", {}))
    environment = EnvironmentKey(values[APPLICATION], values["environment"])
    return ResourcesWish(environment, environment.name, (wish,))


async def _find_questions(session: ReadSession, name: str) -> _Questions | None:
    """Return the form for a type, or for the first one; None when nothing can be asked for."""
    types = await list_types(session)
    environments = await list_environments(session)
    if not types or not environments:
        return None
    type_ = next((one for one in types if one.ref.name == name), types[0])
    others = [Option(one.ref.name, one.title or one.ref.name, one.description) for one in types]
    others.sort(key=lambda one: one.name != type_.ref.name)
    return _Questions(type_, make_schema(type_.spec, types=others, environments=environments))


async def _form_page(request: Request, session: ReadSession, form: _Form, *, status: int = 200) -> HTMLResponse:
    questions, values = form.questions, form.values
    problems = questions.check(values)
    shown = [problem for problem in problems if form.is_strict or problem.message != forms.NEEDED]
    applications = await list_applications(session, limit=_SUGGESTED)
    choices = {APPLICATION: forms.Choices(applications, is_closed=False)}
    fields = forms.make_fields(questions.schema, values, problems=shown, choices=choices)
    context = {
        "type": questions.type,
        "type_href": entity_page(str(questions.type.ref)),
        "fields": fields,
        "errors": forms.list_errors(fields),
        "is_strict": form.is_strict,
        "controls": {"key": KEY, "type": TYPE, "strict": STRICT},
        "key": form.key,
        "command": write_command(values),
        **(await _foresight(session, values) if not problems else {"foreseen": None, "failure": None}),
    }
    return await render(request, "provisioning/ask.html", context, fragment="questions", status=status)


async def _foresight(session: ReadSession, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what would happen, or why it would fail."""
    try:
        found = (await foresee(session, _wish(values)))[0]
    except RoadbedError as error:
        return {"foreseen": None, "failure": error}
    verdicts = [{**verdict, "kind": OUTCOMES.get(verdict["outcome"], "info")} for verdict in found.why]
    href = entity_page(found.definition)
    return {"foreseen": found, "values": values, "verdicts": verdicts, "definition_href": href, "failure": None}
