"""Pages: folders, files, and files as they are."""

import asyncio
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import PurePosixPath
from typing import Annotated, Any
from urllib.parse import unquote

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response
from markupsafe import Markup

from roadbed.core.actor import Actor
from roadbed.core.db import Reading, ReadSession
from roadbed.core.highlight import highlight_lines
from roadbed.core.html import render
from roadbed.core.markdown import render_markdown
from roadbed.scm.access import REPOSITORY_WRITE, RepositoryReader
from roadbed.scm.errors import FileTooLarge
from roadbed.scm.repository import changes as changes_table
from roadbed.scm.rules.merging import summarise_checks
from roadbed.scm.service.contents import FILE_LIMIT_BYTES
from roadbed.scm.service.hosts import ScmHosts
from roadbed.scm.service.lookup import get_named
from roadbed.scm.types import Repository, ScmHost, StatusState, TreeEntry
from roadbed.scm.web.frame import Named, address, frame, may

router = APIRouter(prefix="/repositories/{owner}/{name}")

SHOWN_BYTES = 1_000_000
README_NAMES = ("readme.md", "readme.markdown", "readme", "readme.txt", "readme.rst")
MARKDOWN_ENDINGS = (".md", ".markdown")
SAFE_IMAGES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"})
CHECK_WORDS = {
    StatusState.SUCCESS: ("ok", "Checks passed"),
    StatusState.FAILURE: ("bad", "A check failed"),
    StatusState.ERROR: ("bad", "A check failed"),
    StatusState.PENDING: ("run", "Checks are running"),
}

At = Annotated[str | None, Query(max_length=300)]
Get = Callable[[ScmHost, Repository, str], Awaitable[Any]]


@router.get("")
async def repository_page(
    request: Request, session: Reading, actor: RepositoryReader, named: Named, at: At = None
) -> HTMLResponse:
    """Show the files of a repository and its README; how to push the first commits when it is empty."""
    repository = await get_named(session, named)
    branches = await session.services.get(ScmHosts).of(repository).list_branches(repository)
    if not branches:
        context = await frame(request, session, actor, repository, tab="files")
        context["can_push"] = may(request, actor, REPOSITORY_WRITE)
        return await render(request, "scm/empty.html", context)
    return await _folder(request, session, actor, repository, at=at, path="")


@router.get("/tree/{path:path}")
async def folder_page(
    request: Request, session: Reading, actor: RepositoryReader, named: Named, path: str, at: At = None
) -> HTMLResponse:
    """Show a folder."""
    return await _folder(request, session, actor, await get_named(session, named), at=at, path=path.strip("/"))


@router.get("/file/{path:path}")
async def file_page(
    request: Request, session: Reading, actor: RepositoryReader, named: Named, path: str, at: At = None
) -> HTMLResponse:
    """Show a file with numbered, coloured lines."""
    repository = await get_named(session, named)
    host = session.services.get(ScmHosts).of(repository)
    context = await _state(request, session, actor, repository, at=at, path=path)
    found = await host.list_commits(repository, context["sha"], path=path, limit=1)
    context |= {"path": path, "last": found[0] if found else None}
    try:
        data = await host.read_file(repository, context["sha"], path, limit_bytes=SHOWN_BYTES)
    except FileTooLarge as error:
        context |= {"note": error.message, "size_bytes": None, "lines": None}
        return await render(request, "scm/file.html", context)
    text = _text_of(data)
    context |= {
        "size_bytes": len(data),
        "note": "Binary file" if text is None else "Empty file" if not text else None,
        "lines": await asyncio.to_thread(highlight_lines, text, filename=PurePosixPath(path).name) if text else None,
        "prose": await _prose(repository, path, text, context["at"]) if text else None,
    }
    return await render(request, "scm/file.html", context)


@router.get("/raw/{path:path}")
async def raw_file(session: Reading, _: RepositoryReader, named: Named, path: str, at: At = None) -> Response:
    """Give a file as it is. It was written by others: it runs nothing here, and is shown only as text or image."""
    repository = await get_named(session, named)
    host = session.services.get(ScmHosts).of(repository)
    data = await host.read_file(repository, at or repository.default_branch, path, limit_bytes=FILE_LIMIT_BYTES)
    guessed = mimetypes.guess_type(path)[0]
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox"}
    if guessed in SAFE_IMAGES or guessed == "image/svg+xml":
        return Response(data, media_type=guessed, headers=headers)
    if _text_of(data) is not None:
        return Response(data, media_type="text/plain; charset=utf-8", headers=headers)
    return Response(
        data, media_type="application/octet-stream", headers={**headers, "Content-Disposition": "attachment"}
    )


