"""Running mkdocs in the sandbox: without a network, in a folder of its own, and reading what it left.

mkdocs is no part of Roadbed's own environment; docs/decisions/0012-mkdocs-in-its-own-environment.md says why. Nothing
of what comes back is trusted: pages and their addresses are checked here, and cleaned before they are kept.
"""

import asyncio
import codecs
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from roadbed.core.errors import Unavailable
from roadbed.core.home import Home
from roadbed.core.sandbox import (
    Limits,
    Sandbox,
    SandboxFailed,
    SandboxSpec,
    find_file,
    find_interpreter,
    is_reachable,
    remove_tree,
    temporary_of,
)
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.docs.errors import RenderingFailed
from roadbed.docs.rules.configs import SiteConfig, make_mkdocs_config
from roadbed.docs.rules.paths import below, is_below
from roadbed.docs.rules.plans import MAX_PAGES, SitePlan
from roadbed.docs.types import Builder, NavEntry, RawPage, RawSite
from roadbed.docs.workflows.sources import FILE_BYTES, FILES_BYTES, PAGE_BYTES, PAGES_BYTES, Tree
from roadbed.kit import jsons
from roadbed.kit.text import clean_text, duration
from roadbed.runs.contract import StepContext
from roadbed.scm.contract import FileContent, save_folder

FOLDER = "docs"
DISTRIBUTION = "mkdocs-techdocs-core"
WALL_SECONDS = 300
OUTPUT_BYTES = 1_000_000
MEMORY_BYTES = 2_000_000_000
RESULT_BYTES = 128_000_000
_MAX_NAV_DEPTH = 10
_MAX_TITLE = 200
_WORKER = Path(__file__).parent / "sandboxed" / "mkdocs_worker.py"


class MkdocsMissing(Unavailable):
    """mkdocs cannot be run here; the message says why."""

    code = "docs.mkdocs_missing"


@dataclass(frozen=True)
class Mkdocs:
    """An environment with mkdocs-techdocs-core."""

    folder: Path
    version: str

    @property
    def program(self) -> Path:
        return self.folder / "bin" / "python"


class _PageOut(BaseModel):
    source: str
    address: str
    title: str
    html: str


class _Result(BaseModel):
    """What the worker leaves."""

    pages: list[_PageOut]
    nav: list[dict[str, Any]]


def find_mkdocs(services: Services) -> Mkdocs:
    """Return the environment of mkdocs, when it can be used.

    Raises:
        MkdocsMissing: it is not installed, or this machine cannot keep it apart.
    """
    folder = services.get(Settings).mkdocs_folder
    found = read_version(folder)
    if found is None:
        raise MkdocsMissing("mkdocs is not installed.", hint="`roadbed docs install` installs it on the server.")
    isolation = services.get(Sandbox).isolation
    if not isolation.mechanism.has_namespace:
        raise MkdocsMissing(
            "this machine cannot keep mkdocs from the network.", hint="Install bubblewrap on the server."
        )
    if find_interpreter(isolation) is None or not is_reachable(folder, isolation):
        raise MkdocsMissing("sandboxes cannot reach its Python.", hint="Install Roadbed under a Python they can read.")
    return Mkdocs(folder, found)


def read_version(folder: Path) -> str | None:
    """Return the version of mkdocs-techdocs-core in an environment; None when it has none."""
    places = [str(place) for place in folder.glob("lib/python3.*/site-packages")]
    if not (folder / "bin" / "python").exists() or not places:
        return None
    return next((found.version for found in distributions(name=DISTRIBUTION, path=places)), None)


async def run_mkdocs(
    context: StepContext, mkdocs: Mkdocs, *, tree: Tree, plan: SitePlan, config: SiteConfig, title: str
) -> RawSite:
    """Render a site with mkdocs.

    Raises:
        RenderingFailed: mkdocs ended with an error, took too long, or left nothing that can be read.
        SandboxFailed: the sandbox could not be set up.
    """
    workspace = services_folder(context.services) / str(context.run_id)
    await asyncio.to_thread(_clear, workspace)
    workspace.mkdir(mode=0o700)
    try:
        await _write_site(workspace, tree=tree, plan=plan, config=make_mkdocs_config(config, title=title))
        await _run(context, mkdocs, workspace)
        result = await asyncio.to_thread(_read_result, workspace)
    finally:
        await asyncio.to_thread(_clear, workspace)
    return _take(result, plan, config)


def services_folder(services: Services) -> Path:
    """Return the folder of workspaces; others may pass it, because commands run under accounts of their own."""
    folder = services.get(Home).folder(FOLDER)
    folder.chmod(0o711)
    workspaces = folder / "workspaces"
    workspaces.mkdir(mode=0o711, exist_ok=True)
    workspaces.chmod(0o711)
    return workspaces


