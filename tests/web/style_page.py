"""Renders the style page as the server would, and serves it with its static files under the product's own policy."""

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from markupsafe import Markup

from roadbed.core.html import FILTERS
from roadbed.core.http.guards import POLICY

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "src" / "roadbed" / "web"
STATIC = WEB / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
Pages = dict[str, str | Callable[[], str]]
PLACES = (
    ("Home", "/", "home", 0, False),
    ("Catalog", "/catalog", "list-search", 0, False),
    ("Create", "/create", "circle-plus", 0, False),
    ("Environments", "/environments", "stack-2", 0, False),
    ("Runs", "/runs", "player-play", 4, False),
    ("Approvals", "/approvals", "rubber-stamp", 2, True),
    ("Platform", "/platform", "settings", 0, False),
)
SOURCE = (
    '<span class="kn">import</span><span class="w"> </span><span class="nn">os</span>',
    "",
    '<span class="c1"># where it listens</span>',
    (
        '<span class="nd">@app</span><span class="o">.</span><span class="n">get</span><span class="p">(</span>'
        '<span class="s2">&quot;/orders&quot;</span><span class="p">)</span>'
    ),
    (
        '<span class="k">def</span> <span class="nf">main</span>(port: <span class="nb">int</span> = '
        '<span class="mi">8000</span>)'
    ),
    '    <span class="k">return</span> os.environ[<span class="s2">&quot;PORT&quot;</span>]',
)
LOG = (
    ("ansi-dim", "13:53:37.802  request   postgres/returns, class small, environment shop/staging"),
    ("ansi-bold", "Plan"),
    ("ansi-green", "+ aws_db_instance.returns            16.4, db.t4g.micro, 2 GB, encrypted"),
    ("", "4 to add, 0 to change, 0 to destroy"),
    None,
    ("ansi-yellow", "13:53:44.118  warn      InstanceQuotaExceeded: limit 20, in use 20"),
    ("ansi-cyan", "13:54:14.131  apply     aws_db_instance.returns: creating, attempt 2 of 3"),
    ("", "13:55:49.871  apply     aws_db_instance.returns: creating, attempt 3 of 3"),
    ("ansi-red", "13:55:51.204  error     InstanceQuotaExceeded: limit 20, in use 20 (account staging-1, region eu-1)"),
    ("ansi-red", "13:55:51.206  failed    postgres/returns in staging; nothing was left behind"),
)


def asset(path: str) -> str:
    """The URL of a static file; fails when the file is missing, as the product does."""
    return f"/static/{path}?v={hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]}"


