"""Take a picture of every page of a running installation, at 1280 and 360 px, light and dark, for people to look at.

ROADBED_URL=… ROADBED_PASSWORD=… python tools/screens.py --account NAME [--into build/screens] [ADDRESS…]

Pages are those that the modules declare; an address for each is found by following links from the rail. Addresses that
are named (`/runs?state=failed`) come on top. What has no address here is listed, so that nothing is left out silently.
"""

import argparse
import os
import re
import sys
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import httpx
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Page, sync_playwright

from roadbed.app import MODULES
from roadbed.core.access import SESSION_COOKIE
from roadbed.core.extension import load
from roadbed.core.html import NAVIGATION
from roadbed.core.routes import PAGES

ROOT = Path(__file__).resolve().parent.parent
WINDOWS: tuple[tuple[int, Literal["light", "dark"]], ...] = (
    (1280, "light"),
    (360, "light"),
    (1280, "dark"),
    (360, "dark"),
)
LINK = re.compile(r'href="(/[^"#]*)')
PARAMETER = re.compile(r"\{[^}:]+(:path)?\}")
ALWAYS = ("/search?q=or", "/no-such-page")
ANONYMOUS = "/sign-in"
PATIENCE_MS = 120_000
AT_ITS_END = ".commit-bar { position: static !important; }"  # else it stands in the middle of the picture
VISITS = 6  # pages of one kind that are opened in search of links to other kinds


@dataclass(frozen=True)
class Shot:
    """One page in one window: the file, and how much wider than its window it is."""

    address: str
    file: str
    width: int
    theme: str
    overflow: int


def list_templates() -> dict[str, re.Pattern[str]]:
    """Return the pages that the modules declare; those with fixed words first, as they are met first."""
    found: dict[str, re.Pattern[str]] = {}
    for router in load(MODULES).get(PAGES):
        for context in iter_route_contexts(router.routes):
            if "GET" in (context.methods or ()) and context.path:
                pattern = PARAMETER.sub(lambda match: "(.+)" if match[1] else "([^/]+)", context.path)
                found[context.path] = re.compile(f"{pattern}$")
    return dict(sorted(found.items(), key=lambda item: (item[0].count("{"), item[0])))


def find_addresses(client: httpx.Client) -> tuple[dict[str, str], list[str]]:
    """Follow links from the rail; return an address for each kind of page, and the kinds that have none."""
    templates = list_templates()
    starts = [item.href for item in load(MODULES).get(NAVIGATION)]
    queue, seen = deque(["/", *starts]), {"/", *starts}
    visits: Counter[str] = Counter()
    addresses: dict[str, str] = {}
    while queue:
        address = queue.popleft()
        path = urlsplit(address).path
        template = next((name for name, pattern in templates.items() if pattern.match(path)), None)
        if template is None or visits[template] == VISITS:
            continue
        visits[template] += 1
        answer = client.get(address)
        if answer.is_error or "<html" not in answer.text[:200]:
            continue
        addresses.setdefault(template, answer.url.raw_path.decode())
        for link in map(unescape, LINK.findall(answer.text)):
            if link not in seen:
                seen.add(link)
                queue.append(link)
    return addresses, [name for name in templates if name not in addresses]


def name_file(address: str, width: int, theme: str) -> str:
    words = re.sub(r"[^a-zA-Z0-9]+", "-", address).strip("-") or "home"
    return f"{words[:90]}-{width}-{theme}.png"


def take(page: Page, url: str, address: str, folder: Path) -> list[Shot]:
    """Take one page's pictures. What is in the window is loaded once; then the window changes around it."""
    page.goto(url + address, wait_until="load")
    shots = []
    for width, theme in WINDOWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        file = name_file(address, width, theme)
        page.screenshot(path=folder / file, full_page=True, style=AT_ITS_END, timeout=PATIENCE_MS)
        overflow = int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
        shots.append(Shot(address, file, width, theme, overflow))
    return shots


