"""Looking at a place before it is registered: what a location would read there, or what a file could say."""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roadbed.catalog.access import LOCATION_WRITE
from roadbed.catalog.errors import LocationMissing
from roadbed.catalog.rules.guessing import READ_BYTES, WANTED, Clues, guess, read_codeowners
from roadbed.catalog.rules.harvest import Harvest, ReadFile
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.problems import Problem
from roadbed.catalog.rules.rewriting.rendering import render
from roadbed.catalog.rules.targets import DEFAULT_FILE, GitTarget, is_glob, parse_git_target
from roadbed.catalog.service.editing.drafts import LONGEST_DOCUMENT
from roadbed.catalog.service.entities import find_entity
from roadbed.catalog.service.listing import list_names
from roadbed.catalog.service.registering import LOOK
from roadbed.catalog.types import LocationType, Source
from roadbed.catalog.workflows.collect import Cancelled, Collector
from roadbed.catalog.workflows.git import Access, FetchBounds, GitRepository, check_place
from roadbed.catalog.workflows.readers import open_own
from roadbed.catalog.workflows.sources import FileSource, GitSource
from roadbed.catalog.workflows.urls import UrlSource
from roadbed.core.actor import Actor
from roadbed.core.db import Database
from roadbed.core.outbound import Outbound
from roadbed.core.services import Services
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.kit.text import plural
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepKind, needing
from roadbed.scm.contract import read_address

_BOUNDS = FetchBounds(seconds=60, size_bytes=300_000_000)
_SHOWN_FILES = 100
_SHOWN_ENTITIES = 500
_SHOWN_PROBLEMS = 200
_MENDED_FILES = 5
_MOST_OWNERS = 20
_HEAD = "# What Roadbed guessed from the files of this repository: correct it before you take it.\n"


@dataclass(frozen=True)
class _Place:
    """What is looked at: `repository` is `owner/name` of the built-in host, `name` that of a repository anywhere."""

    type: str
    target: str
    git: GitTarget | None
    name: str
    owner: str = ""

    @property
    def is_own(self) -> bool:
        return self.git is not None and self.git.own_repository is not None


async def look(context: StepContext) -> Outcome:
    """Read a place as a location would, and keep what was found with the run."""
    place = _read_place(context.inputs["type"], context.inputs["target"])
    services = context.services
    branch = ""
    try:
        if place.is_own:
            assert place.git is not None
            opened, branch = await open_own(services, place.git)
            found = await _collect(context, place, lambda: opened)
        elif place.git is not None:
            found = await _look_elsewhere(context, place, place.git)
        else:
            found = await _collect(context, place, _opener(services, place))
    except Cancelled:
        return Skip("The run was cancelled.")
    found |= {"branch": branch}
    counts = found["counts"]
    note = f"{plural(counts['entities'], 'entity', 'entities')}, {plural(counts['errors'], 'error')}"
    return Done(found, note="No catalog file; one is proposed" if found["generated"] else note)


async def _look_elsewhere(context: StepContext, place: _Place, target: GitTarget) -> dict[str, Any]:
    """Fetch a repository into a folder that does not outlast the look."""
    settings = await check_place(context.services.get(Outbound), target.url)
    with tempfile.TemporaryDirectory(prefix="roadbed-look-", ignore_cleanup_errors=True) as folder:
        repository = GitRepository(Path(folder) / "look.git", Access(settings), _BOUNDS)
        return await _collect(context, place, lambda: GitSource(target, repository))


def _opener(services: Services, place: _Place) -> Callable[[], Source]:
    if place.type == LocationType.FILE:
        return lambda: FileSource(place.target)
    outbound, loop = services.get(Outbound), asyncio.get_running_loop()
    return lambda: UrlSource(place.target, outbound, loop)


async def _collect(context: StepContext, place: _Place, open_source: Callable[[], Source]) -> dict[str, Any]:
    owners = await _list_owners(context.services, context.actor, place.owner)
    known = await _list_groups(context.services)
    kinds = context.services.get(Kinds)

    def work() -> dict[str, Any]:
        source = open_source()
        try:
            collector = Collector(source, f"{place.type}:{place.target}", {}, kinds, is_cancelled=context.is_cancelled)
            return _describe(source, collector.collect(), may_show=place.type != LocationType.FILE)
        except LocationMissing as error:
            if place.git is None or is_glob(place.git.path):
                raise
            return _propose(source, place, error, owners, known)

    return await asyncio.to_thread(work)


