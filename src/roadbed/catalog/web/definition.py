"""Pages of an API's definition: what it says, its text, and what changed between versions."""

import asyncio
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup
from pydantic import BaseModel, Field

from roadbed.catalog.access import EntityReader
from roadbed.catalog.errors import DefinitionNotFound
from roadbed.catalog.rules.definitions.formats import name_file
from roadbed.catalog.rules.definitions.kept import KeptDefinition
from roadbed.catalog.rules.definitions.model import Broken
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.schemas import LATEST_POSITION, DefinitionVersions
from roadbed.catalog.service import definitions, reading
from roadbed.catalog.service.definitions import DefinitionReader, DefinitionText
from roadbed.catalog.service.entities import get_entity
from roadbed.catalog.types import EntitySummary
from roadbed.catalog.web.definition_view import LINES, DefinitionView, ShownText, show_text, summarise_head
from roadbed.catalog.web.frame import frame_entity, list_ends
from roadbed.core.actor import Actor
from roadbed.core.db import Database, Reading, ReadSession
from roadbed.core.html import Renderer, render
from roadbed.core.routes import service
from roadbed.kit.refs import EntityRef

router = APIRouter(prefix="/catalog/{kind}/{namespace}/{name}/definition")

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
Reader = Annotated[DefinitionReader, Depends(service(DefinitionReader))]
VersionQuery = Annotated[int | None, Query(ge=1, le=LATEST_POSITION)]


class Wanted(BaseModel):
    """What of a definition is to be seen."""

    q: str = Field("", max_length=200)
    part: str = Field("", max_length=2_000)
    version: int | None = Field(None, ge=1, le=LATEST_POSITION)

    @property
    def kept(self) -> dict[str, str]:
        """What every address of the page keeps."""
        return {} if self.version is None else {"version": str(self.version)}


@router.get("")
async def definition_page(
    request: Request,
    actor: EntityReader,
    reader: Reader,
    ref: RefOfPath,
    wanted: Annotated[Wanted, Query()],
) -> HTMLResponse:
    """Show what a definition says; with `part`, one operation or type of it."""
    async with _read(request) as session:  # ends before the work, which may take long, begins
        entity = await _get_api(session, ref)
        text = await _find_text(session, entity, wanted.version)
        around = await _around(request, session, entity, actor, "readable", wanted.version)
    found = await reader.read(text.format, text.text) if text is not None and text.format is not None else None
    if not isinstance(found, KeptDefinition):
        context = await _unreadable(entity, text, found, wanted.version)
        return await render(request, "catalog/definition_text.html", {**around, **context})
    view = DefinitionView(found, base=f"{entity.href}/definition", query=wanted.kept)
    if wanted.part and request.headers.get("hx-request") == "true":
        return HTMLResponse(await _render_body(request, view, wanted.part), headers={"Vary": "HX-Request"})
    context = await _readable(request, found, view, wanted)
    return await render(request, "catalog/definition.html", {**around, **context})


@router.get("/text")
async def text_page(
    request: Request,
    session: Reading,
    actor: EntityReader,
    ref: RefOfPath,
    line: Annotated[int, Query(ge=1)] = 1,
    version: VersionQuery = None,
) -> HTMLResponse:
    """Show the text of a definition with numbered, coloured lines."""
    entity = await _get_api(session, ref)
    text = await definitions.get_text(session, entity, version=version)
    context = {"broken": None, "remotes": (), "unknown_type": None, **await _lines(entity, text, line, version)}
    around = await _around(request, session, entity, actor, "text", version)
    return await render(request, "catalog/definition_text.html", {**around, **context})


