"""Every route of every domain, as nobody sees it."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from tools.reference import open_routes, routes

from roadbed.app import MODULES
from roadbed.core.extension import load
from tests import plain_http
from tests.support import RunningServer

REGISTRY = load(MODULES)
# A route that is open to everyone is a decision: it is written down here as well as declared.
OPEN = {
    ("GET", "/livez"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/password"),
    ("POST", "/sign-in/password"),
    ("POST", "/sign-out"),
    ("GET", "/api/v1/kinds/{kind}/schema"),
}
MAY_BE_OPEN = re.compile(r"/webhooks/|/hooks/")  # their signature is checked instead
EXAMPLES = {"uuid": "01a20a66-eb8b-776d-ab3e-9147797a9843"}
CLOSED = sorted(
    {
        (route.method, route.path)
        for route in routes(REGISTRY)
        if (route.method, route.path) not in {(method, path) for method, path, _ in open_routes(REGISTRY)}
    }
)


def test_only_decided_routes_are_open_to_everyone() -> None:
    found = {(method, path) for method, path, _ in open_routes(REGISTRY) if not MAY_BE_OPEN.search(path)}
    assert found <= OPEN
    assert all(reason for _, _, reason in open_routes(REGISTRY))


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
def test_nobody_gets_401_everywhere_else(server: RunningServer, accept: str) -> None:
    assert len(CLOSED) > 30
    with plain_http.Client(base_url=server.base_url, headers={"Accept": accept}) as client:
        answers = {
            (method, path): client.request(method, re.sub(r"\{[^}]*\}", EXAMPLES["uuid"], path))
            for method, path in CLOSED
        }
    wrong = {}
    for (method, path), answer in answers.items():
        is_page = accept == "text/html" and method in ("GET", "HEAD") and not path.startswith(("/api/", "/git/"))
        leads_to_sign_in = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in?next=")
        if not (leads_to_sign_in if is_page else answer.status_code == 401):
            wrong[method, path] = (answer.status_code, answer.text[:200])
    assert wrong == {}


@pytest.mark.parametrize("path", ["/no/such/page", "/api/v1/no-such-thing"])
def test_what_does_not_exist_is_told_to_who_is_signed_in(server: RunningServer, path: str) -> None:
    assert server.client().get(path).status_code == 401
    assert server.client(server.token("viewer")).get(path).status_code == 404


def test_more_requests_than_connections_at_once_are_all_answered(server: RunningServer) -> None:
    client = server.client(server.token())
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: client.get("/api/v1/tokens").status_code, range(80)))
    assert set(answers) == {200}
