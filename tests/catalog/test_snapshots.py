"""Snapshots of the index: a start with one gives what loading everything gives, or it is not used."""

import asyncio
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog

from roadbed.catalog.contract import StatusReport, report_status
from roadbed.catalog.service import index as index_module
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.snapshot import KEPT_HOURS, MANIFEST
from roadbed.kit.clock import now
from roadbed.kit.refs import parse_ref
from tests.catalog.conftest import Place, component
from tests.catalog.test_index_following import documents_of, load_anew, new_index
from tests.support import RunningServer
from tests.waiting import wait_for

ENTITIES = 2500


@pytest.fixture(scope="module")
def large(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A location large enough for a snapshot of three pieces."""
    place = Place(tmp_path_factory.mktemp("large"), server.client_as("admin"), server)
    place.write(all="".join(component(f"kept-{number}") for number in range(ENTITIES)))
    place.register()
    yield place
    place.api.delete(f"/api/v1/locations/{place.id}")


@pytest.fixture
def folder(large: Place, tmp_path: Path) -> Path:
    """A folder with a snapshot of the catalog as it is."""
    index = new_index(large.server.database, tmp_path)
    large.server.run(index.open())
    large.server.run(index.write_snapshot())
    return tmp_path


def start(place: Place, folder: Path) -> tuple[CatalogIndex, list[Any]]:
    """Open an index with the snapshot of a folder; returns it and the events that were logged."""
    index = new_index(place.server.database, folder)
    with structlog.testing.capture_logs() as events:
        place.server.run(index.open())
    return index, events


def how(events: list[Any]) -> tuple[str, str]:
    """Return the last event, and why a snapshot was not used."""
    reasons = [event["reason"] for event in events if event["event"] == "catalog.snapshot_not_used"]
    return events[-1]["event"], reasons[0] if reasons else ""


def read_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return manifest


def edit(folder: Path, **values: object) -> None:
    (folder / MANIFEST).write_text(json.dumps(read_manifest(folder) | values))


def damage(folder: Path) -> None:
    piece = next(folder.glob("00001-*"))
    content = bytearray(piece.read_bytes())
    content[len(content) // 2] ^= 1
    piece.write_bytes(content)


def report(place: Place, ref: str) -> None:
    async def work() -> None:
        async with place.server.database.write() as session:
            await report_status(
                session,
                parse_ref(ref),
                StatusReport(key="health", state="failing", summary="It fails.", source="tests"),
            )

    place.server.run(work())


def test_start_with_a_snapshot_follows_what_came_after_it(large: Place, folder: Path) -> None:
    before = set(read_manifest(folder)["pieces"])
    put = large.api.post("/api/v1/entities", content=component("kept-new"))
    assert put.status_code == 200, put.text
    report(large, "component:default/kept-1")
    try:
        index, events = start(large, folder)
        assert how(events) == ("catalog.index_restored", "")
        assert documents_of(index.whole) == load_anew(large.server)
        assert b"failing" in index.whole.record_of(index.whole.number_of("component:default/kept-1") or 0)
        large.server.run(index.write_snapshot())
        after = read_manifest(folder)["pieces"]
        assert len(set(after) & before) == len(before) - 2  # the piece of kept-1, and the last one
        assert {path.name for path in folder.iterdir()} == {MANIFEST, *after}
    finally:
        large.api.delete("/api/v1/entities/component/default/kept-new")
    index, events = start(large, folder)
    assert how(events) == ("catalog.index_restored", "")
    assert not index.whole.has("component:default/kept-new")
    large.server.run(index.write_snapshot())
    index, events = start(large, folder)  # whose number nobody has any more
    assert how(events) == ("catalog.index_restored", "")
    assert documents_of(index.whole) == load_anew(large.server)


def test_without_changes_no_piece_is_written_again(large: Place, folder: Path) -> None:
    before = read_manifest(folder)
    index, _ = start(large, folder)
    large.server.run(index.write_snapshot())
    after = read_manifest(folder)
    assert after["pieces"] == before["pieces"]
    assert after["at"] > before["at"]


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda folder: edit(folder, code="other"), "It was written by other code."),
        (lambda folder: edit(folder, database="1:2"), "It is of another database."),
        (
            lambda folder: edit(folder, at=(now() - timedelta(hours=KEPT_HOURS, minutes=1)).isoformat()),
            "It is too old.",
        ),
        (lambda folder: edit(folder, position=1), "changes have been made since."),
        (lambda folder: edit(folder, position=10**9), "changes have been made since."),
        (lambda folder: edit(folder, change="another"), "The catalog has another history."),
        (
            lambda folder: edit(folder, touch="01a220c6-b1e2-73f7-a6d6-884de72f6e91"),
            "The catalog has another history.",
        ),
        (damage, "A piece of the index is damaged."),
        (lambda folder: next(folder.glob("00001-*")).unlink(), "No such file"),
        (lambda folder: (folder / MANIFEST).write_text("{}"), ""),
        (lambda folder: (folder / MANIFEST).unlink(), ""),
    ],
    ids=["code", "database", "age", "far-behind", "ahead", "change", "touch", "damaged", "missing", "empty", "none"],
)
def test_snapshot_that_may_be_wrong_is_not_used(
    large: Place, folder: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    report(large, "component:default/kept-8")
    spoil(folder)
    index, events = start(large, folder)
    last, said = how(events)
    assert last == "catalog.index_loaded"
    assert reason in said
    assert documents_of(index.whole) == load_anew(large.server)
    large.server.run(index.write_snapshot())
    assert how(start(large, folder)[1]) == ("catalog.index_restored", "")


def test_writing_that_is_ended_leaves_the_snapshot_before(
    large: Place, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = read_manifest(folder)
    monkeypatch.setattr(index_module, "LOADED_SNAPSHOT_SECONDS", 0)

    async def cut_off() -> None:
        index = new_index(large.server.database, folder)
        await index.load()
        writing = asyncio.create_task(index.keep_snapshots())
        first = len(before["pieces"]) + 2  # files, when the first piece of the next snapshot is written
        await asyncio.to_thread(wait_for, lambda: len(list(folder.iterdir())) >= first)
        writing.cancel()
        await asyncio.wait_for(asyncio.gather(writing, return_exceptions=True), 30)

    large.server.run(cut_off())
    assert read_manifest(folder) == before
    index, events = start(large, folder)
    assert how(events) == ("catalog.index_restored", "")
    assert documents_of(index.whole) == load_anew(large.server)
