"""Rendering pages with Roadbed's own renderer, and assembling sites, each in a process that can be ended."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from html import escape
from itertools import chain
from typing import Any

from roadbed.core.apart import ApartFailed, Bounds, OutOfBounds, run_lines_apart
from roadbed.docs.errors import RenderingFailed, SiteTooLarge
from roadbed.docs.types import BuiltPage, BuiltSite, Heading, LinkKind, NavEntry, RawPage, RawSite, SiteLink

_MARKDOWN = "roadbed.docs.workflows.markdown:render"
_ASSEMBLING = "roadbed.docs.workflows.assembling:assemble_apart"
_BOUNDS = Bounds(seconds=300, memory_bytes=2_000_000_000)
_HINT = "Look at that page: make it shorter, or leave it out."


async def render_pages(pages: Mapping[str, str], texts: Mapping[str, bytes]) -> tuple[list[RawPage], list[str]]:
    """Render Markdown; returns the pages and what went wrong with single ones.

    Args:
        pages: address → file.
        texts: file → content; a file that is missing was too long to be read.

    Raises:
        RenderingFailed: it took too long, or the process ended.
    """
    known = {path: texts[source].decode("utf-8", "replace") for path, source in pages.items() if source in texts}
    answers: dict[str, dict[str, str]] = {}
    await _run(
        _MARKDOWN,
        ({"path": path, "text": text} for path, text in known.items()),
        on_answer=lambda answer: answers.update({answer.pop("path"): answer}),
        where=lambda: next((path for path in known if path not in answers), None),
    )
    found, notes = [], []
    for path, source in pages.items():
        answer = answers.get(path, {"error": "the file is too long"})
        if "error" in answer:
            notes.append(f"{source} is not shown: {answer['error']}.")
            answer = {"html": f"<p>This page is not shown: {escape(answer['error'])}.</p>"}
        found.append(RawPage(path, source, answer["html"]))
    return found, notes


async def assemble_site(raw: RawSite, paths: Iterable[str], *, repository: str | None, branch: str | None) -> BuiltSite:
    """Clean the pages of a site and check its links; see `rules.assembly.assemble`.

    Raises:
        RenderingFailed: it took too long, or the process ended.
        SiteTooLarge: the pages together are too long.
    """
    frame = {**asdict(replace(raw, pages=())), "nav": [entry.as_dict() for entry in raw.nav] if raw.nav else None}
    head = {"raw": frame, "paths": sorted(paths), "repository": repository, "branch": branch, "count": len(raw.pages)}
    pages: dict[str, BuiltPage] = {}
    ends: list[dict[str, Any]] = []

    def take(answer: dict[str, Any]) -> None:
        if "path" in answer:
            headings = [Heading(**heading) for heading in answer.pop("headings")]
            pages[answer["path"]] = BuiltPage(**answer, headings=headings)
        else:
            ends.append(answer)

    def find_place() -> str | None:
        return None if ends else next((page.path for page in raw.pages if page.path not in pages), "The end")

    values = chain([head], (asdict(page) for page in raw.pages))
    await _run(_ASSEMBLING, values, on_answer=take, where=find_place)
    end = ends[0]
    if "error" in end:
        raise SiteTooLarge(end["error"], hint=end["hint"])
    return BuiltSite(
        raw,
        list(pages.values()),
        nav=[NavEntry.of(entry) for entry in end["nav"]],
        home=end["home"],
        files=end["files"],
        links=[SiteLink(**{**link, "kind": LinkKind(link["kind"])}) for link in end["links"]],
    )


async def _run(
    function: str, values: Iterable[Any], *, on_answer: Callable[[Any], None], where: Callable[[], str | None]
) -> None:
    """Run a function apart; `where` names the page that it is at, None once it has answered all.

    Raises:
        RenderingFailed: it took too much, or failed; names the page.
    """
    try:
        await run_lines_apart(function, values, bounds=_BOUNDS, on_answer=on_answer)
    except OutOfBounds as error:
        raise RenderingFailed(f"{where() or 'The site'} cannot be rendered: {error.message}", hint=_HINT) from error
    except ApartFailed as error:
        reason = str(error).strip().rpartition("\n")[2]
        raise RenderingFailed(f"{where() or 'The site'} could not be rendered: {reason}", hint=_HINT) from error
    if (page := where()) is not None:
        raise RenderingFailed(f"{page} could not be rendered: nothing came of it.", hint=_HINT)
