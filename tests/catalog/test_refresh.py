"""Locations that are read again: by the schedule that looks whether they have changed, and by several at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from roadbed.catalog.models import Location
from roadbed.catalog.workflows.ingest import refresh_changed
from roadbed.kit.clock import now
from tests.catalog.conftest import Place, component


def look(place: Place) -> dict[str, Any]:
    """Let the schedule look at a place as if its time had come; returns the location."""

    async def run() -> None:
        async with place.server.database.write() as session:
            row = await session.get_one(Location, UUID(place.id))
            row.checked_at = now() - timedelta(days=1000)  # before all others
        await refresh_changed(place.server.services)

    place.server.run(run())
    return place.location()


def test_unchanged_files_start_no_run(place: Place) -> None:
    place.write(a=component("look-same"))
    place.register()
    before = place.location()
    after = look(place)
    assert after["run_id"] == before["run_id"]
    assert after["checked_at"] > before["checked_at"]


def test_changed_files_are_read_again_once(place: Place) -> None:
    place.write(a=component("look-changed"))
    place.register()
    first = place.location()["run_id"]
    place.write(a=component("look-changed", lifecycle="deprecated"), b=component("look-new"))
    second = look(place)["run_id"]
    assert second != first
    assert place.wait(second)["steps"][0]["note"] == "1 new, 1 changed"
    assert look(place)["run_id"] == second


def test_readings_at_once_record_a_change_once(place: Place) -> None:
    """Readings that have begun are not waited for: whichever comes late finds what it read there already."""
    place.write(a=component("look-once"))
    place.register()
    place.write(a=component("look-once", lifecycle="deprecated"))
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(place.api.post, f"/api/v1/locations/{place.id}/refresh") for _ in range(24)]
    runs = {answer.result().raise_for_status().json()["run_id"] for answer in asked}
    assert {place.wait(run)["state"] for run in runs} == {"succeeded"}
    history = place.api.get("/api/v1/entities/component/default/look-once/history").json()["items"]
    assert [version["change"] for version in history] == ["updated", "created"]
    assert place.get("component:default/look-once").json()["spec"]["lifecycle"] == "deprecated"


def test_changed_repository_is_read_again(place: Place) -> None:
    place.write(**{"catalog-info": component("look-git")})
    place.commit()
    place.register_target("git", f"file://{place.folder}")
    first = place.location()["run_id"]
    assert look(place)["run_id"] == first
    place.write(**{"catalog-info": component("look-git", lifecycle="deprecated")})
    newest = place.commit()
    assert place.wait(look(place)["run_id"])["steps"][0]["output"]["revision"] == newest


def test_source_that_stays_faulty_is_not_read_again_and_again(place: Place) -> None:
    place.write(readme="a: b")
    place.commit()
    place.register_target("git", f"file://{place.folder}")
    assert "There is no catalog-info.yaml" in place.location()["error"]["message"]
    second = look(place)["run_id"]
    place.wait(second)
    after = look(place)
    assert after["run_id"] == second
    assert "There is no catalog-info.yaml" in after["error"]["message"]


def test_source_that_comes_back_loses_its_error(place: Place) -> None:
    place.write(a=component("look-back"))
    place.register("a.yaml")
    (place.folder / "a.yaml").rename(place.folder / "away")
    assert "No file matches" in look(place)["error"]["message"]
    (place.folder / "away").rename(place.folder / "a.yaml")
    assert look(place)["error"] is None
