"""What every request gets: errors as problems, security headers, metrics, log lines, a trace id."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app.logs import configure_logging

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
TRACEPARENT = {"traceparent": f"00-{TRACE_ID}-b7ad6b7169203331-01"}


@pytest.fixture
def crashing(app: FastAPI, client: TestClient) -> TestClient:
    @app.get("/crash/{item}")
    def crash(item: str) -> None:
        raise ZeroDivisionError

    return client


def count_requests(client: TestClient, **labels: str) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    return sum(
        sample.value
        for sample in samples
        if sample.name == "http_request_duration_seconds_count"
        and labels.items() <= sample.labels.items()
    )


@pytest.fixture
def read_log() -> Callable[[str], dict[str, Any]]:
    """Give a function that finds the first line of an event."""
    output = StringIO()
    configure_logging("info", stream=output)

    def find(event: str) -> dict[str, Any]:
        lines = [json.loads(line) for line in output.getvalue().splitlines()]
        return next(line for line in lines if line["event"] == event)

    return find


def test_front_page_says_what_runs_here(client: TestClient) -> None:
    body = client.get("/").json()

    assert body["service"] == "${{ values.name }}"
    assert body["links"]["definition"] == "/openapi.json"


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/none", 404), ("POST", "/", 405)])
def test_errors_are_problems(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["status"] == status


def test_crash_is_a_problem_that_tells_nothing_but_its_trace(
    crashing: TestClient, read_log: Callable[[str], dict[str, Any]]
) -> None:
    response = crashing.get("/crash/secret", headers=TRACEPARENT)

    assert response.status_code == 500
    assert response.json()["trace_id"] == TRACE_ID
    assert "secret" not in response.text
    crashed = read_log("request.crashed")
    assert crashed["trace_id"] == TRACE_ID
    assert crashed["exception"][0]["exc_type"] == "ZeroDivisionError"
    assert "secret" not in json.dumps(crashed), "local variables stay out of the logs"


@pytest.mark.parametrize("path", ["/", "/none", "/livez", "/crash/1"])
def test_every_answer_has_security_headers(crashing: TestClient, path: str) -> None:
    headers = crashing.get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_request_is_logged_with_the_trace_of_its_caller(
    client: TestClient, read_log: Callable[[str], dict[str, Any]]
) -> None:
    client.get("/?token=secret", headers=TRACEPARENT)

    line = read_log("request.finished")
    assert (line["method"], line["route"], line["status"]) == ("GET", "/", 200)
    assert line["trace_id"] == TRACE_ID
    assert "secret" not in json.dumps(line)


def test_requests_are_counted_by_route_template(crashing: TestClient) -> None:
    labels = {"method": "GET", "route": "/crash/{item}", "status": "500"}
    before = count_requests(crashing, **labels)

    crashing.get("/crash/1")
    crashing.get("/crash/2")

    assert count_requests(crashing, **labels) == before + 2


def test_made_up_paths_and_methods_share_one_label(client: TestClient) -> None:
    client.request("BREW", "/coffee/1")
    client.request("BREW", "/coffee/2")

    assert count_requests(client, method="OTHER", route="unmatched", status="404") >= 2
    assert count_requests(client, route="/coffee/1") == 0
