"""Relations are kept with the entity that declares them, and go with it: no foreign key sees to that."""

from sqlalchemy import text

from tests.catalog.conftest import Place, component

OWN = "SELECT count(*) FROM entity_relations WHERE source_ref = :ref"
WITHOUT_ENTITY = (
    "SELECT count(*) FROM entity_relations WHERE NOT EXISTS (SELECT * FROM entities WHERE entities.id = origin_id)"
)


def count(place: Place, query: str, **values: str) -> int:
    async def work() -> int:
        async with place.server.database.read() as session:
            return int(await session.scalar(text(query), values) or 0)

    return place.server.run(work())


def test_relations_go_with_an_entity_that_is_deleted(place: Place) -> None:
    ref = "component:default/related-by-hand"
    document = component("related-by-hand", dependsOn="[component:related-b, component:related-c]")
    put = place.api.post("/api/v1/entities", content=document, headers={"Content-Type": "application/yaml"})
    assert put.is_success, put.text
    assert count(place, OWN, ref=ref) == 3  # with its owner
    assert place.api.delete(f"/api/v1/entities/{ref.replace(':', '/')}").is_success
    assert count(place, OWN, ref=ref) == 0
    assert count(place, WITHOUT_ENTITY) == 0


def test_relations_go_with_a_location_that_is_removed(place: Place) -> None:
    ref = "component:default/related-in-a-file"
    place.write(a=component("related-in-a-file", dependsOn="[component:related-b]"))
    place.register()
    assert count(place, OWN, ref=ref) == 2
    place.write(a=component("related-in-a-file"))
    place.refresh()
    assert count(place, OWN, ref=ref) == 1
    assert place.api.delete(f"/api/v1/locations/{place.id}").is_success
    assert count(place, OWN, ref=ref) == 0
    assert count(place, WITHOUT_ENTITY) == 0
