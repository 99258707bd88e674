"""A saved view that was deleted is restored, for all who saw it, until it is forgotten."""

from datetime import timedelta
from uuid import UUID

import pytest

from roadbed.catalog.models import SavedView
from roadbed.catalog.service import saved_views
from roadbed.catalog.workflows.ingest import refresh_changed
from roadbed.kit.clock import now
from tests.catalog.test_saved_views import VIEWS, code, names, save
from tests.identity.people import new_person
from tests.support import RunningServer


def test_deleted_view_is_restored_for_all_who_saw_it(server: RunningServer) -> None:
    mine, reader = new_person(server, "developer").browser, new_person(server, "viewer").browser
    admin = server.client(server.token())
    view = save(mine, "Undone", "kind=API", "everybody")
    path, restore = f"{VIEWS}/{view['id']}", f"/catalog/views/{view['id']}/restore"
    assert reader.put(f"{path}/default").status_code == 204
    gone = mine.post(f"/catalog/views/{view['id']}/delete", data={"etag": view["etag"]})
    told = mine.get(gone.headers["location"]).text
    assert "“Undone” is deleted" in told
    assert told.count(f'action="{restore}"') == 2  # in the toast, and under Deleted
    assert "Undone" not in names(reader)
    assert reader.get("/catalog").status_code == 200
    assert code(mine.get(path)) == (404, "catalog.view_not_found")
    for client, is_there in ((mine, True), (admin, True), (reader, False)):
        listed = client.get(VIEWS, params={"deleted": True, "limit": 500}).json()["items"]
        assert [one["deleted_at"] is not None for one in listed if one["id"] == view["id"]] == [True] * is_there
    assert code(reader.post(f"{path}/restore")) == (404, "catalog.view_not_found")
    other = save(mine, "undone")
    assert code(mine.post(f"{path}/restore")) == (409, "catalog.view_exists")
    assert mine.delete(f"{VIEWS}/{other['id']}").status_code == 204
    again = mine.post(restore)
    assert "The view is there again" in mine.get(again.headers["location"]).text
    assert reader.get("/catalog").headers["location"] == view["href"]
    assert mine.post(f"{path}/restore").json() == mine.get(path).json() == view
    actions = [
        one["action"] for one in admin.get("/api/v1/audit", params={"subject": f"view:{view['id']}"}).json()["items"]
    ]
    assert actions[::-1] == ["catalog.view_saved", "catalog.view_deleted", "catalog.view_restored"]


def test_deleted_views_are_forgotten_when_they_are_old_or_many(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = new_person(server, "viewer").browser
    monkeypatch.setattr(saved_views, "MOST_DELETED", 2)
    ids = [save(mine, f"Forgotten {number}")["id"] for number in range(3)]
    for view_id in ids:
        assert mine.delete(f"{VIEWS}/{view_id}").status_code == 204

    def kept() -> list[str]:
        return [view["id"] for view in mine.get(VIEWS, params={"deleted": True}).json()["items"]]

    async def age(view_id: str, *, days: int) -> None:
        async with server.database.write() as session:
            (await session.get_one(SavedView, UUID(view_id))).deleted_at = now() - timedelta(days=days)
        await refresh_changed(server.services)

    assert kept() == ids[1:]
    server.run(age(ids[1], days=29))
    server.run(age(ids[2], days=31))
    assert kept() == [ids[1]]
