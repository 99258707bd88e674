"""Entities that come with Roadbed."""

from roadbed.catalog.service.shipped import put_shipped
from tests.catalog.conftest import Place
from tests.support import RunningServer

TYPES = ("development", "staging", "production")

WEAKER = """
apiVersion: roadbed.dev/v1
kind: EnvironmentType
metadata: {name: production}
spec: {order: 3, runtime: process}
"""


def test_environment_types_are_there_from_the_start(server: RunningServer) -> None:
    api = server.client(server.token())
    found = [api.get(f"/api/v1/entities/environmenttype/default/{name}").json() for name in TYPES]
    assert [entity["spec"]["order"] for entity in found] == [1, 2, 3]
    assert found[2]["spec"]["approval"] == {"approvers": ["owner"]}


def test_location_cannot_take_over_a_shipped_entity(place: Place) -> None:
    before = place.api.get("/api/v1/entities/environmenttype/default/production").json()
    place.write(types=WEAKER)
    place.register()
    assert place.api.get("/api/v1/entities/environmenttype/default/production").json()["spec"] == before["spec"]


def test_what_was_changed_over_the_api_stays_at_the_next_start(server: RunningServer) -> None:
    api = server.client(server.token())
    address = "/api/v1/entities/environmenttype/default/staging"
    entity = api.get(address).json()
    document = {name: entity[name] for name in ("apiVersion", "kind", "metadata", "spec")}
    changed = {**document, "metadata": {"name": "staging", "title": "Staging of our own"}}
    assert api.post("/api/v1/entities", json=changed).is_success

    async def start_again() -> None:
        async with server.database.write() as session:
            await put_shipped(session)

    try:
        server.run(start_again())
        assert api.get(address).json()["metadata"]["title"] == "Staging of our own"
    finally:
        assert api.post("/api/v1/entities", json=document).is_success


def test_owner_of_all_that_is_shipped_exists(server: RunningServer) -> None:
    api = server.client(server.token())
    shipped = [("environmenttype", name) for name in TYPES] + [("pipeline", "standard"), ("resourcetype", "postgres")]
    for kind, name in (*shipped, ("resourcedefinition", "local-postgres")):
        page = api.get(f"/catalog/{kind}/default/{name}", headers={"Accept": "text/html"}).text
        assert 'href="/catalog/group/default/roadbed">Roadbed</a>' in page, name
        assert "Owner not found" not in page, name
