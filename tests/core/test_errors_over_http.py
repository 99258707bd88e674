"""Errors as programs and people get them."""

import pytest

from tests.support import RunningServer


@pytest.mark.parametrize("path", ["/api/v1/nothing-here", "/nothing-here", "/api/v1/openapi.json", "/api/v1/runs"])
def test_anonymous_is_told_to_sign_in_and_nothing_else(server: RunningServer, path: str) -> None:
    answer = server.client().get(path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"


def test_problem_carries_code_hint_and_the_trace_id_of_the_caller(server: RunningServer) -> None:
    trace_id = "0af7651916cd43dd8448eb211c80319c"
    answer = server.client().get("/api/v1/runs", headers={"traceparent": f"00-{trace_id}-b7ad6b7169203331-01"})
    body = answer.json()
    assert body["trace_id"] == trace_id
    assert body["hint"] == "Sign in, or send a token: `Authorization: Bearer …`."


def test_person_with_a_browser_is_sent_to_sign_in_and_back(server: RunningServer) -> None:
    answer = server.client().get("/catalog?kind=api", headers={"accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2Fcatalog%3Fkind%3Dapi"


def test_body_over_the_limit_is_refused_by_its_declared_size(server: RunningServer) -> None:
    answer = server.client().post("/api/v1/validate", content=b" " * 10_485_761)
    assert answer.status_code == 413
    assert answer.json()["code"] == "request.too_large"
