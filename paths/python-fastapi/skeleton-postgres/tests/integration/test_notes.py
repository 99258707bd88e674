"""Notes through HTTP, stored in a real PostgreSQL."""

from typing import Any

import pytest
from fastapi.testclient import TestClient


def add_note(service: TestClient, title: str) -> Any:
    response = service.post("/v1/notes", json={"title": title, "body": "Some text"})
    assert response.status_code == 201
    return response.json()


def test_added_note_can_be_read_at_its_location(service: TestClient) -> None:
    response = service.post("/v1/notes", json={"title": " Groceries ", "body": "Käse"})

    assert response.status_code == 201
    note = service.get(response.headers["Location"]).json()
    assert note == response.json()
    assert (note["title"], note["body"]) == ("Groceries", "Käse")


def test_replaced_note_keeps_its_id_and_creation_time(service: TestClient) -> None:
    before = add_note(service, "Before")

    after = service.put(f"/v1/notes/{before['id']}", json={"title": "After"}).json()

    assert (after["title"], after["body"]) == ("After", "")
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["updated_at"] > before["updated_at"]


def test_removed_note_is_gone(service: TestClient) -> None:
    path = f"/v1/notes/{add_note(service, 'Short-lived')['id']}"

    assert service.delete(path).status_code == 204
    assert service.delete(path).status_code == 404
    assert service.get(path).status_code == 404
    assert service.put(path, json={"title": "Back"}).status_code == 404


def test_pages_hold_every_note_once(service: TestClient) -> None:
    titles = [f"Note {number}" for number in range(5)]
    for title in titles:
        add_note(service, title)

    seen, after = [], 0
    while after is not None:
        page = service.get("/v1/notes", params={"after": after, "limit": 2}).json()
        seen += [note["title"] for note in page["items"]]
        after = page["next"]

    assert seen == titles


@pytest.mark.parametrize("title", ["'; DROP TABLE notes; --", "\U0001f600 \u2028.", "{}%s$1"])
def test_any_title_is_kept_as_it_is(service: TestClient, title: str) -> None:
    assert add_note(service, title)["title"] == title