async def _folder(
    request: Request, session: ReadSession, actor: Actor, repository: Repository, *, at: str | None, path: str
) -> HTMLResponse:
    host = session.services.get(ScmHosts).of(repository)
    context = await _state(request, session, actor, repository, at=at, path=path)
    sha = context["sha"]
    entries = await host.list_tree(repository, sha, path)
    changes = await host.find_last_changes(repository, sha, entries)
    statuses = await changes_table.list_statuses(session, repository.id, [sha])
    checks = summarise_checks(repository, statuses)
    context |= {
        "path": path,
        "entries": [_entry(repository, entry, changes.get(entry.path), context["at"]) for entry in entries],
        "last": (await host.list_commits(repository, sha, path=path, limit=1))[0],
        "checks": CHECK_WORDS[checks] if checks and statuses else None,
        "readme": await _readme(host, repository, entries, sha, context["at"]),
    }
    return await render(request, "scm/folder.html", context)


async def _state(
    request: Request, session: ReadSession, actor: Actor, repository: Repository, *, at: str | None, path: str
) -> dict[str, Any]:
    """Return the frame, with the state that is shown and the branches one could switch to."""
    host = session.services.get(ScmHosts).of(repository)
    branches = await host.list_branches(repository)
    shown = at or repository.default_branch
    return await frame(request, session, actor, repository, tab="files") | {
        "at": None if shown == repository.default_branch else shown,
        "shown_at": shown,
        "sha": await host.get_commit(repository, shown),
        "branches": sorted(branches, key=lambda branch: (branch != repository.default_branch, branch)),
        "is_branch": shown in branches,
        "parents": [str(parent) for parent in reversed(PurePosixPath(path).parents) if str(parent) != "."],
    }


def _entry(repository: Repository, entry: TreeEntry, change: Any, at: str | None) -> dict[str, Any]:
    is_submodule = entry.kind == "commit"
    if is_submodule:  # its files are in another repository; what can be shown is when it changed
        href = address(repository, "commits", at=at)
    else:
        href = address(repository, "tree" if entry.is_folder else "file", entry.path, at=at)
    return {
        "name": f"{entry.name} @ {entry.sha[:7]}" if is_submodule else entry.name,
        "href": href,
        "is_folder": entry.is_folder,
        "message": change.subject if change else None,
        "message_href": address(repository, "commits", change.sha) if change else None,
        "at": change.at if change else None,
    }


async def _readme(
    host: ScmHost, repository: Repository, entries: list[TreeEntry], sha: str, at: str | None
) -> dict[str, Any] | None:
    by_name = {entry.name.lower(): entry for entry in entries if entry.kind == "blob"}
    entry = next((by_name[name] for name in README_NAMES if name in by_name), None)
    if entry is None or (entry.size_bytes or 0) > SHOWN_BYTES:
        return None
    text = _text_of(await host.read_file(repository, sha, entry.path, limit_bytes=SHOWN_BYTES))
    if not text:
        return None
    return {"name": entry.name, "prose": await _prose(repository, entry.path, text, at), "text": text}


async def _prose(repository: Repository, path: str, text: str, at: str | None) -> Markup | None:
    """Return Markdown as HTML, with links that lead to the pages of the files they name."""
    if not path.lower().endswith(MARKDOWN_ENDINGS):
        return None

    def resolve(place: str) -> Callable[[str], str | None]:
        def find(value: str) -> str | None:
            target, _, anchor = unquote(value).partition("#")
            wanted = _join(path, target)
            if wanted is None:
                return None
            return address(repository, place, wanted, at=at) + (f"#text-{anchor}" if anchor else "")

        return find

    return await asyncio.to_thread(render_markdown, text, link=resolve("file"), image=resolve("raw"))


def _join(path: str, target: str) -> str | None:
    """Return where `target` leads from the file `path`; None when it leaves the repository."""
    folder = [] if target.startswith("/") else list(PurePosixPath(path).parent.parts)
    for part in target.split("/"):
        if part == "..":
            if not folder:
                return None
            folder.pop()
        elif part not in ("", "."):
            folder.append(part)
    return "/".join(folder) or None


def _text_of(data: bytes) -> str | None:
    """Return a file's text, or None when it is none."""
    if b"\0" in data[:8_000]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None
