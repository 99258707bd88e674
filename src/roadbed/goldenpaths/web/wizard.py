"""Pages: the questions of a golden path, one page of the form after the other.

Answers that fit go into a draft and the next page is a GET, so that reloading, going back and editing from the review
keep them. The draft's id stands in the address; the answers do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from roadbed.core import forms
from roadbed.core.access import DeciderService
from roadbed.core.db import Reading, ReadSession, Writing
from roadbed.core.html import render
from roadbed.goldenpaths.access import RUN_START, PathReader, RunStarter
from roadbed.goldenpaths.rules.answers import replace_page
from roadbed.goldenpaths.rules.parameters import read_pages, values_of
from roadbed.goldenpaths.rules.plans import read_steps
from roadbed.goldenpaths.rules.repo_urls import expand_page, join_addresses, split_addresses
from roadbed.goldenpaths.service.choices import LIMIT, offer_choices, search_choices, suggest_owner
from roadbed.goldenpaths.service.drafts import read_draft, save_draft
from roadbed.goldenpaths.service.paths import get_path
from roadbed.goldenpaths.service.starting import check
from roadbed.goldenpaths.types import GoldenPath, ParameterPage
from roadbed.goldenpaths.web.listing import find_owners, show_owner

router = APIRouter()

GO, STRICT, ASKED = "~go", "~strict", "~asked"
"""Fields of the form that are no answers; no property has such a name, for `~` is escaped in those."""
FOUND_AT_ONCE = 50


class WizardQuery(BaseModel):
    """Where in the form one is.

    `then` is where the main button leads; `strict` also tells what is missing; `field` is a picker that is typed in.
    """

    model_config = ConfigDict(extra="ignore")

    page: int = Field(1, ge=1, le=1000)
    draft: UUID | None = None
    then: Literal["next", "review"] = "next"
    strict: bool = False
    field: str = Field("", max_length=200)


@dataclass(frozen=True)
class PathRoute:
    """Which path, as the address names it."""

    namespace: str
    name: str


async def read_posted(request: Request) -> dict[str, list[str]]:
    """Return the form that was posted; read before a session is opened, as a client may take its time to send it."""
    return forms.group_pairs((await request.form()).multi_items())


Route = Annotated[PathRoute, Depends()]
Posted = Annotated[dict[str, list[str]], Depends(read_posted)]
WizardPlace = Annotated[WizardQuery, Query()]


@dataclass(frozen=True)
class _Look:
    """One page of a path's form, and what is answered on it."""

    path: GoldenPath
    pages: Sequence[ParameterPage]
    page: ParameterPage
    place: WizardQuery
    values: Mapping[str, Any]
    choices: Mapping[str, forms.Choices]


def address(path: GoldenPath, place: WizardQuery, *, verb: str = "", **changes: Any) -> str:
    """Return the address of a page of the form, or with a verb that of what belongs to it."""
    values = {**place.model_dump(mode="json", exclude_defaults=True), **changes}
    shown = {name: value for name, value in values.items() if value is not None}
    return f"{path.href}{verb}{'?' if shown else ''}{urlencode(shown)}"


@router.get("/create/{namespace}/{name}")
async def wizard_page(
    request: Request, session: Reading, actor: PathReader, namespace: str, name: str, place: WizardPlace
) -> Response:
    """Ask the questions of one page; to those who may not start it, show what the path asks and does."""
    path = await get_path(session, namespace, name)
    may_start = request.app.state.services.get(DeciderService).has(actor, RUN_START)
    if path.problems or not may_start:
        return await _about_page(request, session, path, may_start=may_start)
    pages = read_pages(path.spec)
    if not pages:
        return RedirectResponse(address(path, place, verb="/review"), 303)
    page = _find_page(pages, place)
    answers = await read_draft(session, actor, path, place.draft)
    values = forms.fill_defaults(page.schema, split_addresses(page, values_of(page, answers)))
    choices = await offer_choices(session, actor, page, values)
    values |= suggest_owner(page, values, choices, actor)
    look = _Look(path, pages, page, place, values, choices)
    return await _form_page(request, session, look, is_strict=place.strict)


@router.post("/create/{namespace}/{name}")
async def answer_page(
    request: Request, actor: RunStarter, posted: Posted, session: Writing, route: Route, place: WizardPlace
) -> Response:
    """Keep the answers of one page and go on or back; what does not fit is said at its field."""
    path = await get_path(session, route.namespace, route.name)
    check(path, {})
    pages = read_pages(path.spec)
    page = _find_page(pages, place)
    values = forms.read_answers(page.schema, posted)
    is_back = posted.get(GO) == ["back"]
    is_wrong = bool(forms.check_answers(page.schema, values))
    if not is_back and (is_wrong or _brings_more(page, values, posted)):
        filled = forms.fill_defaults(page.schema, values)
        look = _Look(path, pages, page, place, filled, await offer_choices(session, actor, page, filled))
        return await _form_page(request, session, look, is_strict=is_wrong, status=422 if is_wrong else 200)
    answers = replace_page(page, await read_draft(session, actor, path, place.draft), join_addresses(page, values))
    draft = await save_draft(session, actor, path, place.draft, answers)
    here = WizardQuery(draft=draft)
    if is_back:
        return RedirectResponse(address(path, here, page=max(page.number - 1, 1)), 303)
    if place.then == "review" or page.number == len(pages):
        return RedirectResponse(address(path, here, verb="/review"), 303)
    return RedirectResponse(address(path, here, page=page.number + 1), 303)


