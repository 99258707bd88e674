"""Pages: the kinds in force, and the form that declares or changes one, with what that would do to its entities."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from roadbed.catalog.access import ENTITY_WRITE, KIND_WRITE, EntityReader
from roadbed.catalog.rules.declarations import KindChange
from roadbed.catalog.rules.documents import Reading as Documents
from roadbed.catalog.rules.documents import read_documents
from roadbed.catalog.rules.kinds import KindDefinition, Kinds
from roadbed.catalog.rules.kinds.declared import is_declaration
from roadbed.catalog.rules.kinds.kind import KIND
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.service import entities, listing
from roadbed.catalog.service.foresight import foresee
from roadbed.catalog.types import EntityFilter, EntitySummary, entity_href
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, ReadSession
from roadbed.core.html import render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef
from roadbed.kit.yamls import write_yaml

router = APIRouter()

KindsInForce = Annotated[Kinds, Depends(service(Kinds))]
_EXAMPLE = """\
apiVersion: roadbed.dev/v1
kind: Kind
metadata:
  name: Runbook
  description: What to do when something breaks.
spec:
  plural: runbooks
  icon: book
  apiVersions: [example.com/v1]
  owned: true
  schema:
    type: object
    required: [url]
    properties:
      url: {type: string, format: uri, title: Address}
      service: {type: string, title: Service}
  relations:
    - {field: service, type: documents, inverse: documentedBy, kinds: [Component]}
