"""Assembling a site, for `core.apart`.

In come a value about the site and one for each page; out go one for each page as it is done, and one about the site.
"""

from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import Any

from roadbed.docs.errors import SiteTooLarge
from roadbed.docs.rules.assembly import build_pages, finish, map_site
from roadbed.docs.types import Builder, BuiltPage, NavEntry, RawPage, RawSite


def assemble_apart(values: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Assemble a site; see `rules.assembly.assemble`."""
    head = next(values)
    frame = head["raw"]
    nav = [NavEntry.of(entry) for entry in frame["nav"]] if frame["nav"] else None
    raw = RawSite(
        **{
            **frame,
            "builder": Builder(frame["builder"]),
            "nav": nav,
            "pages": [RawPage(**value) for value in islice(values, head["count"])],
        }
    )
    site = map_site(raw, frozenset(head["paths"]), head["repository"], head["branch"])
    pages: list[BuiltPage] = []
    try:
        for page in build_pages(raw, site):
            pages.append(page)
            yield asdict(page)
    except SiteTooLarge as error:
        yield {"error": error.message, "hint": error.hint}
        return
    built = finish(raw, site, pages)
    yield {
        "nav": [entry.as_dict() for entry in built.nav],
        "home": built.home,
        "files": dict(built.files),
        "links": [asdict(link) for link in built.links],
    }
