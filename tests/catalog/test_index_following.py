"""The index that has followed all changes is the index that is filled anew."""

import asyncio
from pathlib import Path

import httpx

from roadbed.catalog.contract import StatusReport, report_status, withdraw_status
from roadbed.catalog.rules.index.conditions import HasValue
from roadbed.catalog.rules.index.entries import HEALTH
from roadbed.catalog.rules.index.index import Index
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.kinds import KindRegistry
from roadbed.catalog.service.snapshot import Snapshot
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import Place, component, group
from tests.support import RunningServer


def documents_of(index: Index) -> dict[str, bytes]:
    return {index.ref_of(number): index.document_of(number) for number in index.all}


def load_anew(server: RunningServer) -> dict[str, bytes]:
    async def load() -> Index:
        fresh = new_index(server.database, Path("nowhere"))
        await fresh.load()
        return fresh.index

    return documents_of(server.run(load()))


def new_index(database: Database, folder: Path) -> CatalogIndex:
    """Return another index of a server's catalog, empty as yet, whose snapshot is in a folder."""
    return CatalogIndex(database, KindRegistry(Services(), BUILT_IN_KINDS), Snapshot(folder))


def followed(server: RunningServer) -> CatalogIndex:
    return server.services.get(CatalogIndex)


def test_index_that_followed_equals_one_that_is_filled_anew(place: Place) -> None:
    place.write(a=group("follow-team") + component("follow-a", owner="follow-team", dependsOn="[component:follow-b]"))
    place.register()
    place.write(b=component("follow-b", owner="follow-team"))
    place.refresh()
    place.write(a=group("follow-team") + component("follow-a", lifecycle='""'))  # faulty: the last good state stays
    place.refresh()
    (place.folder / "b.yaml").unlink()
    place.refresh()
    server = place.server
    server.run(followed(server).catch_up())
    assert documents_of(followed(server).index) == load_anew(server)
    assert b'"level":"error"' in (followed(server).index.find("component:default/follow-a") or b"")
    place.api.delete(f"/api/v1/locations/{place.id}")
    server.run(followed(server).catch_up())
    assert documents_of(followed(server).index) == load_anew(server)
    assert followed(server).index.find("component:default/follow-a") is None


def test_writer_finds_its_own_change_in_lists_at_once(api: httpx.Client) -> None:
    for number in range(5):
        body = component(f"at-once-{number}")
        assert api.post("/api/v1/entities", content=body).status_code == 200
        found = api.get("/api/v1/entities", params={"q": f"at-once-{number}"}).json()
        assert [item["metadata"]["name"] for item in found["items"]] == [f"at-once-{number}"]
        assert api.delete(f"/api/v1/entities/component/default/at-once-{number}").status_code == 204
        assert api.get("/api/v1/entities", params={"q": f"at-once-{number}"}).json()["total"] == 0


def test_another_process_follows_by_itself(server: RunningServer, api: httpx.Client) -> None:
    async def follow() -> None:
        other = new_index(server.database, Path("nowhere"))
        await other.load()
        following = asyncio.create_task(other.follow())
        try:
            ref = "component:default/seen-elsewhere"
            await asyncio.to_thread(api.post, "/api/v1/entities", content=component("seen-elsewhere"))
            assert await other.wait_for(followed(server).position)
            assert other.index.find(ref) is not None
            number = other.index.number_of(ref)
            assert number is not None
            report = StatusReport(key="health", state="failing", summary="It fails.", source="tests")
            async with server.database.write() as session:
                await report_status(session, parse_ref(ref), report)
            while number not in other.index.select(HasValue(HEALTH, ("failing",))):
                await other.catch_up()
            async with server.database.write() as session:
                await withdraw_status(session, parse_ref(ref), "health")
            while number in other.index.select(HasValue(HEALTH, ("failing",))):
                await other.catch_up()
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    server.run(follow())
