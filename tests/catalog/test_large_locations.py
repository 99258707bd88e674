"""A location that is so large that workers read it and prepare its index."""

from tests.catalog.conftest import Place, component
from tests.catalog.test_index_following import documents_of, followed, load_anew

FILES = 7
ENTITIES_OF_FILE = 400


def test_large_location_is_read_by_workers_as_a_small_one_would_be(place: Place) -> None:
    text = "x" * 150
    files = {
        f"f{file}": "".join(
            component(f"large-{file}-{number}", description=text, tier=file) for number in range(ENTITIES_OF_FILE)
        )
        for file in range(FILES)
    }
    files["f5"] += component("large-faulty", lifecycle='""')
    files["f6"] += component("large-included", note="{$text: ./note.txt}")
    place.write(**files)
    (place.folder / "note.txt").write_text("from a file beside")
    try:
        run = place.register()
        assert run["state"] == "succeeded"
        assert run["steps"][0]["output"]["created"] == FILES * ENTITIES_OF_FILE + 1
        assert place.get("component:default/large-included").json()["spec"]["note"] == "from a file beside"
        problem, *others = place.problems()
        assert not others
        line = ENTITIES_OF_FILE * files["f0"].count("\n") // ENTITIES_OF_FILE + 8
        assert (problem["file"], problem["line"], problem["ref"]) == ("f5.yaml", line, "component:default/large-faulty")
        server = place.server
        server.run(followed(server).catch_up())
        assert documents_of(followed(server).index) == load_anew(server)
        assert place.api.get("/api/v1/entities", params={"q": "large-3-39"}).json()["total"] == 11
        then = place.get("component:default/large-6-1").json()["updated_at"]
        then = max(then, place.get("component:default/large-included").json()["updated_at"])
    finally:
        place.api.delete(f"/api/v1/locations/{place.id}")
    past = {"q": "large-", "as_of": then, "sort": "-name", "limit": 2}
    found = place.api.get("/api/v1/entities", params=past).json()
    assert found["total"] == FILES * ENTITIES_OF_FILE + 1
    assert [item["metadata"]["name"] for item in found["items"]] == ["large-included", "large-6-99"]
    assert place.api.get("/api/v1/entities", params=past | {"q": "large-3-39"}).json()["total"] == 11
    ends = place.api.get("/api/v1/entities/component/default/large-1-1", params={"as_of": then}).json()["relations"]
    assert ends == [{"type": "ownedBy", "target": "group:default/team-none", "found": False}]
