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
from roadbed.catalog.schemas.changes import LATEST_POSITION
from roadbed.catalog.schemas.definitions import DefinitionVersions
from roadbed.catalog.service import definitions, reading
from roadbed.catalog.service.definitions import Api, DefinitionReader, DefinitionText
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
    wait: bool = False

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
        api = await definitions.get_api(session, ref)
        text = await definitions.get_text(session, api, version=wanted.version) if api.text or wanted.version else None
        around = await _around(request, session, api, actor, "readable", wanted.version)
    found: KeptDefinition | Broken | None = None
    if text is not None and text.format is not None:
        pending = await reader.read(text.format, text.text)
        if text.is_large and not (wanted.wait or pending.is_done):
            return await _show_waiting(request, around, {**wanted.kept, "q": wanted.q, "part": wanted.part})
        found = await pending.wait()
    if not isinstance(found, KeptDefinition):
        context = await _unreadable(api, text, found, wanted.version)
        fragment = "shown" if wanted.wait else None
        return await render(request, "catalog/definition_text.html", {**around, **context}, fragment=fragment)
    view = DefinitionView(found, base=around["base"], query=wanted.kept)
    if wanted.part and not wanted.wait and request.headers.get("hx-request") == "true":
        return HTMLResponse(await _render_body(request, view, wanted.part), headers={"Vary": "HX-Request"})
    context = await _readable(request, found, view, wanted)
    fragment = "shown" if wanted.wait else None
    return await render(request, "catalog/definition.html", {**around, **context}, fragment=fragment)


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
    api = await definitions.get_api(session, ref)
    text = await definitions.get_text(session, api, version=version)
    context = {"broken": None, "remotes": (), "unknown_type": None, **await _lines(api.entity, text, line, version)}
    around = await _around(request, session, api, actor, "text", version)
    return await render(request, "catalog/definition_text.html", {**around, **context})


@router.get("/raw")
async def raw_definition(session: Reading, _: EntityReader, ref: RefOfPath, version: VersionQuery = None) -> Response:
    """Give the text of a definition as a file. It was written by others: nothing of it runs here."""
    text = await definitions.get_text(session, await definitions.get_api(session, ref), version=version)
    name = quote(name_file(ref.name, text.type, text.text))
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
    *,
    wait: bool = False,
) -> HTMLResponse:
    """Show what changed from one version of a definition to the next, and what of it breaks clients."""
    async with _read(request) as session:  # as above
        api = await definitions.get_api(session, ref)
        await definitions.get_text(session, api)
        pair = await definitions.find_pair(session, ref, version=versions.version, since=versions.since)
        texts = await definitions.find_texts(session, api, pair)
        around = await _around(request, session, api, actor, "changes", None)
    pending = await reader.compare(*texts) if texts is not None else None
    if texts is not None and pending is not None and texts[1].is_large and not (wait or pending.is_done):
        return await _show_waiting(request, around, versions.model_dump(exclude_none=True))
    found = await pending.wait() if pending is not None else None
    body = await _render_apart(request, "catalog/_definition_changes.html", {"found": found, "base": around["base"]})
    context = {**around, "pair": pair, "found": found, "body": body}
    return await render(request, "catalog/definition_changes.html", context, fragment="shown" if wait else None)


def _read(request: Request) -> AbstractAsyncContextManager[ReadSession]:
    database: Database = request.app.state.services.get(Database)
    return database.read()


async def _show_waiting(request: Request, around: dict[str, Any], query: dict[str, Any]) -> HTMLResponse:
    """Show that a large definition is being read, and fetch what it says once that is done."""
    given = {name: value for name, value in query.items() if value}
    url = f"{request.url.path}?{urlencode({**given, 'wait': 'true'})}"
    return await render(request, "catalog/definition_waiting.html", {**around, "url": url})


async def _around(
    request: Request, session: ReadSession, api: Api, actor: Actor, view: str, version: int | None
) -> dict[str, Any]:
    """Return what stands around every page of a definition."""
    kinds: Kinds = request.app.state.services.get(Kinds)
    entity, has_text = api.entity, api.text is not None
    detail = await reading.get_detail_of(session, entity)
    base = f"{entity.href}/definition"
    kept = "" if version is None else f"?version={version}"
    views = (("Readable", ""), ("Text", "/text"), ("Changes", "/changes"))
    return {
        **await frame_entity(request, session, entity, kinds, actor, "definition"),
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
    api: Api, text: DefinitionText | None, broken: Broken | None, version: int | None
) -> dict[str, Any]:
    """Return what is shown of a definition that is not read: why, its text, and where an MCP server is reached."""
    remotes = api.entity.spec.get("remotes") if text is None or text.format is None else None
    context: dict[str, Any] = {
        "broken": broken,
        "remotes": [remote for remote in remotes if isinstance(remote, dict)] if isinstance(remotes, list) else (),
        "unknown_type": text.type if text is not None and text.format is None else None,
    }
    if text is None:
        return {**context, "shown": None, "links": {}}
    return {**context, **await _lines(api.entity, text, (broken.line if broken is not None else 0) or 1, version)}


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
