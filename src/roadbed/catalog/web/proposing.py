"""Pages: an entity that a file holds is changed in the file: a form or its text, a review, and a change request."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from roadbed.catalog.access import EntityWriter
from roadbed.catalog.errors import EntityInvalid, ProposalInvalid, SourceChanged
from roadbed.catalog.rules.comparison import TextDifference, compare_texts
from roadbed.catalog.rules.forms import answers_of, change_document, leave_out_placeholders, schema_of, settle
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.service.editing import drafts
from roadbed.catalog.service.editing.drafts import Draft, Opened
from roadbed.catalog.service.editing.origins import may_propose
from roadbed.catalog.service.editing.proposals import LONGEST_MESSAGE, LONGEST_TITLE, Words, page_of
from roadbed.catalog.web.values import offer_refs
from roadbed.core import forms
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.errors import RoadbedError
from roadbed.core.html import render
from roadbed.core.services import Services
from roadbed.kit.refs import EntityRef

router = APIRouter()

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
BASE, SEEN = "~base", "~seen"


class EditForm(BaseModel):
    """A document as it was written, what it was changed from, and the words of the change request."""

    base: str = Field("", alias=BASE, max_length=64)
    seen: str = Field("", alias=SEEN)
    text: str = ""
    title: str = ""
    message: str = ""

    @property
    def words(self) -> Words:
        return Words(self.title, self.message)


Edited = Annotated[EditForm, Form()]


@dataclass(frozen=True)
class _Review:
    """A change that is looked at before it is proposed; `meanwhile` is what others changed in the same document."""

    draft: Draft
    words: Words
    meanwhile: TextDifference | None = None
    error: RoadbedError | None = None


async def show_form(
    request: Request, actor: Actor, ref: EntityRef, *, posted: Mapping[str, Sequence[str]] | None = None
) -> HTMLResponse:
    """Show the form of an entity, with what its file says now; or its text, where that is wanted."""
    services: Services = request.app.state.services
    opened = await _open_seen(services, actor, ref, posted or {})
    schema, definition = _schema(services, opened), _definition(services, opened)
    if schema is None or definition is None or (posted is None and request.query_params.get("as") == "text"):
        return await _show(request, opened, [_text_field(opened.text)], can_have_form=schema is not None)
    if posted is None:
        answers, problems = answers_of(opened.document, schema), []
    else:
        answers = forms.read_answers(schema, posted)
        problems = forms.check_answers(schema, answers)
    async with services.get(Database).read() as session:
        choices = offer_refs(session, definition)
    fields = forms.make_fields(schema, answers, problems=problems, choices=choices)
    return await _show(request, opened, fields, problems=problems)


async def take_form(
    request: Request, actor: Actor, ref: EntityRef, posted: Mapping[str, Sequence[str]]
) -> HTMLResponse | RedirectResponse:
    """Show what the answers of a form would change; what is wrong with them is said at their fields."""
    services: Services = request.app.state.services
    seen = await _open_seen(services, actor, ref, posted)
    schema = _schema(services, seen)
    if schema is None:
        return await show_form(request, actor, ref)
    answers = forms.read_answers(schema, posted)
    if forms.check_answers(schema, answers):
        return await show_form(request, actor, ref, posted=posted)
    settled = settle(answers_of(seen.document, schema), answers)
    document = {**seen.document, **change_document(seen.document, settled, schema)}
    try:
        draft = await drafts.draft_document(services, seen, document)
    except ProposalInvalid as error:
        return await _show(request, seen, [_text_field(seen.text)], error=error)
    review = await _look_again(services, actor, draft, Words(drafts.default_title(ref)))
    return await _review(request, actor, review)


@router.post("/catalog/{kind}/{namespace}/{name}/edit/text")
async def check_text(request: Request, actor: EntityWriter, ref: RefOfPath, form: Edited) -> HTMLResponse:
    """Show what a text would change, and what is wrong with it."""
    services: Services = request.app.state.services
    seen = await drafts.open_seen(services, actor, ref, base=form.base, text=form.seen)
    words = form.words if form.title else Words(drafts.default_title(ref), form.message)
    try:
        draft = await drafts.draft_text(services, seen, form.text)
    except ProposalInvalid as error:
        return await _show(request, seen, [_text_field(form.text)], error=error)
    return await _review(request, actor, await _look_again(services, actor, draft, words))


@router.post("/catalog/{kind}/{namespace}/{name}/edit/propose")
async def propose(request: Request, actor: EntityWriter, ref: RefOfPath, form: Edited) -> Response:
    """Open the change request, and show it; when somebody else was faster, show both changes."""
    services: Services = request.app.state.services
    opened = await drafts.open_entity(services, actor, ref)
    words = form.words
    draft = await drafts.draft_text(services, opened, form.text)
    try:
        repository, change = await drafts.propose_draft(services, actor, draft, words, base=form.base)
    except SourceChanged as error:
        return await _review(request, actor, _compare(draft, words, error))
    except (EntityInvalid, ProposalInvalid) as error:
        return await _review(request, actor, _Review(draft, words, error=error))
    return RedirectResponse(page_of(repository, change), 303)


@router.post("/catalog/{kind}/{namespace}/{name}/edit/file")
async def download_file(request: Request, actor: EntityWriter, ref: RefOfPath, form: Edited) -> Response:
    """Give the whole file as it would be, to be put where it lies; when it has changed there, show both changes."""
    services: Services = request.app.state.services
    opened = await drafts.open_entity(services, actor, ref)
    draft = await drafts.draft_text(services, opened, form.text)
    try:
        await drafts.require_unchanged(services, actor, opened, form.base or opened.base, text=form.seen)
    except SourceChanged as error:
        return await _review(request, actor, _compare(draft, form.words, error))
    name = quote(opened.origin.file.rpartition("/")[2] or "catalog-info.yaml")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(opened.put(draft.text), media_type="application/yaml", headers=headers)


async def _open_seen(services: Services, actor: Actor, ref: EntityRef, posted: Mapping[str, Sequence[str]]) -> Opened:
    base, text = ("".join(posted.get(name, ())) for name in (BASE, SEEN))
    return await drafts.open_seen(services, actor, ref, base=base, text=text)


def _compare(draft: Draft, words: Words, error: SourceChanged) -> _Review:
    """Return a draft with what others changed in the same document."""
    before, now = error.context["before"], error.context["now"]
    return _Review(draft, words, compare_texts(before, now, first_line=draft.opened.first_line), error)


async def _look_again(services: Services, actor: Actor, draft: Draft, words: Words) -> _Review:
    """Return a draft against what the file says by now, with what was changed since the writer saw it."""
    seen = draft.opened
    now = await drafts.open_entity(services, actor, seen.entity.ref)
    if now.base == seen.base:
        return _Review(draft, words)
    current = await drafts.draft_text(services, now, draft.text)
    if now.text == seen.text:
        return _Review(current, words)
    return _Review(current, words, compare_texts(seen.text, now.text, first_line=now.first_line))


async def _show(
    request: Request,
    opened: Opened,
    fields: list[Any],
    *,
    problems: Sequence[forms.FieldProblem] = (),
    error: RoadbedError | None = None,
    can_have_form: bool = False,
) -> HTMLResponse:
    is_text = any(field["name"] == "text" for field in fields)
    shown = [*fields, *({"kind": "hidden", **field} for field in _state_fields(opened))]
    context = {
        "entity": opened.entity,
        "origin": opened.origin,
        "line": opened.first_line + 1,
        "fields": shown,
        "errors": forms.list_errors(fields),
        "error": error,
        "is_text": is_text,
        "other_href": "?as=text" if not is_text else f"{opened.entity.href}/edit" if can_have_form else None,
    }
    return await render(request, "catalog/edit_source.html", context, status=422 if problems or error else 200)


async def _review(request: Request, actor: Actor, review: _Review) -> HTMLResponse:
    services: Services = request.app.state.services
    draft, opened = review.draft, review.draft.opened
    is_allowed = may_propose(services, actor)
    context = {
        "entity": opened.entity,
        "origin": opened.origin,
        "draft": draft,
        "problems": [problem.as_dict() for problem in draft.problems],
        "meanwhile": review.meanwhile,
        "error": review.error,
        "state": _state_fields(opened),
        "is_writable": opened.origin.is_writable,
        "is_allowed": is_allowed,
        "can_propose": opened.origin.is_writable and is_allowed and draft.is_sound and not draft.is_same,
        "words": _word_fields(review.words),
        "text": _text_field(draft.text),
    }
    is_faulty = not draft.is_sound or review.error is not None
    status = 409 if isinstance(review.error, SourceChanged) else 422 if is_faulty else 200
    return await render(request, "catalog/review.html", context, status=status)


def _state_fields(opened: Opened) -> list[dict[str, Any]]:
    """Return what the page gives back of the state that it shows; of a file that is only read, also the document."""
    base = {"name": BASE, "id": "base", "value": opened.base}
    if opened.origin.repository is not None:
        return [base]
    return [base, {"name": SEEN, "id": "seen", "value": opened.text}]


def _word_fields(words: Words) -> list[dict[str, Any]]:
    return [
        {
            "name": "title",
            "id": "title",
            "kind": "text",
            "label": "Title",
            "value": words.title,
            "is_required": True,
            "attrs": {"maxlength": LONGEST_TITLE},
        },
        {
            "name": "message",
            "id": "message",
            "kind": "multiline",
            "label": "Message",
            "value": words.message,
            "help": "Markdown: why it is changed.",
            "is_required": False,
            "attrs": {"maxlength": LONGEST_MESSAGE},
        },
    ]


def _text_field(text: str) -> dict[str, Any]:
    return {
        "name": "text",
        "id": "text",
        "kind": "multiline",
        "label": "YAML",
        "value": text,
        "mono": True,
        "is_required": True,
        "rows": min(max(text.count("\n") + 2, 8), 30),
        "attrs": {"spellcheck": "false", "maxlength": drafts.LONGEST_DOCUMENT},
    }


def _definition(services: Services, opened: Opened) -> KindDefinition | None:
    return services.get(Kinds).find(opened.entity.ref.kind)


def _schema(services: Services, opened: Opened) -> Any:
    """Return the questions about an entity; None where its document is not of a shape to be asked about."""
    definition, document = _definition(services, opened), opened.document
    is_whole = isinstance(document.get("spec"), dict) and isinstance(document.get("metadata"), dict)
    if definition is None or not is_whole:
        return None
    return leave_out_placeholders(schema_of(definition, is_new=False), document)