async def _write_site(workspace: Path, *, tree: Tree, plan: SitePlan, config: Mapping[str, Any]) -> None:
    inside = [path for path in sorted(tree.paths) if is_below(path, plan.root)]
    pages = set(plan.pages.values())
    found = await tree.read([path for path in inside if path in pages], PAGE_BYTES, PAGES_BYTES)
    found |= await tree.read([path for path in inside if path not in pages], FILE_BYTES, FILES_BYTES)
    files = {f"{config['docs_dir']}/{below(path, plan.root)}": FileContent(content) for path, content in found.items()}
    written = FileContent(jsons.write_json(config))  # JSON is YAML
    await asyncio.to_thread(save_folder, workspace, {**files, "mkdocs.yml": written})


async def _run(context: StepContext, mkdocs: Mkdocs, workspace: Path) -> None:
    sandbox = context.services.get(Sandbox)
    interpreter = find_interpreter(sandbox.isolation)
    assert interpreter is not None
    lines = _Lines(context)
    outcome = await sandbox.run(
        [str(mkdocs.program), "-I", str(_WORKER), "mkdocs.yml", "result.json"],
        spec=SandboxSpec(
            workspace=workspace,
            environment={"PYTHONDONTWRITEBYTECODE": "1"},
            readable=(mkdocs.folder, interpreter.folder, _WORKER),
            limits=Limits(
                wall_seconds=WALL_SECONDS,
                output_bytes=OUTPUT_BYTES,
                cpu_seconds=WALL_SECONDS,
                address_space_bytes=MEMORY_BYTES,
                file_bytes=RESULT_BYTES,
                open_file_count=1024,
                process_count=64,
            ),
            is_offline=True,
        ),
        on_output=lines.take,
    )
    lines.finish()
    if outcome.is_timed_out:
        raise RenderingFailed(
            f"mkdocs did not end within {duration(WALL_SECONDS)} and was ended.",
            hint="Make the site smaller, or divide it.",
        )
    if outcome.exit_code == 127:
        raise SandboxFailed("mkdocs could not be started in the sandbox.", hint="Install it again.")
    if not outcome.is_success:
        raise RenderingFailed(
            f"mkdocs ended with code {outcome.exit_code}: {lines.last or 'it said nothing'}",
            hint="The log of the run has all that it said.",
        )


class _Lines:
    """Writes what mkdocs says to the log, and keeps its last line."""

    def __init__(self, context: StepContext) -> None:
        self._context = context
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self.last = ""

    async def take(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + self._decoder.decode(data)).split("\n")
        for line in whole:
            self._write(line)

    def finish(self) -> None:
        if self._rest:
            self._write(self._rest)

    def _write(self, line: str) -> None:
        text = clean_text(line.rstrip())
        self._context.log(text)
        self.last = text or self.last


def _read_result(workspace: Path) -> _Result:
    file = find_file(workspace, "result.json")
    if file is None or file.stat().st_size > RESULT_BYTES:
        raise RenderingFailed("mkdocs left no pages, or too many.", hint="Make the site smaller, or divide it.")
    try:
        return _Result.model_validate(jsons.parse_json(file.read_bytes()))
    except (ValueError, ValidationError) as error:
        raise RenderingFailed("What mkdocs left cannot be read.", hint="Build it again.") from error


def _take(result: _Result, plan: SitePlan, config: SiteConfig) -> RawSite:
    """Return the pages that the plan knows, whatever else was left."""
    addresses = {below(source, plan.root): path for path, source in plan.pages.items()}
    pages: dict[str, RawPage] = {}
    names: dict[str, str] = {}
    for page in result.pages[:MAX_PAGES]:
        path = addresses.get(page.source)
        if path is not None:
            pages[path] = RawPage(path, plan.pages[path], page.html, clean_text(page.title)[:_MAX_TITLE])
            names[f"{plan.root}/{page.address}" if plan.root else page.address] = path
    nav = tuple(_read_nav(result.nav, {source: path for source, path in addresses.items() if path in pages}, 0))
    if not pages:
        raise RenderingFailed("mkdocs rendered no page.", hint="Look at nav and docs_dir in the mkdocs.yml.")
    return RawSite(
        Builder.MKDOCS,
        [pages[path] for path in plan.pages if path in pages],
        nav=nav or None,
        title=config.site_name,
        root=plan.root,
        addresses=names,
        notes=config.notes,
    )


def _read_nav(items: list[Any], addresses: Mapping[str, str], depth: int) -> Iterator[NavEntry]:
    for item in items if depth < _MAX_NAV_DEPTH else ():
        if not isinstance(item, dict):
            continue
        title, source, inside = item.get("title"), item.get("source"), item.get("items")
        path = addresses.get(source) if isinstance(source, str) else None
        below_it = tuple(_read_nav(inside, addresses, depth + 1)) if isinstance(inside, list) else ()
        if path is not None or below_it:
            yield NavEntry(clean_text(str(title or path or ""))[:_MAX_TITLE], path, below_it)


def _clear(workspace: Path) -> None:
    for folder in (workspace, temporary_of(workspace)):
        if folder.is_dir():
            remove_tree(folder)
