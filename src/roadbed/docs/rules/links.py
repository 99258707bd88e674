"""Where the links of a page lead: to pages, files, the repository; and which lead nowhere.

Addresses in stored pages are relative to the page, so that they hold in each version and for each entity of a site.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from posixpath import relpath
from urllib.parse import quote, unquote, urlsplit

from roadbed.core.markdown import PREFIX
from roadbed.docs.rules.paths import below, folder_of, is_below, is_markdown, join
from roadbed.docs.types import LinkKind, RawPage, SiteLink
from roadbed.kit.text import slugify

MAX_LINKS = 20_000
ATTACHED = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".pdf", ".csv", ".zip", ".drawio")
"""Endings of files that are shown or offered with the page; others are shown where the repository is, if it is here."""
_SHOWN = 300


@dataclass
class SiteMap:
    """What links of a site can lead to.

    Args:
        pages: the file, and further names a renderer gave it, → address.
        ids: address → the ids of the page's headings.
        paths: the files of the repository.
        root: what a leading slash means.
        repository: the page of the repository, which shows files that are no part of the site; None when there is none.
        branch: which state of it to show.
    """

    pages: Mapping[str, str]
    ids: Mapping[str, frozenset[str]]
    paths: frozenset[str]
    root: str
    repository: str | None = None
    branch: str | None = None
    folders: frozenset[str] = frozenset()
    files: dict[str, str] = field(default_factory=dict)
    links: list[SiteLink] = field(default_factory=list)

    def note(self, link: SiteLink) -> None:
        """Remember a link that leads nowhere or out, once for each page."""
        if len(self.links) < MAX_LINKS and link not in self.links[-50:]:
            self.links.append(link)


class PageLinks:
    """Resolves the links of one page."""

    def __init__(self, site: SiteMap, page: RawPage) -> None:
        self._site = site
        self._page = page

    def link(self, value: str) -> str | None:
        """Return where a relative link leads; None when nowhere, which is noted."""
        target, fragment = _read(value)
        place = self._locate(target)
        if place is None:
            return self._lose(value, "It leads out of the repository.")
        address = self._site.pages.get(place) or self._find_home(place)
        if address is not None:
            return self._page_link(value, address, fragment)
        if place in self._site.paths:
            return self._file_link(place) if self._is_attached(place) else self._repository_link(value, "file", place)
        if place in self._site.folders:
            return self._repository_link(value, "tree", place)
        return self._lose(value, f"There is no {_shorten(place)}.")

    def image(self, value: str) -> str | None:
        """Return where a relative image is; None when nowhere, which is noted."""
        place = self._locate(_read(value)[0])
        if place is None or place not in self._site.paths:
            return self._lose(value, f"There is no image {_shorten(place or value)}.")
        return self._file_link(place)

    def check_fragment(self, value: str) -> str | None:
        """Return a link within the page; None when it leads nowhere, which is noted."""
        return self._page_link(value, self._page.path, _read(value)[1])

    def note_external(self, value: str) -> None:
        self._site.note(SiteLink(self._page.path, _shorten(value), LinkKind.EXTERNAL, "Not checked."))

    def _locate(self, target: str) -> str | None:
        if not target:
            return self._page.source
        if target.startswith("/"):
            return join(self._site.root, target)
        return join(folder_of(self._page.source), target)

    def _find_home(self, place: str) -> str | None:
        names = (f"{place}/{name}".lstrip("/") for name in ("index.md", "README.md", "readme.md", "index.html"))
        return next((self._site.pages[name] for name in names if name in self._site.pages), None)

    def _page_link(self, value: str, address: str, fragment: str) -> str | None:
        href = "" if address == self._page.path else self._relative(address)
        if not fragment:
            return href or self._relative(address)
        known = self._site.ids.get(address, frozenset())
        name = fragment if fragment in known else slugify(fragment)
        if name not in known:
            self._lose(value, f"{_shorten(address)} has no heading “{_shorten(fragment)}”.")
            return href or None
        return f"{href}#{PREFIX}{quote(name)}"

    def _is_attached(self, place: str) -> bool:
        if place.lower().endswith(ATTACHED):
            return True
        return self._site.repository is None and is_below(place, self._site.root) and not is_markdown(place)

    def _file_link(self, place: str) -> str:
        address = below(place, self._site.root) if is_below(place, self._site.root) else f"_/{place}"
        self._site.files[address] = place
        return self._relative(address)

    def _repository_link(self, value: str, kind: str, place: str) -> str | None:
        if self._site.repository is None:
            return self._lose(value, f"{_shorten(place)} is no part of the documentation.")
        query = f"?at={quote(self._site.branch)}" if self._site.branch else ""
        return f"{self._site.repository}/{kind}/{quote(place)}{query}"

    def _relative(self, address: str) -> str:
        return quote(relpath(f"/{address}", f"/{folder_of(self._page.path)}"))

    def _lose(self, value: str, reason: str) -> str | None:
        """Note a link that leads nowhere; what is left of it is no address."""
        self._site.note(SiteLink(self._page.path, _shorten(value), LinkKind.BROKEN, reason))
        return None


def _read(value: str) -> tuple[str, str]:
    """Return path and fragment of a relative link. A query means nothing here."""
    parts = urlsplit(value)
    return unquote(parts.path), unquote(parts.fragment)


def _shorten(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
