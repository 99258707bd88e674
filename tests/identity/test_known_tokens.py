"""A token that was found good is not looked up at each request, and yet ends at once."""

import httpx

from tests.support import RunningServer


def find_status(client: httpx.Client) -> int:
    return client.get("/api/catalog/entities/by-query?limit=0").status_code


def test_revoked_token_is_refused_by_the_next_request(server: RunningServer) -> None:
    client = server.client_as("viewer")
    assert find_status(client) == 200
    admin = server.client_as("admin")
    newest = admin.get("/api/v1/tokens", params={"account": "local-viewer"}).json()["items"][0]["id"]
    assert admin.delete(f"/api/v1/tokens/{newest}").status_code == 204
    assert find_status(client) == 401


def test_role_that_is_changed_binds_the_next_request(server: RunningServer) -> None:
    admin = server.client_as("admin")
    wanted = {"title": "Reads entities", "permissions": ["catalog.entity.read"]}
    assert admin.put("/api/v1/roles/known-tokens", json=wanted).status_code in (200, 201)
    client = server.client_as("known-tokens")
    assert find_status(client) == 200
    wanted["permissions"] = ["catalog.location.read"]
    assert admin.put("/api/v1/roles/known-tokens", json=wanted).status_code == 200
    assert find_status(client) == 403


def test_wrong_token_and_none_are_refused_in_the_form_of_that_api(server: RunningServer) -> None:
    for client in (server.client(), server.client("rbt_wrong")):
        answer = client.get("/api/catalog/entities/by-query")
        assert answer.status_code == 401
        assert answer.json()["error"]["name"] == "AuthenticationError"
