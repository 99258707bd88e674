"""What notes refuse, before any database is asked."""

import pytest
from fastapi.testclient import TestClient

from app.main import MAX_BODY_BYTES


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({}, "body.title"),
        ({"title": "  "}, "body.title"),
        ({"title": "x" * 201}, "body.title"),
        ({"title": "nul \x00"}, "body.title"),
        ({"title": "fine", "body": "x" * 10_001}, "body.body"),
    ],
)
def test_wrong_draft_is_refused_with_the_field_named(
    client: TestClient, draft: dict[str, str], field: str
) -> None:
    response = client.post("/v1/notes", json=draft)

    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == [field]


@pytest.mark.parametrize("note_id", ["0", "-1", "one", str(2**63)])
def test_impossible_id_is_refused(client: TestClient, note_id: str) -> None:
    assert client.get(f"/v1/notes/{note_id}").status_code == 422


def test_without_a_database_the_answer_is_unavailable(client: TestClient) -> None:
    response = client.get("/v1/notes")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"


def test_too_large_body_is_refused(client: TestClient) -> None:
    response = client.post("/v1/notes", json={"title": "fine", "body": "x" * MAX_BODY_BYTES})

    assert response.status_code == 413
    assert response.headers["X-Content-Type-Options"] == "nosniff"