@router.post("/create/{namespace}/{name}/questions")
async def check_page(
    request: Request, actor: RunStarter, posted: Posted, session: Reading, route: Route, place: WizardPlace
) -> HTMLResponse:
    """Give the questions again as the answers so far make them, with what does not fit; nothing is kept."""
    path = await get_path(session, route.namespace, route.name)
    check(path, {})
    pages = read_pages(path.spec)
    page = _find_page(pages, place)
    values = forms.fill_defaults(page.schema, forms.read_answers(page.schema, posted))
    choices = await offer_choices(session, actor, page, values)
    look = _Look(path, pages, page, place, values, choices)
    return await _form_page(request, session, look, is_strict=posted.get(STRICT) == ["true"])


@router.post("/create/{namespace}/{name}/options")
async def find_options(
    request: Request, actor: RunStarter, posted: Posted, session: Reading, route: Route, place: WizardPlace
) -> HTMLResponse:
    """Give what a picker offers for the text that is being typed into it."""
    path = await get_path(session, route.namespace, route.name)
    check(path, {})
    page = _find_page(read_pages(path.spec), place)
    picker = forms.find_pickers(page.schema, forms.read_answers(page.schema, posted)).get(place.field)
    text = " ".join(posted.get(place.field, ()))
    found = await search_choices(session, actor, picker, text, limit=FOUND_AT_ONCE) if picker else []
    return await render(request, "goldenpaths/_options.html", {"options": found})


def _find_page(pages: Sequence[ParameterPage], place: WizardQuery) -> ParameterPage:
    """Return the page that is asked for; the last one when a newer version of the path has fewer."""
    return expand_page(pages[min(place.page, len(pages)) - 1])


def _brings_more(page: ParameterPage, values: Mapping[str, Any], posted: Mapping[str, Sequence[str]]) -> bool:
    """Tell whether the answers ask for more than the form did; a browser without scripts learns it only now."""
    asked = set("".join(posted.get(ASKED, ())).split())
    return bool(asked) and not _names(forms.make_fields(page.schema, values)) <= asked


def _names(fields: Sequence[forms.Field]) -> set[str]:
    return {field["name"] for field in fields} | {name for field in fields for name in _names(field.get("fields", ()))}


async def _form_page(
    request: Request, session: ReadSession, look: _Look, *, is_strict: bool, status: int = 200
) -> HTMLResponse:
    """Render the questions; not strictly, an answer that is still missing is not said to be wrong."""
    problems = forms.check_answers(look.page.schema, look.values)
    shown = [problem for problem in problems if is_strict or problem.message != forms.NEEDED]
    fields = forms.make_fields(look.page.schema, look.values, problems=shown, choices=look.choices)
    _search_as_typed(fields, look)
    if request.headers.get("hx-request") == "true":
        _keep_focus(fields)
    context = {
        **await show_path(session, look.path),
        "page": look.page,
        "steps": _show_pages(look),
        "is_last": look.page.number == len(look.pages),
        "is_edit": look.place.then == "review",
        "fields": fields,
        "errors": forms.list_errors(fields),
        "is_strict": is_strict,
        "controls": {"go": GO, "strict": STRICT, "asked": ASKED},
        "asked": " ".join(sorted(_names(fields))),
        "action": address(look.path, look.place, strict=None),
        "check_url": address(look.path, look.place, verb="/questions", strict=None),
        "back_url": address(look.path, look.place, verb="/review", page=None, then=None, strict=None),
        "plan": read_steps(look.path.spec),
    }
    return await render(request, "goldenpaths/questions.html", context, fragment="questions", status=status)


def _search_as_typed(fields: Sequence[forms.Field], look: _Look) -> None:
    """Have texts that have more suggestions than can be listed ask for those that hold what is typed."""
    for field in fields:
        _search_as_typed(field.get("fields", ()), look)
        if len(field.get("suggestions", ())) < LIMIT:
            continue
        field["attrs"] |= {
            "hx-post": address(look.path, look.place, verb="/options", field=field["name"]),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": f"#{field['id']}-suggestions",
            "hx-swap": "innerHTML",
            "hx-sync": "this:replace",
        }


def _keep_focus(fields: Sequence[forms.Field]) -> None:
    """Leave the focus where it is when a part of the page is exchanged: `autofocus` is for opening it."""
    for field in fields:
        _keep_focus(field.get("fields", ()))
        field.get("attrs", {}).pop("autofocus", None)


def _show_pages(look: _Look) -> list[dict[str, Any]]:
    is_all_done = look.place.then == "review"
    items = [
        {
            "label": page.title,
            "href": address(look.path, look.place, page=page.number, strict=None),
            "state": "here"
            if page.number == look.page.number
            else "done"
            if is_all_done or page.number < look.page.number
            else "",
        }
        for page in look.pages
    ]
    href = address(look.path, look.place, verb="/review", page=None, then=None, strict=None)
    return [*items, {"label": "Review", "href": href, "state": "done" if is_all_done else ""}]


async def show_path(session: ReadSession, path: GoldenPath) -> dict[str, Any]:
    """Return what each page of a path says of it."""
    return {"path": path, "verb": verb_of(path), **show_owner(path, await find_owners(session, [path]))}


def verb_of(path: GoldenPath) -> str:
    """Return the words on the button that starts it: "Create service"."""
    word = path.type.replace("-", " ").strip()
    return f"Create {word}" if word else "Create"


async def _about_page(request: Request, session: ReadSession, path: GoldenPath, *, may_start: bool) -> HTMLResponse:
    pages = [] if path.problems else read_pages(path.spec)
    context = {
        **await show_path(session, path),
        "may_start": may_start,
        "permission": RUN_START,
        "pages": [(page, forms.make_fields(page.schema, forms.fill_defaults(page.schema, {}))) for page in pages],
        "plan": [] if path.problems else read_steps(path.spec),
    }
    return await render(request, "goldenpaths/about.html", context)
