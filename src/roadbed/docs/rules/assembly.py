"""From what a renderer left to what can be stored: each page cleaned, its links resolved and checked."""

import re
from collections.abc import Iterable, Iterator, Sequence

from roadbed.core.markdown import clean_html
from roadbed.docs.errors import SiteTooLarge
from roadbed.docs.rules.links import PageLinks, SiteMap
from roadbed.docs.rules.outline import list_ids, read_outline, take_title
from roadbed.docs.rules.paths import folder_of, without_ending, words_of
from roadbed.docs.rules.plans import find_start, make_nav
from roadbed.docs.types import BuiltPage, BuiltSite, NavEntry, RawPage, RawSite
from roadbed.kit.text import clean_text, filesize

_BOX = re.compile(r"<input\b[^>]{0,200}\btype=[\"']?checkbox\b[^>]{0,200}>", re.IGNORECASE)
MAX_HTML_BYTES = 64_000_000
MAX_PAGE_CHARACTERS = 4_000_000


def assemble(
    raw: RawSite, paths: Iterable[str], *, repository: str | None = None, branch: str | None = None
) -> BuiltSite:
    """Clean a site. Nothing is trusted of what its renderer made.

    HTML can be written so that this takes hours: it is done in a process that can be ended (workflows.assembling).

    Args:
        raw: what the renderer left.
        paths: the files of the repository, which links may lead to.
        repository: the page of the repository, when it has one here.
        branch: which state of it links show.

    Raises:
        SiteTooLarge: the pages together are too long.
    """
    site = map_site(raw, frozenset(paths), repository, branch)
    return finish(raw, site, list(build_pages(raw, site)))


def build_pages(raw: RawSite, site: SiteMap) -> Iterator[BuiltPage]:
    """Clean the pages of a site one after another; see `assemble`."""
    left = MAX_HTML_BYTES
    for page in raw.pages:
        built = _build(site, page)
        left -= len(built.html.encode())
        if left < 0:
            raise SiteTooLarge(
                f"The pages together have more than {filesize(MAX_HTML_BYTES)}.",
                hint="Name a narrower folder in the annotation backstage.io/techdocs-ref.",
            )
        yield built


def finish(raw: RawSite, site: SiteMap, pages: Sequence[BuiltPage]) -> BuiltSite:
    """Return a site of its clean pages; `site` has noted their links."""
    titles = {page.path: page.title for page in pages}
    nav = raw.nav or make_nav(titles, find_start(titles))
    return BuiltSite(
        raw,
        pages,
        nav=nav,
        home=_find_first(nav) or find_start(titles),
        files=dict(sorted(site.files.items())),
        links=site.links,
    )


def map_site(raw: RawSite, paths: frozenset[str], repository: str | None, branch: str | None) -> SiteMap:
    """Return what links of a site can lead to."""
    return SiteMap(
        pages={**{page.source: page.path for page in raw.pages}, **raw.addresses},
        ids={page.path: list_ids(page.html) for page in raw.pages},
        paths=paths,
        root=raw.root,
        repository=repository,
        branch=branch,
        folders=frozenset(_folders(paths)),
    )


def _find_first(nav: Iterable[NavEntry]) -> str | None:
    """Return the first page of a nav."""
    for entry in nav:
        found = entry.path or _find_first(entry.items)
        if found is not None:
            return found
    return None


def _build(site: SiteMap, page: RawPage) -> BuiltPage:
    links = PageLinks(site, page)
    given = _BOX.sub(_tick, page.html[:MAX_PAGE_CHARACTERS])
    clean = clean_html(given, link=links.link, image=links.image, anchor=links.check_fragment)
    html = clean_text(str(clean))
    title, rest = take_title(html)
    outline = read_outline(rest)
    for address in dict.fromkeys(outline.addresses):
        if address.startswith(("http://", "https://", "mailto:")):
            links.note_external(address)
    return BuiltPage(
        path=page.path,
        source=page.source,
        title=title or page.title or words_of(without_ending(page.source).rpartition("/")[2]),
        html=rest,
        headings=outline.headings,
        text=outline.text,
    )


def _tick(match: re.Match[str]) -> str:
    """Return the box of a list of tasks as a character: inputs are left out of pages."""
    return "☑ " if "checked" in match[0].lower() else "☐ "


def _folders(paths: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for path in paths:
        folder = folder_of(path)
        while folder and folder not in found:
            found.add(folder)
            folder = folder_of(folder)
    return found
