"""Pages: the form of an entity, new or changed, from the schema of its kind; what a file holds is changed there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import EntityWriter
from roadbed.catalog.errors import EntityInvalid, EntityManaged
from roadbed.catalog.rules.documents import Reading as Documents
from roadbed.catalog.rules.documents import from_json
from roadbed.catalog.rules.forms import answers_of, change_document, make_document, schema_of
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.service import entities
from roadbed.catalog.service.kinds import get_kind
from roadbed.catalog.types import EntitySummary
from roadbed.catalog.web import proposing
from roadbed.catalog.web.values import offer_refs
from roadbed.core import forms
from roadbed.core.db import Database, Reading, ReadSession
from roadbed.core.etags import Condition, PreconditionFailed
from roadbed.core.html import render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef, ref_of

router = APIRouter()

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_ETAG = "~etag"
_TAKEN = "There is one of this name already."


async def read_posted(request: Request) -> dict[str, list[str]]:
    """Return the form that was posted; read before a session is opened, as a client may take its time to send it."""
    return forms.group_pairs((await request.form()).multi_items())


Posted = Annotated[dict[str, list[str]], Depends(read_posted)]


@dataclass(frozen=True)
class _Look:
    """A form: of which kind, of which entity (None for a new one), and what is answered."""

    kind: KindDefinition
    entity: EntitySummary | None
    answers: Mapping[str, Any]
    etag: str = ""
    problems: Sequence[forms.FieldProblem] = ()

    @property
    def schema(self) -> Any:
        return schema_of(self.kind, is_new=self.entity is None)


@router.get("/catalog/new/{kind}")
async def new_page(request: Request, session: Reading, _: EntityWriter, kinds: KindsInForce, kind: str) -> HTMLResponse:
    """Show the form of a new entity."""
    definition = get_kind(kinds, kind)
    answers = forms.fill_defaults(schema_of(definition, is_new=True), {})
    return await _show(request, session, _Look(definition, None, answers))


@router.post("/catalog/new/{kind}")
async def create(request: Request, actor: EntityWriter, posted: Posted, kinds: KindsInForce, kind: str) -> Any:
    """Put a new entity; what is wrong is said at its field."""
    definition = get_kind(kinds, kind)
    answers = forms.read_answers(schema_of(definition, is_new=True), posted)
    look = _Look(definition, None, answers, problems=_check(definition, answers, is_new=True))
    document = make_document(definition, answers)
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        if not look.problems and await entities.find_entity(session, ref_of(document)) is not None:
            look = _Look(definition, None, answers, problems=[forms.FieldProblem("metadata.name", _TAKEN)])
        if look.problems:
            return await _show(request, session, look)
    return await _put(request, actor, look, document, condition=None)


@router.get("/catalog/{kind}/{namespace}/{name}/edit")
async def edit_page(request: Request, actor: EntityWriter, kinds: KindsInForce, ref: RefOfPath) -> HTMLResponse:
    """Show the form of an entity."""
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        entity = _require_editable(await entities.get_entity(session, ref))
        if not entity.is_managed:
            definition = get_kind(kinds, entity.ref.kind)
            answers = answers_of(entity.document, schema_of(definition, is_new=False))
            return await _show(request, session, _Look(definition, entity, answers, entity.digest))
    return await proposing.show_form(request, actor, ref)


@router.post("/catalog/{kind}/{namespace}/{name}/edit")
async def edit(request: Request, actor: EntityWriter, posted: Posted, kinds: KindsInForce, ref: RefOfPath) -> Any:
    """Change an entity, unless somebody else has since the form was opened; what a file holds is reviewed first."""
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        entity = _require_editable(await entities.get_entity(session, ref))
    if entity.is_managed:
        return await proposing.take_form(request, actor, ref, posted)
    async with database.read() as session:
        definition = get_kind(kinds, entity.ref.kind)
        schema = schema_of(definition, is_new=False)
        answers = forms.read_answers(schema, posted)
        etag = "".join(posted.get(_ETAG, ()))
        look = _Look(definition, entity, answers, etag, _check(definition, answers, is_new=False))
        if look.problems:
            return await _show(request, session, look)
    document = change_document(entity.document, answers, schema)
    return await _put(request, actor, look, document, condition=Condition(frozenset((etag,))))


def _check(definition: KindDefinition, answers: Mapping[str, Any], *, is_new: bool) -> list[forms.FieldProblem]:
    return forms.check_answers(schema_of(definition, is_new=is_new), answers)


async def _put(
    request: Request, actor: Any, look: _Look, document: dict[str, Any], *, condition: Condition | None
) -> HTMLResponse | RedirectResponse:
    database: Database = request.app.state.services.get(Database)
    try:
        async with database.write() as session:
            put = await entities.put_entities(
                session, actor, Documents((from_json(document),), ()), condition=condition
            )
    except EntityInvalid as error:
        problems = [
            forms.FieldProblem(problem["path"], f"{problem['reason']} {problem['hint']}".strip())
            for problem in error.context["problems"]
        ]
    except PreconditionFailed as error:
        problems = [forms.FieldProblem("", f"{error.message} Your answers were not kept: reload the page.")]
    else:
        return RedirectResponse(f"/catalog/{str(put[0].ref).replace(':', '/')}", 303)
    async with database.read() as session:
        return await _show(request, session, _Look(look.kind, look.entity, look.answers, look.etag, problems))


async def _show(request: Request, session: ReadSession, look: _Look) -> HTMLResponse:
    fields = forms.make_fields(
        look.schema, look.answers, problems=look.problems, choices=offer_refs(session, look.kind)
    )
    errors = forms.list_errors(fields)
    shown = {error["id"] for error in errors}
    if not shown:
        errors = [{"id": "entity", "label": look.kind.word, "message": problem.message} for problem in look.problems]
    if look.etag:
        fields.append({"kind": "hidden", "name": _ETAG, "id": "etag", "value": look.etag})
    context = {"kind": look.kind, "entity": look.entity, "fields": fields, "errors": errors}
    return await render(request, "catalog/edit.html", context, status=422 if look.problems else 200)


def _require_editable(entity: EntitySummary) -> EntitySummary:
    if entity.is_managed and entity.location_id is None:
        raise EntityManaged(f"{entity.ref} is a part of Roadbed.", hint="Put one of your own under another name.")
    return entity
