"""Locations that the configuration names: registered at start, kept there, and told when they are wrong."""

import json
from pathlib import Path

import pytest

from roadbed.cli.server.up import read_location
from tests.folders import let_postgres_pass
from tests.process import RoadbedProcess
from tests.waiting import wait_for

SYSTEM = "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {{name: {name}}}\nspec: {{owner: platform}}\n"


@pytest.mark.parametrize(
    ("target", "type_", "kept"),
    [
        ("/srv/catalog/*.yaml", "file", "/srv/catalog/*.yaml"),
        ("here.yaml", "file", str(Path("here.yaml").absolute())),
        ("https://example.com/catalog-info.yaml", "url", None),
        ("https://example.com/shop/orders", "git", None),
        ("https://example.com/shop/orders.git#main:a.yaml", "git", None),
        ("git@example.com:shop/orders.git", "git", None),
        ("roadbed:shop/orders", "git", None),
    ],
)
def test_option_tells_what_kind_of_place_is_meant(target: str, type_: str, kept: str | None) -> None:
    read = read_location(target)
    assert (read.type, read.target) == (type_, kept or target)


def test_places_of_the_configuration_are_read_and_stay(tmp_path: Path) -> None:
    let_postgres_pass(tmp_path)
    files = {name: tmp_path / f"{name}.yaml" for name in ("first", "second")}
    for name, file in files.items():
        file.write_text(SYSTEM.format(name=name))
    configured = json.dumps([{"type": "file", "target": str(files["first"])}])
    roadbed = RoadbedProcess(tmp_path / "home", {"ROADBED_CATALOG__LOCATIONS": configured})
    roadbed.start("--location", str(files["second"]))
    try:
        with roadbed.client(roadbed.token()) as client:
            for name in files:
                path = f"/api/v1/entities/system/default/{name}"
                wait_for(lambda path=path: client.get(path).status_code == 200, what=name)  # type: ignore[misc]
            found = {one["target"]: one["id"] for one in client.get("/api/v1/locations").json()["items"]}
            assert set(found) >= {str(file) for file in files.values()}
            place = found[str(files["first"])]
            refused = client.delete(f"/api/v1/locations/{place}")
            assert (refused.status_code, refused.json()["code"]) == (409, "catalog.location_configured")
            page = client.get(f"/catalog/locations/{place}").text
            assert "It stands in the configuration" in page
            assert "Remove…" not in page
        assert roadbed.stop() == 0, roadbed.output
        roadbed.start()  # the first is registered already, the second is named no more
        with roadbed.client(roadbed.token()) as client:
            assert client.delete(f"/api/v1/locations/{found[str(files['second'])]}").is_success
    finally:
        assert roadbed.stop() == 0, roadbed.output


def test_place_that_is_none_is_named_with_its_setting(tmp_path: Path) -> None:
    let_postgres_pass(tmp_path)
    wrong = json.dumps([{"type": "file", "target": "not/absolute.yaml"}])
    refused = RoadbedProcess(tmp_path / "home", {"ROADBED_CATALOG__LOCATIONS": wrong}).run("up", "--port", "0")
    assert refused.returncode == 1
    assert "ROADBED_CATALOG__LOCATIONS: file:not/absolute.yaml" in refused.stderr