"""


@dataclass(frozen=True)
class KindRow:
    """One line of the list of kinds."""

    kind: KindDefinition
    count: int
    origin: str
    href: str | None
    new_href: str | None


@dataclass(frozen=True)
class _Check:
    """A declaration as it was typed, and what it would do."""

    text: str
    problems: Sequence[Problem] = ()
    changes: Sequence[KindChange] = ()

    @property
    def is_sound(self) -> bool:
        return not any(problem.is_error for problem in self.problems)


@router.get("/catalog/kinds")
async def kinds_page(request: Request, session: Reading, actor: EntityReader, kinds: KindsInForce) -> HTMLResponse:
    """Show the kinds in force, with how many entities there are of each."""
    may = request.app.state.services.get(DeciderService).has
    can_put, can_define = may(actor, ENTITY_WRITE), may(actor, KIND_WRITE)
    rows = [_row(session, kind, can_put=can_put, can_define=can_define) for kind in kinds]
    return await render(request, "catalog/kinds.html", {"kinds": rows, "can_define": can_define})


@router.get("/catalog/kinds/new")
async def new_page(request: Request, actor: EntityReader) -> HTMLResponse:
    """Show the form that declares a kind."""
    return await _form(request, actor, None, _Check(_EXAMPLE))


@router.post("/catalog/kinds/new")
async def declare(
    request: Request,
    actor: EntityReader,
    kinds: KindsInForce,
    text: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "save",
) -> Any:
    """Check a new kind, or put it."""
    return await _answer(request, actor, kinds, None, text=text, action=action)


@router.get("/catalog/kinds/{name}/edit")
async def edit_page(request: Request, session: Reading, actor: EntityReader, name: str) -> HTMLResponse:
    """Show the form that changes a kind."""
    entity = await entities.get_entity(session, EntityRef(KIND.name, "default", name))
    return await _form(request, actor, entity, _Check(_write(entity)))


@router.post("/catalog/kinds/{name}/edit")
async def change(
    request: Request,
    actor: EntityReader,
    kinds: KindsInForce,
    name: str,
    text: Annotated[str, Form()] = "",
    action: Annotated[str, Form()] = "save",
) -> Any:
    """Check a change of a kind, or put it."""
    return await _answer(request, actor, kinds, name, text=text, action=action)


async def _answer(
    request: Request, actor: Actor, kinds: Kinds, name: str | None, *, text: str, action: str
) -> HTMLResponse | RedirectResponse:
    database: Database = request.app.state.services.get(Database)
    async with database.read() as session:
        ref = EntityRef(KIND.name, "default", name) if name is not None else None
        entity = await entities.get_entity(session, ref) if ref is not None else None
        reading = read_documents(text)
        check = await _check(session, kinds, reading, text, name)
        if action != "save" or not check.is_sound or _why_not(request, actor, entity) is not None:
            return await _form(request, actor, entity, check)
    async with database.write() as session:
        await entities.put_entities(session, actor, reading)
    declared = EntityRef(KIND.name, "default", reading.documents[0].data["metadata"]["name"])
    return RedirectResponse(entity_href(declared), 303)


async def _check(session: ReadSession, kinds: Kinds, reading: Documents, text: str, name: str | None) -> _Check:
    problems = entities.validate(reading, kinds)
    documents = reading.documents
    if not problems and (len(documents) != 1 or not is_declaration(documents[0].data)):
        problems = [Problem("", 0, 0, "", "This is not one entity of the kind Kind.", "Write kind: Kind.")]
    elif not problems and name is not None and documents[0].data["metadata"]["name"].lower() != name.lower():
        declared = documents[0].data["metadata"]["name"]
        problems = [Problem("", 0, 0, "metadata.name", f"{declared} is another kind.", "Define it as a new one.")]
    check = _Check(text, problems)
    return _Check(text, problems, await foresee(session, reading, kinds)) if check.is_sound else check


async def _form(request: Request, actor: Actor, entity: EntitySummary | None, check: _Check) -> HTMLResponse:
    why_not = _why_not(request, actor, entity)
    fields = [
        {
            "name": "text",
            "id": "text",
            "kind": "multiline",
            "label": "YAML",
            "value": check.text,
            "mono": True,
            "is_required": True,
            "rows": 28,
            "attrs": {"spellcheck": "false"},
        }
    ]
    context = {
        "name": entity.ref.name if entity else None,
        "fields": fields,
        "problems": [problem.as_dict() for problem in check.problems],
        "changes": check.changes,
        "can_save": why_not is None,
        "why_not": why_not,
        "cancel": entity.href if entity else "/catalog/kinds",
    }
    return await render(request, "catalog/kind_edit.html", context, status=200 if check.is_sound else 422)


def _why_not(request: Request, actor: Actor, entity: EntitySummary | None) -> str | None:
    """Return why somebody cannot save a kind here; None when they can."""
    if not request.app.state.services.get(DeciderService).has(actor, KIND_WRITE):
        return f"You may not define kinds: it needs {KIND_WRITE.name}."
    if entity is not None and entity.is_managed:
        return f"It is read from {entity.file}, line {entity.line}, so it is changed there."
    return None


def _write(entity: EntitySummary) -> str:
    """Return a kind as YAML, without what the catalog noted about where it was read from."""
    document = dict(entity.document)
    metadata = {key: value for key, value in document["metadata"].items() if key != "annotations"}
    own = {key: value for key, value in entity.annotations.items() if not key.startswith("backstage.io/managed-by")}
    named = metadata | ({"annotations": own} if own else {})
    return write_yaml(
        {name: document[name] for name in ("apiVersion", "kind")} | {"metadata": named, "spec": document["spec"]}
    )


def _row(session: ReadSession, kind: KindDefinition, *, can_put: bool, can_define: bool) -> KindRow:
    is_own = kind.name == KIND.name
    new_href = "/catalog/kinds/new" if is_own else f"/catalog/new/{kind.name}"
    is_backstage = kind.api_versions[0].partition("/")[0].endswith("backstage.io")
    return KindRow(
        kind,
        listing.count_entities(session, EntityFilter(kinds=(kind.name,))),
        "Backstage" if is_backstage else "Roadbed",
        entity_href(EntityRef(KIND.name, "default", kind.name)) if kind.is_declared else None,
        new_href if (can_define if is_own else can_put) else None,
    )
