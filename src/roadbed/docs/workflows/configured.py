"""Rendering a site that has a mkdocs.yml: with mkdocs where that can be done, else with Roadbed's own renderer."""

from roadbed.core.sandbox import SandboxFailed
from roadbed.docs.errors import ConfigRefused
from roadbed.docs.rules.configs import MAX_BYTES, SiteConfig, nav_of, read_config
from roadbed.docs.rules.outline import take_title
from roadbed.docs.rules.paths import below, folder_of, words_of
from roadbed.docs.rules.plans import SitePlan, plan_configured
from roadbed.docs.types import Builder, RawPage, RawSite, SiteSource
from roadbed.docs.workflows.mkdocs import Mkdocs, MkdocsMissing, find_mkdocs, run_mkdocs
from roadbed.docs.workflows.rendering import render_pages
from roadbed.docs.workflows.sources import PAGE_BYTES, PAGES_BYTES, Tree
from roadbed.kit.text import plural
from roadbed.runs.contract import StepContext


async def render_configured(context: StepContext, source: SiteSource, tree: Tree, file: str) -> RawSite:
    """Render the site of a mkdocs.yml.

    Raises:
        ConfigRefused: it asks for what is not done.
        RenderingFailed: mkdocs failed.
    """
    content = (await tree.read([file], MAX_BYTES, MAX_BYTES)).get(file)
    if content is None:
        raise ConfigRefused(f"{file} has more than {MAX_BYTES:,} bytes.", hint="Make it smaller.")
    folder = folder_of(file)
    config = read_config(content, file=file, folder=folder)
    plan = plan_configured(tree.paths, folder, docs_dir=config.docs_dir, config=file)
    await context.note(f"Rendering {plural(len(plan.pages), 'page')}")
    title = config.site_name or words_of(source.label.rpartition("/")[2])
    try:
        mkdocs: Mkdocs = find_mkdocs(context.services)
        context.log(f"Rendering with mkdocs-techdocs-core {mkdocs.version}, without a network.", stream="info")
        return await run_mkdocs(context, mkdocs, tree=tree, plan=plan, config=config, title=title)
    except (MkdocsMissing, SandboxFailed) as error:
        context.log(f"Built without mkdocs: {error.message}", stream="info")
        return await _render_plainly(tree, plan, config, because=error.message)


async def _render_plainly(tree: Tree, plan: SitePlan, config: SiteConfig, *, because: str) -> RawSite:
    texts = await tree.read(plan.pages.values(), PAGE_BYTES, PAGES_BYTES)
    pages, notes = await render_pages(plan.pages, texts)
    titles = {page.path: _title_of(page) for page in pages}
    sources = {below(page.source, plan.root): page.path for page in pages}
    return RawSite(
        Builder.ROADBED,
        pages,
        nav=nav_of(config, titles, sources) or None,
        title=config.site_name,
        root=plan.root,
        notes=[*config.notes, *notes],
        fallback=because,
    )


def _title_of(page: RawPage) -> str:
    return take_title(page.html)[0] or words_of(page.path.rpartition("/")[2])
