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
    finally:
        place.api.delete(f"/api/v1/locations/{place.id}")
