"""States and addresses of documentation in words for people."""

from urllib.parse import quote, urlencode, urlsplit

from roadbed.docs.types import Builder, NavEntry, SiteSource, SiteState, SiteSummary, VersionSummary

_STATES = {
    SiteState.WAITING: ("todo", "Waits for its build"),
    SiteState.BUILDING: ("run", "Building"),
    SiteState.READY: ("ok", "Built"),
    SiteState.FAILED: ("bad", "Build failed"),
}


def state_words(site: SiteSummary | None) -> tuple[str, str]:
    """Return the kind and word of `ui.state` for a site; without one its annotation leads nowhere."""
    return ("warn", "Leads nowhere") if site is None else _STATES[site.state]


def builder_words(version: VersionSummary) -> str:
    """Return what rendered a version, and why it was not mkdocs where that was wanted."""
    if version.builder is Builder.MKDOCS:
        return "mkdocs-techdocs-core"
    return f"Roadbed, without mkdocs: {version.fallback}" if version.fallback else "Roadbed"


def source_href(source: SiteSource, path: str, revision: str) -> str | None:
    """Return where a file of a source is shown, when that is known."""
    if source.repository_id is not None:
        return f"/repositories/{source.label}/file/{quote(path)}?at={revision}"
    if source.web_url is None:
        return None
    marker = "/-/blob" if _is_gitlab(source.web_url) else "/blob"
    return f"{source.web_url}{marker}/{revision}/{quote(path)}"


def edit_href(source: SiteSource, path: str) -> str | None:
    """Return where a file of a repository elsewhere is changed; None when that is not known."""
    if source.web_url is None or not (_is_gitlab(source.web_url) or _is_github(source.web_url)):
        return None
    marker = "/-/edit" if _is_gitlab(source.web_url) else "/edit"
    return f"{source.web_url}{marker}/{quote(source.branch or 'HEAD')}/{quote(path)}"


def issue_href(source: SiteSource, *, title: str, text: str) -> str | None:
    """Return where a problem is reported to the people of a repository elsewhere; None when that is not known."""
    if source.web_url is None:
        return None
    if _is_github(source.web_url):
        return f"{source.web_url}/issues/new?{urlencode({'title': title, 'body': text})}"
    if _is_gitlab(source.web_url):
        return f"{source.web_url}/-/issues/new?{urlencode({'issue[title]': title, 'issue[description]': text})}"
    return None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _is_github(url: str) -> bool:
    return "github" in _host(url)


def _is_gitlab(url: str) -> bool:
    return "gitlab" in _host(url)


def list_in_order(nav: tuple[NavEntry, ...]) -> list[NavEntry]:
    """Return the pages of a nav as one would read them."""
    found: list[NavEntry] = []
    for entry in nav:
        if entry.path is not None:
            found.append(entry)
        found += list_in_order(entry.items)
    return found


def find_neighbours(nav: tuple[NavEntry, ...], path: str) -> tuple[NavEntry | None, NavEntry | None]:
    """Return the pages before and after one in its nav."""
    pages = list_in_order(nav)
    at = next((number for number, entry in enumerate(pages) if entry.path == path), None)
    if at is None:
        return None, None
    return pages[at - 1] if at else None, pages[at + 1] if at + 1 < len(pages) else None