def _describe(source: Source, harvest: Harvest, *, may_show: bool) -> dict[str, Any]:
    """Return what was found as JSON of bounded size; files with errors come with their text, to be mended."""
    problems = [*harvest.problems, *(problem for file in harvest.files for problem in file.problems)]
    mended, entities, files = 0, 0, []
    for file in harvest.files[:_SHOWN_FILES]:
        text = None
        if may_show and mended < _MENDED_FILES and any(problem.is_error for problem in file.problems):
            text = _read_text(source, file.path, limit_bytes=LONGEST_DOCUMENT)
            mended += text is not None
        shown = file.entities or ()
        files.append(_describe_file(file, text, left=_SHOWN_ENTITIES - entities))
        entities += len(shown)
    return {
        "revision": source.revision,
        "counts": {
            "files": len(harvest.files),
            "entities": sum(len(file.entities or ()) for file in harvest.files),
            "errors": sum(problem.is_error for problem in problems),
        },
        "files": files,
        "problems": [problem.as_dict() for problem in sorted(problems, key=_by_weight)[:_SHOWN_PROBLEMS]],
        "generated": None,
    }


def _describe_file(file: ReadFile, text: str | None, *, left: int) -> dict[str, Any]:
    entities = [
        {"ref": str(entity.ref), "title": entity.title[:200], "owner": entity.owner, "line": entity.line}
        for entity in (file.entities or ())[: max(left, 0)]
    ]
    return {"path": file.path, "entities": entities, "text": text}


def _by_weight(problem: Problem) -> tuple[bool, str, int]:
    return (not problem.is_error, problem.file, problem.line)


def _propose(
    source: Source, place: _Place, missing: LocationMissing, owners: Sequence[tuple[str, str]], known: Mapping[str, str]
) -> dict[str, Any]:
    """Return a file that could be written, guessed from those that are there."""
    paths = source.expand("**")
    there = set(paths)
    texts = {
        path: text for path in WANTED if path in there and (text := _read_text(source, path, limit_bytes=READ_BYTES))
    }
    guessed = guess(Clues(place.name, paths, texts, [*_read_owners(texts, known), *owners], _find_slug(place.git)))
    documents = "---\n".join(render(document) for document in guessed.documents)
    path = place.git.path if place.git is not None else DEFAULT_FILE
    return {
        "revision": source.revision,
        "counts": {"files": 0, "entities": 0, "errors": 0},
        "files": [],
        "problems": [],
        "generated": {"path": path, "text": _HEAD + documents, "reasons": [list(one) for one in guessed.reasons]},
        "missing": missing.message,
    }


def _read_text(source: Source, path: str, *, limit_bytes: int) -> str | None:
    content = source.read(path)
    if len(content) > limit_bytes or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _read_owners(texts: Mapping[str, str], known: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield the groups of the catalog that a file CODEOWNERS names."""
    for path, text in texts.items():
        if path.endswith("CODEOWNERS"):
            for name in read_codeowners(text):
                if name.lower() in known:
                    yield known[name.lower()], f"{path} names it"


async def _list_owners(services: Services, actor: Actor, owner: str) -> list[tuple[str, str]]:
    """Return who could own what an actor registers, best first: the owner of the repository, then who asks."""
    candidates = [(f"group:default/{owner}", "the owner of the repository")] if owner else []
    candidates += [(group, "you belong to it") for group in sorted(actor.groups)[:_MOST_OWNERS]]
    candidates += [(actor.entity_ref, "you ask for it")] if actor.entity_ref else []
    found = []
    async with services.get(Database).read() as session:
        for text, reason in candidates:
            try:
                entity = await find_entity(session, parse_ref(text))
            except InvalidRef:
                continue
            if entity is not None:
                found.append((entity.ref.shorten(default_kind="Group"), reason))
    return found


async def _list_groups(services: Services) -> dict[str, str]:
    """Return the names of all groups, by themselves in lower case."""
    async with services.get(Database).read() as session:
        return {name: name for name in list_names(session, "Group")}


def _read_place(type_: str, target: str) -> _Place:
    if type_ != LocationType.GIT:
        return _Place(type_, target, None, target.rstrip("/").rpartition("/")[2])
    git = parse_git_target(target)
    if git.own_repository is not None:
        owner, name = git.own_repository
        return _Place(type_, target, git, name, owner)
    path = git.url.rstrip("/").removesuffix(".git").replace(":", "/").split("/")
    return _Place(type_, target, git, path[-1], path[-2] if len(path) > 1 else "")


def _find_slug(git: GitTarget | None) -> str:
    address = read_address(git.url) if git is not None else None
    is_github = address is not None and address.host.lower() == "github.com"
    return address.path.rstrip("/").removesuffix(".git") if address is not None and is_github else ""


STEP = StepKind(LOOK, look, timeout_seconds=180, needs_host=True, guard_retry=needing(LOCATION_WRITE))
