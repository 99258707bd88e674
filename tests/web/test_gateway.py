"""Requests to workloads under their own names, through the server to real processes."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from roadbed.environments.service.instances import retire_instance
from roadbed.environments.service.routes import Routes
from tests import plain_http
from tests.environments.support import Placed, add_deployed, add_workload, answer_with, store_program
from tests.support import RunningServer


@pytest.fixture(scope="module")
def placed(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placed]:
    """Give a workload that runs and is reached by its name."""
    folder: Path = tmp_path_factory.mktemp("gateway")

    async def start() -> tuple[Placed, object]:
        placed = await add_workload(server.services)
        digest = await store_program(server.services, folder, version="one")
        instance_id = await add_deployed(server.services, placed, artifact=digest)
        await answer_with(server.services, placed, instance_id)
        return placed, instance_id

    found, instance_id = server.run(start())
    yield found
    server.run(retire_instance(server.services, instance_id))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def client(server: RunningServer, placed: Placed) -> Iterator[httpx.Client]:
    with plain_http.Client(base_url=server.base_url, headers={"Host": f"{placed.host}:8400"}, timeout=20) as client:
        yield client


def test_request_reaches_the_workload_whole(client: httpx.Client) -> None:
    answer = client.get("/some%20place?x=1&x=%2F")
    assert answer.json()["path"] == "/some%20place?x=1&x=%2F"
    assert client.post("/", content=b"\0" * 3_000_000).content == b"\0" * 3_000_000
    assert client.post("/", content=iter([b"in ", b"pieces"])).content == b"in pieces"
    assert client.head("/").status_code == 200


def test_headers_say_where_a_request_came_from_and_keep_secrets_back(client: httpx.Client, placed: Placed) -> None:
    sent = {
        "Cookie": "roadbed_session=secret; mine=1",
        "X-Forwarded-For": "6.6.6.6",
        "Connection": "x-hop",
        "X-Hop": "1",
    }
    pairs: list[list[str]] = json.loads(client.get("/headers", headers=sent).text)
    seen = {name.lower(): value for name, value in pairs}
    assert seen["cookie"] == "mine=1"
    assert seen["x-forwarded-for"] == "127.0.0.1"
    assert (seen["host"], seen["x-forwarded-host"]) == (f"{placed.host}:8400",) * 2
    assert "x-hop" not in seen


def test_answer_is_the_workloads_own(client: httpx.Client) -> None:
    answer = client.get("/")
    assert "content-security-policy" not in answer.headers
    assert "x-private" not in answer.headers
    assert answer.headers.get_list("set-cookie") == ["a=1; Path=/; HttpOnly", "b=2"]


def test_stream_comes_piece_by_piece_and_ends_with_its_reader(
    client: httpx.Client, server: RunningServer, placed: Placed
) -> None:
    with client.stream("GET", "/stream") as answer:
        lines = answer.iter_lines()
        assert [next(lines) for _ in range(3)] == ["data: 0", "", "data: 1"]
    token = server.client(server.token())
    path = f"/api/v1/environments/{placed.application}/{placed.environment}/workloads/{placed.name}/logs"
    for _ in range(400):
        if "the reader of the stream is gone" in token.get(path).json()["lines"]:
            return
        client.get("/readyz")
    raise AssertionError(token.get(path).json())


def test_what_the_table_does_not_know_yet_is_looked_up(client: httpx.Client, server: RunningServer) -> None:
    routes = server.services.get(Routes)
    routes.replace([], routes.begin())
    assert client.get("/").status_code == 200


def test_nothing_of_roadbed_answers_under_the_name_of_a_workload(client: httpx.Client, server: RunningServer) -> None:
    assert client.get("/livez").json()["path"] == "/livez"
    unknown = plain_http.get(f"{server.base_url}/livez", headers={"Host": "no.such.workload.localhost"})
    assert unknown.status_code == 404
    assert "No workload has the name" in unknown.text


def test_workload_that_does_not_run_is_named(server: RunningServer) -> None:
    placed = server.run(add_workload(server.services, name="silent"))
    answer = plain_http.get(server.base_url, headers={"Host": placed.host})
    assert answer.status_code == 503
    assert "silent in " in answer.text
    assert f"/environments/{placed.application}/{placed.environment}" in answer.text
