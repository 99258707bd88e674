"""A token that was found good is not looked up at each request, and yet ends at once."""

import asyncio

import httpx
import pytest

from roadbed.core.actor import ANONYMOUS, Actor
from roadbed.core.errors import Unauthenticated
from roadbed.identity.service.known import KnownTokens
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


@pytest.mark.anyio
async def test_all_that_miss_a_token_at_once_ask_once_and_go_on_together() -> None:
    known, answer = KnownTokens(), asyncio.Event()
    asked: list[str] = []
    order: list[int] = []

    async def look_up() -> Actor:
        asked.append("once")
        await answer.wait()
        return ANONYMOUS

    async def request(number: int) -> None:
        assert await known.ask("digest", None, look_up) is ANONYMOUS
        order.append(number)

    requests = [asyncio.create_task(request(number)) for number in range(50)]
    await asyncio.sleep(0)
    requests[0].cancel()  # who asked first has left
    await asyncio.sleep(0)
    answer.set()
    loop_turns = 0
    while len(order) < 49:
        await asyncio.sleep(0)
        loop_turns += 1
        assert loop_turns < 10, "they go on one after the other"
    assert asked == ["once"]
    assert await known.ask("digest", None, look_up) is ANONYMOUS
    assert asked == ["once", "once"]


@pytest.mark.anyio
async def test_token_that_is_refused_is_refused_to_all_that_asked() -> None:
    known = KnownTokens()

    async def refuse() -> Actor:
        await asyncio.sleep(0)
        raise Unauthenticated("It is not good.")

    answers = await asyncio.gather(*(known.ask("digest", None, refuse) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [Unauthenticated] * 3
    with pytest.raises(Unauthenticated):
        await known.ask("digest", None, refuse)
