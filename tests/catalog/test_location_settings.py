"""What is set for one location: the kinds it may bring, when it is looked at, what is removed; and how far all are."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select

from roadbed.catalog.models import Entity, Location
from roadbed.catalog.repository import locations as rows
from roadbed.catalog.rules.schedule import longest_delay
from roadbed.catalog.service.locations import register_configured_locations
from roadbed.catalog.workflows.ingest import refresh_changed
from roadbed.core.settings import CatalogSettings, LocationSettings, Settings
from roadbed.kit.clock import now
from tests.catalog.conftest import Place, component, group
from tests.catalog.test_pages import HTML, page
from tests.catalog.test_refresh import look

SETTINGS: type[Any] = Settings


def set_options(place: Place, **changes: Any) -> dict[str, Any]:
    """Change settings of a place, and wait until it is read by them."""
    answer = place.api.patch(f"/api/v1/locations/{place.id}", json=changes)
    assert answer.status_code == 200, answer.text
    place.wait(answer.json()["run_id"])
    return place.location()


def test_kinds_that_are_not_allowed_stay_out_until_they_are(place: Place) -> None:
    place.write(a=component("kinds-a") + group("kinds-g"))
    wanted = {"type": "file", "target": f"{place.folder}/*.yaml", "allowed_kinds": ["component"]}
    answer = place.api.post("/api/v1/locations", json=wanted)
    place.id = answer.json()["location_id"]
    place.wait(answer.json()["run_id"])
    assert place.location()["allowed_kinds"] == ["Component"]
    (problem,) = place.problems()
    assert problem["reason"] == "Entities of kind Group are not allowed from this location."
    assert problem["hint"].startswith("It may have Component.")
    assert (problem["code"], problem["line"], problem["ref"]) == ("not_allowed", 12, "group:default/kinds-g")
    assert place.get("component:default/kinds-a").status_code == 200
    assert place.get("group:default/kinds-g").status_code == 404
    set_options(place, allowed_kinds=None)
    assert place.problems() == []
    assert place.get("group:default/kinds-g").status_code == 200
    set_options(place, allowed_kinds=["API"])  # the last good state stays, as with any other error
    assert len(place.problems()) == 2
    assert place.get("group:default/kinds-g").status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"allowed_kinds": ["Componnet"]}, "There is no kind Componnet."),
        ({"source": {"token": "secret://a"}}, "have no options of their own"),
        ({"interval_seconds": 1}, "interval_seconds"),
        ({"type": "svn"}, "There is no type of location 'svn'."),
    ],
)
def test_settings_that_cannot_be_are_refused(place: Place, body: dict[str, Any], words: str) -> None:
    wanted = {"type": "file", "target": f"{place.folder}/*.yaml", **body}
    answer = place.api.post("/api/v1/locations", json=wanted)
    assert answer.status_code == 422
    assert words in answer.text


def test_only_some_bring_more_kinds_than_others_may(
    place: Place, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = place.server.services
    limited = services.get(Settings).model_copy(update={"catalog": CatalogSettings(allowed_kinds=["Component"])})
    monkeypatch.setitem(services._instances, SETTINGS, limited)
    place.write(a=component("limited-a") + group("limited-g"))
    place.commit()
    target = f"file://{place.folder}#:a.yaml"
    wanted = {"type": "git", "target": target, "allowed_kinds": ["Component", "Group"]}
    refused = client_of("developer").post("/api/v1/locations", json=wanted)
    assert (refused.status_code, refused.json()["code"]) == (403, "catalog.location_forbidden")
    assert "catalog.location.govern" in refused.json()["hint"]
    place.register_target("git", target)
    assert place.get("group:default/limited-g").status_code == 404
    wider = client_of("developer").patch(f"/api/v1/locations/{place.id}", json={"allowed_kinds": ["Group"]})
    assert wider.status_code == 403
    set_options(place, allowed_kinds=["Component", "Group"])
    assert place.get("group:default/limited-g").status_code == 200


def test_orphans_are_deleted_when_their_time_is_over(place: Place) -> None:
    place.write(a=component("orphan-a") + component("orphan-b"))
    place.register()
    place.write(a=component("orphan-a"))
    place.refresh()

    async def is_left(hours: int) -> bool:
        async with place.server.database.write() as session:
            row = await session.get_one(Entity, UUID(entity_id))
            row.orphaned_at = now() - timedelta(hours=hours)
        await refresh_changed(place.server.services)
        async with place.server.database.read() as session:
            return await session.get(Entity, UUID(entity_id)) is not None

    entity_id = place.get("component:default/orphan-b").json()["uid"]
    assert place.server.run(is_left(1000))  # by default orphans stay
    set_options(place, remove_orphans_after_hours=24)
    assert place.server.run(is_left(23))
    assert not place.server.run(is_left(25))
    assert place.get("component:default/orphan-b").status_code == 404
    audit = place.api.get("/api/v1/audit", params={"action": "catalog.orphans_removed"}).json()["items"]
    assert audit[0]["subject"] == f"location:{place.id}"


async def count_failing(place: Place) -> int:
    """Return whether the database still has an error of a place."""
    async with place.server.database.read() as session:
        query = select(func.count()).where(Location.id == UUID(place.id), Location.error.is_not(None))
        return await session.scalar(query) or 0


def test_location_whose_files_are_gone_is_removed_after_so_many_looks(place: Place) -> None:
    place.write(a=component("missing-a"))
    place.register("a.yaml")
    (place.folder / "a.yaml").unlink()
    assert [look(place)["missing_count"] for _ in range(2)] == [1, 2]  # by default it stays
    assert "2 looks in a row found nothing there" in page(place.api, f"/catalog/locations/{place.id}")
    place.write(a=component("missing-a"))
    assert look(place)["missing_count"] == 0
    assert place.server.run(count_failing(place)) == 0
    set_options(place, remove_after_missing=2)
    (place.folder / "a.yaml").unlink()
    assert [look(place)["missing_count"] for _ in range(2)] == [1, 2]
    place.server.run(refresh_changed(place.server.services))
    assert place.api.get(f"/api/v1/locations/{place.id}").status_code == 404
    assert place.get("component:default/missing-a").status_code == 404


def test_location_is_due_by_its_own_interval(place: Place) -> None:
    place.write(a=component("interval-a"))
    place.register()
    set_options(place, interval_seconds=3600)

    async def is_due(seconds: float) -> bool:
        async with place.server.database.read() as session:
            row = await session.get_one(Location, UUID(place.id))
            assert row.checked_at is not None
            at = row.checked_at + timedelta(seconds=seconds)
            due = await rows.list_due(session, at=at, interval_seconds=120, limit=1000)
        return UUID(place.id) in due

    longest = 3600 + longest_delay(3600)
    assert [place.server.run(is_due(seconds)) for seconds in (130, 3599, longest)] == [False, False, True]


def test_loser_of_a_conflict_is_shown_on_both(place: Place, other_place: Place) -> None:
    place.write(a=component("contested-too"))
    place.register()
    other_place.write(b=component("contested-too", lifecycle="deprecated"))
    other_place.register()
    winner = page(place.api, f"/catalog/locations/{place.id}")
    assert '<span class="mono">component:default/contested-too</span> stands in another location, too' in winner
    assert f'href="/catalog/locations/{other_place.id}"' in winner
    assert "component:default/contested-too exists already" in page(place.api, f"/catalog/locations/{other_place.id}")
    entity = page(place.api, "/catalog/component/default/contested-too")
    assert f'href="/catalog/locations/{other_place.id}"' in entity


def test_settings_are_changed_with_a_form(place: Place) -> None:
    place.write(a=component("form-settings"))
    place.register()
    address = f"/catalog/locations/{place.id}/settings"
    assert 'name="interval_seconds"' in page(place.api, address)
    wrong = place.api.post(address, data={"interval_seconds": "1"}, headers=HTML)
    assert wrong.status_code == 422
    right = {"interval_seconds": "600", "allowed_kinds": ["Component", "API"], "remove_after_missing": ""}
    assert place.api.post(address, data=right, headers=HTML).status_code == 303
    text = page(place.api, f"/catalog/locations/{place.id}")
    assert "API, Component" in text
    assert "<dd>10 min</dd>" in text


def test_settings_of_the_configuration_hold_and_are_changed_there(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(a=component("configured-a"))
    place.register()
    wanted = LocationSettings(type="file", target=f"{place.folder}/*.yaml", interval_seconds=900, allowed_kinds=["API"])
    services = place.server.services
    settings = services.get(Settings).model_copy(update={"catalog": CatalogSettings(locations=[wanted])})
    monkeypatch.setitem(services._instances, SETTINGS, settings)

    async def start() -> None:
        async with place.server.database.write() as session:
            await register_configured_locations(session)

    place.server.run(start())
    found = place.location()
    assert (found["interval_seconds"], found["allowed_kinds"]) == (900, ["API"])
    place.wait(found["run_id"])
    refused = place.api.patch(f"/api/v1/locations/{place.id}", json={"interval_seconds": 60})
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.location_configured")


def test_how_far_reading_is_behind_is_on_a_page_and_in_metrics(place: Place, api: httpx.Client) -> None:
    place.write(a=component("behind") + component("behind-bad", owner="''"))
    place.register()

    async def forget() -> None:
        async with place.server.database.write() as session:
            row = await session.get_one(Location, UUID(place.id))
            row.checked_at = now() - timedelta(hours=2)

    place.server.run(forget())
    metrics = dict(re.findall(r"^(roadbed_catalog_\S+) (\S+)$", api.get("/metrics").text, re.MULTILINE))
    assert float(metrics["roadbed_catalog_locations_overdue"]) >= 1
    assert float(metrics["roadbed_catalog_oldest_pending_seconds"]) > 3600
    assert float(metrics["roadbed_catalog_locations_failing"]) >= 1
    errors = [float(value) for name, value in metrics.items() if "location_errors" in name and place.id in name]
    assert errors == [1]
    assert "wait to be read, the first" in page(api, "/catalog/locations")