@router.get("/raw")
async def raw_definition(session: Reading, _: EntityReader, ref: RefOfPath, version: VersionQuery = None) -> Response:
    """Give the text of a definition as a file. It was written by others: nothing of it runs here."""
    entity = await _get_api(session, ref)
    text = await definitions.get_text(session, entity, version=version)
    name = quote(name_file(entity.ref.name, text.type, text.text))
    return Response(
        text.text,
        media_type="text/plain; charset=utf-8",
        headers={
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )


@router.get("/changes")
async def changes_page(
    request: Request,
    actor: EntityReader,
    reader: Reader,
    ref: RefOfPath,
    versions: Annotated[DefinitionVersions, Query()],
) -> HTMLResponse:
    """Show what changed from one version of a definition to the next, and what of it breaks clients."""
    async with _read(request) as session:  # as above
        entity = await _get_api(session, ref)
        await definitions.get_text(session, entity)
        pair = await definitions.find_pair(session, entity, version=versions.version, since=versions.since)
        texts = await definitions.find_texts(session, entity, pair)
        around = await _around(request, session, entity, actor, "changes", None)
    found = await reader.compare(*texts) if texts is not None else None
    body = await _render_apart(request, "catalog/_definition_changes.html", {"found": found, "base": around["base"]})
    context = {**around, "pair": pair, "found": found, "body": body}
    return await render(request, "catalog/definition_changes.html", context)


def _read(request: Request) -> AbstractAsyncContextManager[ReadSession]:
    database: Database = request.app.state.services.get(Database)
    return database.read()


async def _get_api(session: ReadSession, ref: EntityRef) -> EntitySummary:
    entity = await get_entity(session, ref)
    if entity.ref.kind != definitions.KIND:
        raise DefinitionNotFound(f"{ref} has no definition.", hint="An entity of kind API has one.")
    return entity


async def _find_text(session: ReadSession, entity: EntitySummary, version: int | None) -> DefinitionText | None:
    """Return the text; None when the API has none because it is reached at its remotes."""
    if version is None and definitions.find_text(entity) is None:
        return None
    return await definitions.get_text(session, entity, version=version)


async def _around(
    request: Request, session: ReadSession, entity: EntitySummary, actor: Actor, view: str, version: int | None
) -> dict[str, Any]:
    """Return what stands around every page of a definition."""
    kinds: Kinds = request.app.state.services.get(Kinds)
    detail = await reading.get_detail(session, entity.ref)
    base = f"{entity.href}/definition"
    kept = "" if version is None else f"?version={version}"
    has_text = definitions.find_text(entity) is not None
    views = (("Readable", ""), ("Text", "/text"), ("Changes", "/changes"))
    return {
        **await frame_entity(request, session, entity, actor, "definition"),
        "base": base,
        "version": version,
        "raw_href": f"{base}/raw{kept}" if has_text else None,
        "views": [
            {
                "label": label,
                "href": base + path + ("" if path == "/changes" else kept),
                "is_current": view == label.lower(),
            }
            for label, path in views
            if has_text or not path
        ],
        "providers": list_ends(detail, kinds, "apiProvidedBy"),
        "consumers": list_ends(detail, kinds, "apiConsumedBy"),
    }


async def _readable(request: Request, found: KeptDefinition, view: DefinitionView, wanted: Wanted) -> dict[str, Any]:
    if wanted.part:
        part = await asyncio.to_thread(view.find_part, wanted.part)
        if part is None:
            raise DefinitionNotFound(f"The definition has no {wanted.part}.", hint="It may be in another version.")
        shown = None
        body = await _render_apart(request, "catalog/_definition_parts.html", {"shown": None, "part": part})
    else:
        part, shown = None, await asyncio.to_thread(view.show, wanted.q)
        body = await _render_apart(request, "catalog/_definition_parts.html", {"shown": shown, "part": None})
    return {"head": summarise_head(found), "shown": shown, "part": part, "body": body, "wanted": wanted}


async def _render_body(request: Request, view: DefinitionView, id_: str) -> str:
    """Return the inside of one part, for a reader who opened it."""
    part = await asyncio.to_thread(view.find_part, id_)
    if part is None:
        raise DefinitionNotFound(f"The definition has no {id_}.")
    return await _render_apart(request, "catalog/_definition_body.html", {"body": part.body})


async def _render_apart(request: Request, template: str, context: dict[str, Any]) -> Markup:
    """Render in a thread: a definition has thousands of rows."""
    environment = request.app.state.services.get(Renderer).environment
    html = await asyncio.to_thread(lambda: environment.get_template(template).render(context))
    return Markup(html)  # noqa: S704 - made by our own autoescaping templates


async def _unreadable(
    entity: EntitySummary, text: DefinitionText | None, broken: Broken | None, version: int | None
) -> dict[str, Any]:
    """Return what is shown of a definition that is not read: why, its text, and where an MCP server is reached."""
    remotes = entity.spec.get("remotes") if text is None or text.format is None else None
    context: dict[str, Any] = {
        "broken": broken,
        "remotes": [remote for remote in remotes if isinstance(remote, dict)] if isinstance(remotes, list) else (),
        "unknown_type": text.type if text is not None and text.format is None else None,
    }
    if text is None:
        return {**context, "shown": None, "links": {}}
    return {**context, **await _lines(entity, text, (broken.line if broken is not None else 0) or 1, version)}


async def _lines(entity: EntitySummary, text: DefinitionText, line: int, version: int | None) -> dict[str, Any]:
    filename = name_file(entity.ref.name, text.type, text.text)
    shown: ShownText = await asyncio.to_thread(show_text, text.text, filename=filename, line=line)
    last = shown.first + len(shown.lines) - 1
    base, kept = f"{entity.href}/definition/text", {} if version is None else {"version": version}
    links = {
        "previous": f"{base}?{urlencode({**kept, 'line': shown.first - LINES})}" if shown.first > 1 else None,
        "next": f"{base}?{urlencode({**kept, 'line': last + 1})}" if last < shown.count else None,
    }
    return {"shown": shown, "links": links}
