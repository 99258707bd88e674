"""The step that builds a site: read the files, render the pages, check the links, keep the version."""

from collections.abc import Mapping
from uuid import UUID

from roadbed.docs.access import DOCS_BUILD
from roadbed.docs.repository import pages as pages_table
from roadbed.docs.repository import sites as sites_table
from roadbed.docs.rules.plans import find_config, plan_plain
from roadbed.docs.service.storing import store_site
from roadbed.docs.types import BUILD_KIND, Builder, BuiltSite, LinkKind, RawSite, SiteSource
from roadbed.docs.workflows.configured import render_configured
from roadbed.docs.workflows.rendering import assemble_site, render_pages
from roadbed.docs.workflows.sources import FILE_BYTES, FILES_BYTES, PAGE_BYTES, PAGES_BYTES, Tree, open_tree
from roadbed.kit.text import plural
from roadbed.runs.contract import Done, Outcome, Skip, StepContext, StepKind, needing


async def build(context: StepContext) -> Outcome:
    """Build a site, unless its newest version is of the same commit already."""
    site_id = UUID(context.inputs["site_id"])
    async with context.database.read() as session:
        row = await sites_table.find_site(session, site_id)
        if row is None:
            return Skip("The documentation was removed.")
        source = sites_table.view_site(row).source
        found = await pages_table.get_version(session, row.version_id) if row.version_id else None
        newest = sites_table.view_version(found) if found else None
    tree = await open_tree(context.services, source)
    if not context.inputs["is_forced"] and newest is not None and newest.revision == tree.revision:
        return Skip(f"Nothing changed since {tree.revision[:12]}.")
    return await _build(context, site_id, source, tree)


async def _build(context: StepContext, site_id: UUID, source: SiteSource, tree: Tree) -> Outcome:
    context.log(f"{plural(len(tree.paths), 'file')} of {source.label} at {tree.revision[:12]}", stream="info")
    raw = await _render(context, source, tree)
    for note in raw.notes:
        context.log(note, stream="info")
    repository = tree.repository
    await context.note("Checking links")
    built = await assemble_site(
        raw,
        tree.paths,
        repository=f"/repositories/{repository.full_name}" if repository else None,
        branch=source.branch,
    )
    files = await _read_files(context, tree, built)
    version_id = await store_site(
        context.services, site_id, built, files=files, revision=tree.revision, run_id=context.run_id
    )
    if version_id is None:
        return Skip("The documentation was removed meanwhile.")
    return Done(_count(built), note=_say(built))


async def _render(context: StepContext, source: SiteSource, tree: Tree) -> RawSite:
    config = find_config(tree.paths, source.folder)
    if config is not None:
        return await render_configured(context, source, tree, config)
    plan = plan_plain(tree.paths, source.folder)
    await context.note(f"Rendering {plural(len(plan.pages), 'page')}")
    texts = await tree.read(plan.pages.values(), PAGE_BYTES, PAGES_BYTES)
    pages, notes = await render_pages(plan.pages, texts)
    return RawSite(Builder.ROADBED, pages, root=plan.root, notes=notes)


async def _read_files(context: StepContext, tree: Tree, built: BuiltSite) -> Mapping[str, bytes]:
    contents = await tree.read(list(dict.fromkeys(built.files.values())), FILE_BYTES, FILES_BYTES)
    for path in built.files.values():
        if path not in contents:
            context.log(f"{path} is too large and left out.", stream="err")
    return {address: contents[path] for address, path in built.files.items() if path in contents}


def _count(built: BuiltSite) -> dict[str, object]:
    broken = sum(link.kind is LinkKind.BROKEN for link in built.links)
    return {"pages": len(built.pages), "files": len(built.files), "broken_links": broken, "builder": built.raw.builder}


def _say(built: BuiltSite) -> str:
    counts = _count(built)
    words = plural(len(built.pages), "page")
    return f"{words}, {plural(int(str(counts['broken_links'])), 'broken link')}" if counts["broken_links"] else words


BUILD_STEP = StepKind(BUILD_KIND, build, timeout_seconds=1800, needs_host=True, guard_retry=needing(DOCS_BUILD))
