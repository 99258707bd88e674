"""Assembling a site, as a process of its own: `python -m roadbed.docs.workflows.assembling`.

In come a line about the site and one for each page; out go a line for each page as it is done, and one about the site.
"""

import json
import resource
import sys
from dataclasses import asdict
from typing import Any

from roadbed.docs.errors import SiteTooLarge
from roadbed.docs.rules.assembly import assemble
from roadbed.docs.types import Builder, BuiltPage, NavEntry, RawPage, RawSite

MEMORY_BYTES = 2_000_000_000


def _write(data: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(data).encode() + b"\n")
    sys.stdout.buffer.flush()


def _write_page(page: BuiltPage) -> None:
    _write(asdict(page))


def _read() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(sys.stdin.buffer.readline())
    return data


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    head = _read()
    frame = head["raw"]
    nav = [NavEntry.of(entry) for entry in frame["nav"]] if frame["nav"] else None
    pages = [RawPage(**_read()) for _ in range(head["count"])]
    raw = RawSite(**{**frame, "builder": Builder(frame["builder"]), "nav": nav, "pages": pages})
    try:
        built = assemble(raw, head["paths"], repository=head["repository"], branch=head["branch"], on_page=_write_page)
    except SiteTooLarge as error:
        _write({"error": error.message, "hint": error.hint})
        return
    _write(
        {
            "nav": [entry.as_dict() for entry in built.nav],
            "home": built.home,
            "files": dict(built.files),
            "links": [asdict(link) for link in built.links],
        }
    )


if __name__ == "__main__":
    main()
