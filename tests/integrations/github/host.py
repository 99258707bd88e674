"""A GitHub of its own on this machine: answers as the published description says, counts requests, knows ETags."""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.integrations.github.published import answer_schema, make

LONG_AGO = "2026-01-02T03:04:05Z"


@dataclass
class Repo:
    """A repository: its files by path, on its default branch."""

    files: dict[str, str] = field(default_factory=dict)
    default_branch: str = "main"
    pushed_at: str | None = LONG_AGO
    topics: list[str] = field(default_factory=list)
    is_archived: bool = False
    is_fork: bool = False
    is_truncated: bool = False
    failing_status: int | None = None


@dataclass
class TeamOf:
    """A team: the slug of the one above, and its own members; GitHub lists them in the teams above, too."""

    parent: str | None = None
    members: tuple[str, ...] = ()


@dataclass
class Host:
    """What the host holds, and what was asked of it."""

    organisation: str = "acme"
    repos: dict[str, Repo] = field(default_factory=dict)
    teams: dict[str, TeamOf] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    page_size: int = 100
    limit: int = 5000
    remaining: int = 5000
    resets_at: int = 2**31
    token: str | None = None
    installation_token: str = "ghs_installation"
    url: str = ""
    asked: list[tuple[str, int]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)

    def take_asked(self) -> list[tuple[str, int]]:
        """Return path and status of the requests since the last time."""
        taken, self.asked = self.asked, []
        return taken

    def push(self, name: str, **files: str) -> None:
        """Change files of a repository; `a__b` in a name stands for `a/b.yaml`."""
        repo = self.repos[name]
        repo.files |= {f"{key.replace('__', '/')}.yaml": text for key, text in files.items()}
        repo.pushed_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3600 + len(self.asked)))


Route = Callable[..., tuple[int, Any]]


