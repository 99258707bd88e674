"""Builds a site with mkdocs and leaves its pages as JSON. Runs in the sandbox, under the Python of mkdocs.

Usage: python mkdocs_worker.py CONFIG RESULT

It knows nothing of Roadbed: what it imports is in the environment of mkdocs only.
"""

import json
import sys
from pathlib import Path
from typing import Any

from mkdocs.commands.build import build
from mkdocs.config import load_config
from mkdocs.plugins import BasePlugin, event_priority


class Collector(BasePlugin):  # type: ignore[misc]  # mkdocs is not installed where types are checked
    """Takes the pages before they are put into a theme: Roadbed has pages of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[dict[str, str]] = []
        self.nav: list[dict[str, Any]] = []

    def on_nav(self, nav: Any, **_: Any) -> Any:
        self.nav_source = nav
        return nav

    @event_priority(-100)  # type: ignore[untyped-decorator]
    def on_page_content(self, html: str, page: Any, **_: Any) -> str:
        source, address = page.file.src_uri, page.file.dest_uri
        self.pages.append({"source": source, "address": address, "title": str(page.title or ""), "html": html})
        return html

    def on_post_build(self, **_: Any) -> None:
        self.nav = [_show(item) for item in self.nav_source.items]


def _show(item: Any) -> dict[str, Any]:
    if item.is_section:
        return {"title": str(item.title), "items": [_show(child) for child in item.children]}
    return {"title": str(item.title or ""), "source": item.file.src_uri if item.is_page else None}


def main() -> None:
    """Build the site that the first argument configures; write its pages to the second."""
    config = load_config(sys.argv[1], site_dir=str(Path("site").absolute()))
    collector = Collector()
    collector.load_config({})
    config.plugins["roadbed"] = collector
    build(config)
    Path(sys.argv[2]).write_text(json.dumps({"pages": collector.pages, "nav": collector.nav}), encoding="utf-8")


if __name__ == "__main__":
    main()