def sign_in(client: httpx.Client, name: str, password: str) -> str:
    """Sign in as a browser does; return the session's cookie."""
    client.headers["Sec-Fetch-Site"] = "same-origin"
    client.post("/sign-in", data={"name": name, "password": password}).raise_for_status()
    session = client.cookies.get(SESSION_COOKIE)
    if session is None or "/sign-in" in str(client.get("/").url):
        raise SystemExit(f"{name} cannot sign in with this password, or has not chosen an own one yet.")
    return session


def take_all(url: str, session: str, addresses: Iterable[str], folder: Path) -> list[Shot]:
    """Take the pictures of all addresses; the page to sign in is looked at by whoever is not signed in."""
    shots: list[Shot] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("ROADBED_TEST_CHROMIUM"))
        signed_in, anonymous = (browser.new_context(reduced_motion="reduce", bypass_csp=True) for _ in range(2))
        signed_in.add_cookies([{"name": SESSION_COOKIE, "value": session, "url": url}])
        own, foreign = signed_in.new_page(), anonymous.new_page()
        for address in addresses:
            shots += take(foreign if address == ANONYMOUS else own, url, address, folder)
        browser.close()
    return shots


def write_index(folder: Path, shots: list[Shot], missing: list[str]) -> None:
    """Write index.html: a row a page, a column a window."""
    rows = []
    for address in dict.fromkeys(shot.address for shot in shots):
        cells = "".join(
            f'<td><a href="{shot.file}"><img src="{shot.file}" loading="lazy"></a>'
            f"{f'<p>{shot.overflow} px too wide' if shot.overflow > 0 else ''}</td>"
            for shot in shots
            if shot.address == address
        )
        rows.append(f"<tr><th>{escape(address)}</th>{cells}</tr>")
    heads = "".join(f"<th>{width} {theme}</th>" for width, theme in WINDOWS)
    style = (
        "body{font:14px sans-serif}td,th{vertical-align:top;padding:8px;text-align:left}img{width:320px}p{color:#b00}"
    )
    without = "".join(f"<li>{escape(name)}</li>" for name in missing)
    (folder / "index.html").write_text(
        f"<!doctype html><meta charset=utf-8><title>Screens</title><style>{style}</style>"
        f"<table><tr><th></th>{heads}</tr>{''.join(rows)}</table><h2>Without an address here</h2><ul>{without}</ul>",
        encoding="utf-8",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Take a picture of every page of a running installation.")
    parser.add_argument("addresses", nargs="*", help="more addresses, such as /runs?state=failed")
    parser.add_argument("--account", default="admin", help="who looks; ROADBED_PASSWORD is the password")
    parser.add_argument("--into", type=Path, default=ROOT / "build" / "screens", help="the folder to write to")
    parser.add_argument("--only", action="store_true", help="only the named addresses")
    arguments = parser.parse_args()
    url = os.environ.get("ROADBED_URL", "http://127.0.0.1:8400").rstrip("/")
    arguments.into.mkdir(parents=True, exist_ok=True)
    with httpx.Client(base_url=url, headers={"Accept": "text/html"}, follow_redirects=True, timeout=60) as client:
        session = sign_in(client, arguments.account, os.environ.get("ROADBED_PASSWORD", ""))
        found, missing = ({}, []) if arguments.only else find_addresses(client)
    always = () if arguments.only else (ANONYMOUS, *ALWAYS)
    addresses = dict.fromkeys([*found.values(), *always, *arguments.addresses])
    shots = take_all(url, session, addresses, arguments.into)
    write_index(arguments.into, shots, [name for name in missing if name != ANONYMOUS])
    for shot in shots:
        if shot.overflow > 0:
            print(f"{shot.overflow} px too wide: {shot.address} at {shot.width} px, {shot.theme}")
    print(f"{len(shots)} pictures of {len(addresses)} pages: {arguments.into / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
