"""The paths that Roadbed ships: committed at start, tagged by version, read by the catalog from there."""

from dataclasses import replace
from pathlib import Path

from roadbed.core.bundled import BundledFile, bundled, read_archive, read_bundled, read_folder, write_archive
from roadbed.goldenpaths.workflows.shipping import ship
from roadbed.scm.contract import find_commit, find_repository
from tests.folders import let_postgres_pass
from tests.goldenpaths.conftest import Paths
from tests.process import RoadbedProcess
from tests.waiting import wait_for

TEMPLATE = "python-fastapi/template.yaml"


def find(paths: Paths, revision: str) -> str | None:
    async def work() -> str | None:
        async with paths.server.database.read() as session:
            repository = await find_repository(session, "roadbed", "paths")
        assert repository is not None
        return await find_commit(paths.server.services, repository, revision)

    return paths.server.run(work())


def test_shipped_path_can_be_started_and_is_read_from_its_repository(paths: Paths) -> None:
    address = "/api/v1/paths/default/python-fastapi"
    # The catalog reads it while the server is up, and again after each push of another test.
    wait_for(lambda: (paths.api.get(address).json().get("source") or {}).get("commit") == find(paths, "main"))
    path = paths.api.get(address).json()

    assert path["support_level"] == "supported"
    assert path["source"] == {"repository": "roadbed/paths", "commit": find(paths, "main"), "folder": "python-fastapi"}
    assert find(paths, "python-fastapi-1.0.0")


def test_next_start_commits_only_what_has_changed_and_tags_a_new_version(paths: Paths) -> None:
    shipped = read_bundled("paths")
    before = find(paths, "main")

    assert paths.server.run(ship(paths.server.services, shipped)) == before
    newer = shipped[TEMPLATE].data.replace(b"roadbed.dev/version: 1.0.0", b"roadbed.dev/version: 99.0.0")
    changed = {**shipped, TEMPLATE: replace(shipped[TEMPLATE], data=newer)}
    after = paths.server.run(ship(paths.server.services, changed))

    assert after not in (None, before)
    assert find(paths, "python-fastapi-99.0.0") == after
    assert find(paths, "python-fastapi-1.0.0") != after
    paths.server.run(ship(paths.server.services, shipped))


def test_archive_holds_the_same_files_and_is_the_same_each_time(tmp_path: Path) -> None:
    folder = bundled("paths")
    first, second = tmp_path / "first.tar", tmp_path / "second.tar"

    write_archive(folder, first)
    write_archive(folder, second)

    assert read_archive(first) == read_folder(folder)
    assert first.read_bytes() == second.read_bytes()
    assert read_archive(first)["python-fastapi/skeleton/Makefile"] == BundledFile(
        (folder / "python-fastapi/skeleton/Makefile").read_bytes(), is_executable=False
    )


def test_catalog_that_holds_only_shipped_paths_says_how_to_begin(tmp_path: Path) -> None:
    let_postgres_pass(tmp_path)
    roadbed = RoadbedProcess(tmp_path / "home").start()
    try:
        with roadbed.client(roadbed.token()) as client:
            wait_for(lambda: client.get("/api/v1/entities/template/default/python-fastapi").is_success)
            assert "Nothing here yet" in client.get("/catalog").text
            system = "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {name: own}\nspec: {owner: me}\n"
            put = client.post("/api/v1/entities", content=system, headers={"content-type": "application/yaml"})
            assert put.is_success, put.text
            assert "Nothing here yet" not in client.get("/catalog").text
    finally:
        roadbed.stop()