def make_environment(**extra_loaders: FileSystemLoader) -> Environment:
    """The environment of core.html, without a server around it."""
    environment = Environment(
        loader=PrefixLoader({"web": FileSystemLoader(WEB / "templates"), **extra_loaders}),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.globals |= {"asset": asset, "version": "0.1.0", "organisation": "Northmoor"}
    environment.globals["ui"] = environment.get_template("web/ui.html").module
    return environment


def make_frame(*, theme: str | None = None, path: str = "/catalog", is_signed_in: bool = True) -> dict[str, Any]:
    """What core.html hands to every page."""
    return {
        "actor": SimpleNamespace(name="ada", shown_as="Ada", is_authenticated=True) if is_signed_in else None,
        "nav": [
            {
                "label": label,
                "href": href,
                "icon": icon,
                "count": count,
                "count_is_you": is_you,
                "is_current": href == path,
                "is_platform": href == "/platform",
            }
            for label, href, icon, count, is_you in PLACES
            if is_signed_in
        ],
        "now": datetime.now(UTC),
        "request_path": path,
        "request_query": "",
        "theme": theme,
    }


def make_fields() -> list[dict[str, Any]]:
    """One field of each kind, some with errors."""
    plans = [
        {"value": "small", "label": "Small", "description": "2 GB disk, 20 connections", "price": "1.80 €"},
        {"value": "medium", "label": "Medium", "description": "50 GB disk, 100 connections", "price": "29.00 €"},
    ]
    environments = [{"value": name, "label": name} for name in ("development", "staging", "production")]
    why = "It ends up in connection strings. It cannot be changed later without moving the data."
    host = {"name": "net.host", "id": "f-net-host", "kind": "text", "label": "Host", "value": "", "is_required": False}
    held = [{"value": "none", "label": "Nothing about people"}, {"value": "personal", "label": "Personal data"}]
    hyphen = {"message": "Hyphens are not allowed: a-z, 0-9 and _ only.", "suggestion": "refunds_db"}
    return [
        _field("workload", "select", "Workload", value="orders", options=[{"value": "orders", "label": "orders"}]),
        _field("name", "text", "Name", value="refunds-db", mono=True, why=why, help="2 to 40.", error=hyphen),
        _field(
            "keep",
            "number",
            "Keep backups for",
            value=3,
            unit="days",
            attrs={"min": 7, "max": 35},
            help="7 to 35.",
            error={"message": "At least 7."},
        ),
        _field("plan", "choice", "Plan in production", value="medium", options=plans, help="A month."),
        _field("environments", "checkboxes", "Environments", value=["development"], options=environments),
        _field("data", "choice", "What it will hold", value="none", options=held),
        _field("notes", "multiline", "Notes", value="first\nsecond", is_required=False),
        _field("tags", "list", "Tags", value=["python"], is_required=False),
        _field("public", "boolean", "Reachable from outside", value=True, help="Only through the gateway."),
        _field("token", "secret", "Token", value="do-not-show", attrs={"autocomplete": "off"}),
        _field("net", "object", "Network", fields=[host], is_required=False),
        _field("hidden", "hidden", "Hidden", value="kept"),
    ]


def _field(name: str, kind: str, label: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "id": f"f-{name}", "kind": kind, "label": label, "is_required": True, **more}


def make_samples() -> dict[str, Any]:
    """The sample data of the style page."""
    now = datetime.now(UTC)
    return {
        "moments": {"now": now, "recent": now - timedelta(minutes=3), "old": now - timedelta(days=3)},
        "log_lines": [{"number": number, "spans": [line] if line else []} for number, line in enumerate(LOG, start=30)],
        "source_lines": [Markup(line) for line in SOURCE],  # noqa: S704 - written above
        "form_fields": make_fields(),
    }


def make_empty_home(**more: Any) -> dict[str, Any]:
    """What Home gets when nothing is there yet and an admin looks."""
    may = {"create": True, "register": True, "token": True, "invite": True}
    return {
        "needs": [],
        "owned": [],
        "owned_count": 0,
        "followed": [],
        "owners": ["user:default/admin"],
        "is_known": False,
        "owner_titles": [],
        "open_runs": [],
        "changes": [],
        "locations": 0,
        "is_empty": True,
        "sees_catalog": True,
        "sees_runs": True,
        "may": may,
        **more,
    }


def render(template: str, *, theme: str | None = None, is_signed_in: bool = True, **context: Any) -> str:
    """One page with its frame."""
    frame = make_frame(theme=theme, is_signed_in=is_signed_in)
    return make_environment().get_template(template).render({**frame, **context})


def render_found() -> str:
    """What the search gives to the palette."""
    items = [
        {"href": f"/{status}", "icon": "box", "parts": [("ref", True), (name, False)], "meta": "Service"}
        for status, name in ((401, "unds"), (404, "erences"))
    ]
    ui: Any = make_environment().globals["ui"]
    return str(ui.palette_results([{"label": "Entities", "items": items}]))


class Stream:
    """Server-sent events; every connection gets them from the first, as the product's do."""

    def __init__(self) -> None:
        self._events: list[bytes] = []
        self._is_closed = False
        self._changed = threading.Condition()

    def send(self, name: str, data: dict[str, Any]) -> None:
        with self._changed:
            self._events.append(f"event: {name}\ndata: {json.dumps(data)}\n\n".encode())
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[bytes]:
        position = 0
        while True:
            with self._changed:
                while not self._is_closed and len(self._events) <= position:
                    self._changed.wait()
                if self._is_closed:
                    return
                event = self._events[position]
            position += 1
            yield event


class _Handler(BaseHTTPRequestHandler):
    pages: ClassVar[Pages]
    streams: ClassVar[dict[str, Stream]]

    def do_GET(self) -> None:
        path = re.sub(r"[?#].*", "", self.path)
        if path in self.streams:
            self._stream(self.streams[path])
        elif path.startswith("/static/"):
            self._answer(TYPES.get(Path(path).suffix, "text/plain"), _read_static(path))
        else:
            page = self.pages.get(path)
            self._answer("text/html", page() if callable(page) else page)

    def _answer(self, media_type: str, body: str | None) -> None:
        content = (body or "").encode()
        self.send_response(404 if body is None else 200)
        self.send_header("Content-Type", f"{media_type}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def _stream(self, stream: Stream) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        with suppress(OSError):  # a page that moved on closes its connection
            for event in stream:
                self.wfile.write(event)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the tests look at the answers."""


def _read_static(path: str) -> str | None:
    file = STATIC / path.removeprefix("/static/")
    return file.read_text(encoding="utf-8") if file.is_file() else None


@contextmanager
def serve(pages: Pages, *, streams: dict[str, Stream] | None = None) -> Iterator[str]:
    """Serve rendered pages, the static folder and event streams; gives the address."""
    handler = type("Handler", (_Handler,), {"pages": pages, "streams": streams or {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