def sha_of(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def list_repos(host: Host, organisation: str) -> tuple[int, Any]:
    if organisation != host.organisation:
        return 404, {"message": "Not Found"}
    schema = answer_schema("get", "/orgs/{org}/repos", 200)["items"]
    return 200, [
        make(
            schema,
            "api",
            name=name,
            full_name=f"{organisation}/{name}",
            default_branch=repo.default_branch,
            pushed_at=repo.pushed_at,
            topics=repo.topics,
            archived=repo.is_archived,
            fork=repo.is_fork,
        )
        for name, repo in sorted(host.repos.items())
    ]


def list_teams(host: Host, organisation: str) -> tuple[int, Any]:
    schema = answer_schema("get", "/orgs/{org}/teams", 200)["items"]

    def show(slug: str) -> dict[str, Any]:
        parent = host.teams[slug].parent
        url = f"{host.url}/orgs/{organisation}/teams/{slug}"
        words = {"slug": slug, "name": slug.title(), "description": f"Team <b>{slug}</b>", "html_url": url}
        return {
            **words,
            "parent": None if parent is None else {**make(schema, "api"), **show(parent)} | {"parent": None},
        }

    return 200, [make(schema, "api", **show(slug)) for slug in sorted(host.teams)]


def list_team_members(host: Host, _: str, slug: str) -> tuple[int, Any]:
    found = set(host.teams[slug].members)
    below = [name for name, team in host.teams.items() if team.parent == slug]
    while below:
        name = below.pop()
        found |= set(host.teams[name].members)
        below += [other for other, team in host.teams.items() if team.parent == name]
    return 200, [show_user(host, login) for login in sorted(found)]


def list_members(host: Host, _: str) -> tuple[int, Any]:
    return 200, [show_user(host, login) for login in host.members]


def show_user(host: Host, login: str) -> dict[str, Any]:
    schema = answer_schema("get", "/orgs/{org}/members", 200)["items"]
    made: dict[str, Any] = make(schema, "api", login=login, html_url=f"{host.url}/{login}", type="User")
    return made


def get_user(host: Host, login: str) -> tuple[int, Any]:
    schema = answer_schema("get", "/users/{username}", 200)["oneOf"][1]
    words = {"login": login, "name": login.title(), "email": f"{login}@example.com", "html_url": f"{host.url}/{login}"}
    return 200, make(schema, "api", **words)


def get_tree(host: Host, _: str, name: str, branch: str) -> tuple[int, Any]:
    repo = host.repos[name]
    if repo.failing_status is not None:
        return repo.failing_status, {"message": "Not now"}
    if not repo.files:
        return 409, {"message": "Git Repository is empty."}
    if branch != repo.default_branch:
        return 404, {"message": "Not Found"}
    entries = [
        {"path": path, "mode": "100644", "type": "blob", "sha": sha_of(text), "size": len(text)}
        for path, text in sorted(repo.files.items())
    ]
    schema = answer_schema("get", "/repos/{owner}/{repo}/git/trees/{tree_sha}", 200)
    tree = sha_of(json.dumps(entries))
    return 200, make(
        schema, "api", sha=tree, tree=entries[1:] if repo.is_truncated else entries, truncated=repo.is_truncated
    )


def get_blob(host: Host, _: str, name: str, sha: str) -> tuple[int, Any]:
    text = next(text for text in host.repos[name].files.values() if sha_of(text) == sha)
    content = base64.encodebytes(text.encode()).decode()
    schema = answer_schema("get", "/repos/{owner}/{repo}/git/blobs/{file_sha}", 200)
    return 200, make(schema, "api", sha=sha, content=content, encoding="base64", size=len(text))


def get_contents(host: Host, _: str, name: str, path: str) -> tuple[int, Any]:
    text = host.repos[name].files.get(path)
    if text is None:
        return 404, {"message": "Not Found"}
    schema = answer_schema("get", "/repos/{owner}/{repo}/contents/{path}", 200)["oneOf"][1]
    return 200, make(schema, "api", type="file", path=path, name=path, sha=sha_of(text))


def get_installation(host: Host, organisation: str) -> tuple[int, Any]:
    if organisation != host.organisation:
        return 404, {"message": "Not Found"}
    return 200, make(answer_schema("get", "/orgs/{org}/installation", 200), "api", id=42)


def make_token(host: Host, installation: str) -> tuple[int, Any]:
    assert installation == "42"
    ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    schema = answer_schema("post", "/app/installations/{installation_id}/access_tokens", 201)
    return 201, make(schema, "api", token=host.installation_token, expires_at=ends)


ROUTES: list[tuple[str, str, Route]] = [
    ("GET", r"/orgs/([^/]+)/repos", list_repos),
    ("GET", r"/orgs/([^/]+)/teams", list_teams),
    ("GET", r"/orgs/([^/]+)/teams/([^/]+)/members", list_team_members),
    ("GET", r"/orgs/([^/]+)/members", list_members),
    ("GET", r"/orgs/([^/]+)/installation", get_installation),
    ("GET", r"/users/([^/]+)", get_user),
    ("GET", r"/repos/([^/]+)/([^/]+)/git/trees/([^/]+)", get_tree),
    ("GET", r"/repos/([^/]+)/([^/]+)/git/blobs/([^/]+)", get_blob),
    ("GET", r"/repos/([^/]+)/([^/]+)/contents/(.+)", get_contents),
    ("POST", r"/app/installations/([^/]+)/access_tokens", make_token),
]


class _Server(ThreadingHTTPServer):
    def __init__(self, host: Host) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = host
        host.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    next_link = ""

    @property
    def host(self) -> Host:
        assert isinstance(self.server, _Server)
        return self.server.host

    def do_GET(self) -> None:
        host, parts = self.host, urlsplit(self.path)
        path = parts.path.removeprefix("/api/v3")
        authorization = self.headers.get("Authorization", "")
        host.authorizations.append(authorization)
        status, body = self._find(path, authorization)
        if isinstance(body, list):
            body = self._cut(path, body, parse_qs(parts.query))
        data = json.dumps(body).encode()
        etag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if status == 200 and self.headers.get("If-None-Match") == etag:
            status, data = 304, b""
        else:
            host.remaining -= 1
        host.asked.append((path, status))
        self._send(status, data, etag)

    def do_POST(self) -> None:
        self.do_GET()

    def _find(self, path: str, authorization: str) -> tuple[int, Any]:
        is_app = "/installation" in path
        if self.host.token is not None and not is_app and authorization != f"Bearer {self.host.token}":
            return 401, {"message": "Bad credentials"}
        if self.host.remaining <= 0:
            return 403, {"message": "API rate limit exceeded"}
        for method, pattern, route in ROUTES:
            match = re.fullmatch(pattern, path)
            if match is not None and method == self.command:
                return route(self.host, *map(unquote, match.groups()))
        return 404, {"message": "Not Found"}

    def _cut(self, path: str, items: list[Any], query: dict[str, list[str]]) -> list[Any]:
        """Return one page of a list."""
        size = min(self.host.page_size, int(query.get("per_page", ["30"])[0]))
        page = int(query.get("page", ["1"])[0])
        if len(items) > page * size:
            self.next_link = f'<{self.host.url}/api/v3{path}?per_page={size}&page={page + 1}>; rel="next"'
        return items[(page - 1) * size : page * size]

    def _send(self, status: int, data: bytes, etag: str) -> None:
        host = self.host
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", etag)
        if self.next_link:
            self.send_header("Link", self.next_link)
            self.next_link = ""
        left = max(0, host.remaining)
        for name, value in (("Limit", host.limit), ("Remaining", left), ("Reset", host.resets_at)):
            self.send_header(f"X-RateLimit-{name}", str(value))
        self.send_header("X-RateLimit-Resource", "core")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(host: Host) -> Iterator[Host]:
    """Serve a host on a free port of this machine, as a GitHub Enterprise Server has it: below `/api/v3`."""
    with _Server(host) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield host
        finally:
            server.shutdown()
            thread.join()
