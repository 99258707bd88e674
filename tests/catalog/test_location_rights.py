"""The right of a location to define kinds: granted and taken back by who may define them."""

from collections.abc import Callable

import httpx
from typer.testing import CliRunner

from roadbed.cli.main import app
from tests.catalog.conftest import Place, component
from tests.catalog.kinds import kind
from tests.catalog.test_pages import HTML, page


def test_right_to_define_kinds_is_granted_and_taken_back_in_the_settings(
    place: Place, client_of: Callable[[str], httpx.Client]
) -> None:
    place.write(a=component("rights-a"))
    place.register()
    assert place.location()["may_define_kinds"]
    path, api_path = f"/catalog/locations/{place.id}", f"/api/v1/locations/{place.id}"

    def reasons() -> list[str]:
        place.wait(place.location()["run_id"])
        return [problem["reason"] for problem in place.problems()]

    assert not place.api.patch(api_path, json={"may_define_kinds": False}).json()["may_define_kinds"]
    place.write(k=kind("Rightful"))
    place.refresh()
    refused = "A file of this location may not define a kind."
    assert reasons() == [refused]
    developer = client_of("developer")
    denied = developer.patch(api_path, json={"may_define_kinds": True})
    assert (denied.status_code, denied.json()["code"]) == (403, "catalog.location_forbidden")
    assert "catalog.kind.write" in denied.json()["hint"]
    assert "May define kinds" not in page(developer, f"{path}/settings")
    form = {"may_define_kinds": "true", "interval_seconds": "600"}
    assert developer.post(f"{path}/settings", data=form, headers=HTML).status_code == 303
    assert (place.location()["interval_seconds"], reasons()) == (600, [refused])
    assert "May define kinds" in page(place.api, f"{path}/settings")
    assert place.api.post(f"{path}/settings", data=form, headers=HTML).status_code == 303
    assert reasons() == []  # the file is as it was
    assert place.get("kind:default/rightful").status_code == 200
    assert "<dt>Defines kinds</dt><dd>yes</dd>" in page(place.api, path)
    shell = CliRunner(env={"ROADBED_URL": place.server.base_url, "ROADBED_TOKEN": place.server.token()})
    taken = shell.invoke(app, ["locations", "set", place.id, "--no-define-kinds", "-o", "json"])
    assert taken.exit_code == 0, taken.output
    assert reasons() == [refused]
    assert place.get("kind:default/rightful").status_code == 200  # the last good state stays
    audit = place.api.get("/api/v1/audit", params={"subject": f"location:{place.id}"}).json()["items"]
    changes = [entry["detail"]["may_define_kinds"] for entry in audit if entry["action"] == "catalog.location_changed"]
    assert changes == [False, True, False, False]


def test_location_that_somebody_moves_defines_kinds_only_if_they_may(
    place: Place, client_of: Callable[[str], httpx.Client]
) -> None:
    body = {"type": "url", "target": "https://rights.invalid/one.yaml"}
    place.id = place.api.post("/api/v1/locations", json=body).json()["location_id"]
    for role, is_kept in (("platform-engineer", True), ("developer", False)):
        moved = body | {"target": f"https://rights.invalid/{role}.yaml"}
        assert client_of(role).put(f"/api/catalog/locations/{place.id}", json=moved).status_code == 200
        assert place.location()["may_define_kinds"] == is_kept
