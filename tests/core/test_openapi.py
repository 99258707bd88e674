"""The description of the REST API says what its users have to know."""

from typing import Any

import pytest

from tests.support import RunningServer

# What a request sent again does not do twice by itself.
NEEDS_NO_KEY = {
    "/api/v1/entities": "puts",
    "/api/v1/approvals/{approval_id}/approve": "a decision stands",
    "/api/v1/approvals/{approval_id}/reject": "a decision stands",
    "/api/v1/docs/{kind}/{namespace}/{name}/builds": "builds again what is there",
    "/api/v1/docs/{kind}/{namespace}/{name}/reports/{report_id}/settle": "it is settled then",
    "/api/v1/entities/bulk/check": "keeps nothing",
    "/api/v1/entities/{kind}/{namespace}/{name}/proposals": "one change request for the same change of the same commit",
    "/api/v1/entities/{kind}/{namespace}/{name}/proposals/check": "keeps nothing",
    "/api/v1/entities/{kind}/{namespace}/{name}/restore": "it is as it was then",
    "/api/v1/locations/looks/{run_id}/check": "keeps nothing",
    "/api/v1/locations/looks/{run_id}/proposals": "one change request for the same file of the same commit",
    "/api/v1/locations/{location_id}/refresh": "reads again what is there",
    "/api/v1/paths/{namespace}/{name}/preview": "keeps nothing",
    "/api/v1/paths/{namespace}/{name}/validate": "keeps nothing",
    "/api/v1/repositories/{owner}/{name}/change-requests/{number}/approve": "one approval each",
    "/api/v1/repositories/{owner}/{name}/change-requests/{number}/close": "it is closed then",
    "/api/v1/repositories/{owner}/{name}/change-requests/{number}/merge": "it is merged then",
    "/api/v1/repositories/{owner}/{name}/commits/{sha}/statuses": "replaces",
    "/api/v1/repositories/{owner}/{name}/pipeline-runs": "one run for a commit",
    "/api/v1/runs/{run_id}/cancel": "it is cancelled then",
    "/api/v1/runs/{run_id}/retry": "it runs then",
    "/api/v1/validate": "keeps nothing",
    "/api/v1/views/{view_id}/restore": "it is there then",
}


@pytest.fixture(scope="module")
def document(server: RunningServer) -> dict[str, Any]:
    found: dict[str, Any] = server.client(server.token()).get("/api/v1/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_whatever_creates_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    keyless = {
        path
        for method, path, operation in operations(document)
        if method == "post"
        and "Idempotency-Key" not in {parameter["name"] for parameter in operation.get("parameters", [])}
    }
    assert keyless == set(NEEDS_NO_KEY)


def test_errors_are_problems_and_a_token_is_needed(document: dict[str, Any]) -> None:
    components = document["components"]
    assert components["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    assert document["security"] == [{"token": []}]
    assert "HTTPValidationError" not in str(document)
    for method, path, operation in operations(document):
        for status in ("401", "403", "404", "409", "422"):
            name = operation["responses"][status]["$ref"].rpartition("/")[2]
            content = components["responses"][name]["content"]
            assert content == {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}, (
                method,
                path,
            )


def test_problem_is_as_described(server: RunningServer, document: dict[str, Any]) -> None:
    problem = server.client(server.token()).get("/api/v1/runs/nonsense").json()
    described = document["components"]["schemas"]["Problem"]
    assert set(described["required"]) <= set(problem) <= set(described["properties"])


def test_streams_are_described_as_events(document: dict[str, Any]) -> None:
    streams = {path for method, path, _ in operations(document) if path.endswith("/events")}
    assert len(streams) == 2
    for path in streams:
        content = document["paths"][path]["get"]["responses"]["200"]["content"]
        assert list(content) == ["text/event-stream"], path


def test_what_a_creation_needs_has_an_example(document: dict[str, Any]) -> None:
    bare = []
    for method, path, operation in operations(document):
        takes_key = "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", [])}
        body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        if method != "post" or not takes_key or "$ref" not in body:
            continue
        schema = document["components"]["schemas"][body["$ref"].rpartition("/")[2]]
        if "examples" not in schema:
            needed = schema.get("required", [])
            bare += [f"{path} {name}" for name in needed if "examples" not in schema["properties"][name]]
    assert bare == []
