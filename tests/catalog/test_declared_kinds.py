"""Kinds that people declare: in force at once, over REST and from locations, and what becomes of their entities."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
from typer.testing import CliRunner

from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, Kinds
from roadbed.catalog.service.index import CatalogIndex
from roadbed.catalog.service.kinds import KindRegistry
from roadbed.catalog.service.locations import get_location
from roadbed.catalog.service.snapshot import Snapshot
from roadbed.catalog.workflows.collect import Collector
from roadbed.catalog.workflows.sources import FileSource
from roadbed.cli.main import app as cli
from roadbed.core.services import Services
from tests import plain_http
from tests.catalog.conftest import Place, component, group
from tests.catalog.kinds import entity, kind
from tests.support import RunningServer
from tests.waiting import wait_for

YAML = {"content-type": "application/yaml"}
SCHEMA = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {"type": "string"},
        "service": {"type": "string"},
        "minutes": {"type": "integer"},
    },
}
STRICT = {**SCHEMA, "properties": {**SCHEMA["properties"], "minutes": {"type": "integer", "maximum": 10}}}  # type: ignore[dict-item]
RELATIONS = [{"field": "service", "type": "documents", "inverse": "documentedBy", "kinds": ["Component"]}]


def put(api: httpx.Client, text: str) -> httpx.Response:
    return api.post("/api/v1/entities", content=text, headers=YAML)


def check(api: httpx.Client, text: str) -> dict[str, Any]:
    answer = api.post("/api/v1/validate", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def problems_of(api: httpx.Client, ref: str) -> list[str]:
    entity = api.get(f"/api/v1/entities/{ref.replace(':', '/')}").json()
    return [problem["reason"] for problem in entity["problems"]]


def test_declared_kind_is_in_force_at_once_everywhere(api: httpx.Client, server: RunningServer) -> None:
    assert put(api, entity("Runbook", "early", url="x")).status_code == 422
    together = kind("Runbook", SCHEMA, relations=RELATIONS, owned=True, icon="book") + entity(
        "Runbook", "restart", url="https://x.example", service="kinds-orders", owner="kinds-team"
    )
    answer = put(api, together)
    assert answer.status_code == 200, answer.text
    listed = {one["name"]: one for one in api.get("/api/v1/kinds").json()["items"]}["Runbook"]
    assert listed["declared_by"] == "kind:default/runbook"
    assert listed["relations"][-1]["inverse"] == "documentedBy"
    schema = server.client().get(listed["schema_url"]).json()
    assert schema["properties"]["spec"]["required"] == ["url"]
    found = api.get("/api/v1/entities", params={"kind": "runbook"}).json()
    assert [item["ref"] for item in found["items"]] == ["runbook:default/restart"]
    detail = api.get("/api/v1/entities/runbook/default/restart").json()
    assert detail["owner"] == "group:default/kinds-team"
    assert {"type": "documents", "target": "component:default/kinds-orders", "found": False} in detail["relations"]
    put(api, component("kinds-orders"))
    back = api.get("/api/v1/entities/component/default/kinds-orders").json()["relations"]
    assert {"type": "documentedBy", "target": "runbook:default/restart", "found": True} in back
    assert "/catalog/runbook/default/restart" in api.get("/api/v1/search", params={"q": "restart"}).text
    foreign = api.get("/api/catalog/entities/by-name/runbook/default/restart").json()
    assert (foreign["kind"], foreign["apiVersion"]) == ("Runbook", "example.com/v1")
    assert {"type": "documents", "targetRef": "component:default/kinds-orders"} in foreign["relations"]
    history = api.get("/api/v1/entities/runbook/default/restart/history").json()
    assert [change["change"] for change in history["items"]] == ["created"]


def test_another_replica_follows_the_kinds(api: httpx.Client, server: RunningServer) -> None:
    async def follow() -> list[str]:
        services = Services()
        kinds = KindRegistry(services, BUILT_IN_KINDS)
        other = CatalogIndex(server.database, kinds, Snapshot(Path("nowhere")))
        await other.load()
        seen = [str(services.get(Kinds).find("Replicated") is not None)]
        async with plain_http.AsyncClient(base_url=server.base_url, headers=api.headers, timeout=60) as client:
            await client.post("/api/v1/entities", content=kind("Replicated"), headers=YAML)
        await other.catch_up()
        return [*seen, str(services.get(Kinds).find("Replicated") is not None)]

    assert server.run(follow()) == ["False", "True"]


def test_only_platform_engineers_define_kinds(client_of: Callable[[str], httpx.Client], api: httpx.Client) -> None:
    refused = put(client_of("developer"), kind("Refused"))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert put(client_of("platform-engineer"), kind("Allowed")).status_code == 200
    assert put(client_of("developer"), entity("Allowed", "one", text="x")).status_code == 200
    assert client_of("developer").delete("/api/v1/entities/kind/default/allowed").status_code == 403


def test_kind_with_entities_is_not_deleted(api: httpx.Client) -> None:
    put(api, kind("Kept") + entity("Kept", "one", text="x"))
    refused = api.delete("/api/v1/entities/kind/default/kept")
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.kind_in_use")
    assert "There is 1 entity of the kind that kind:default/kept defines" in refused.json()["detail"]
    assert api.delete("/api/v1/entities/kept/default/one").status_code == 204
    assert api.delete("/api/v1/entities/kind/default/kept").status_code == 204
    assert api.get("/api/v1/kinds/Kept/schema").status_code == 404


def test_change_of_a_kind_tells_before_what_it_would_break(api: httpx.Client) -> None:
    short, long = (entity("Timed", name, url="x", minutes=minutes) for name, minutes in (("short", 5), ("long", 50)))
    put(api, kind("Timed", SCHEMA) + short + long)
    answer = check(api, kind("Timed", STRICT))
    assert answer["valid"] is True
    (change,) = answer["kinds"]
    assert (change["entities"], change["becoming_invalid"], change["still_invalid"]) == (2, 1, 0)
    (problem,) = change["problems"]
    assert (problem["ref"], problem["path"]) == ("timed:default/long", "spec.minutes")
    assert problems_of(api, "timed:default/long") == []
    assert put(api, kind("Timed", STRICT)).status_code == 200
    wait_for(lambda: problems_of(api, "timed:default/long") != [])
    detail = api.get("/api/v1/entities/timed/default/long").json()
    assert detail["spec"]["minutes"] == 50
    by_name = "/api/catalog/entities/by-name/timed/default/long"
    status = wait_for(lambda: api.get(by_name).json().get("status"))  # the index is a moment behind
    assert "spec.minutes" in status["items"][0]["message"]
    assert check(api, kind("Timed", {**STRICT, "required": ["url", "minutes"]}))["kinds"][0]["still_invalid"] == 1
    assert put(api, entity("Timed", "long", url="x", minutes=9)).status_code == 200
    assert problems_of(api, "timed:default/long") == []


def test_command_line_tells_what_a_change_would_break(api: httpx.Client, server: RunningServer, tmp_path: Path) -> None:
    put(api, kind("Typed", SCHEMA) + entity("Typed", "long", url="x", minutes=50))
    runner = CliRunner(env={"ROADBED_URL": server.base_url, "ROADBED_TOKEN": server.token(), "COLUMNS": "200"})
    file = tmp_path / "kind.yaml"
    file.write_text(kind("Typed", STRICT))
    dry = runner.invoke(cli, ["apply", "--dry-run", "-f", str(file)])
    assert dry.exit_code == 0, dry.output
    assert "Typed: 1 entity, 1 of them would become invalid" in dry.output
    assert "typed:default/long: spec.minutes" in dry.output
    file.write_text(kind("Typed", {"type": "array"}))
    wrong = runner.invoke(cli, ["apply", "--dry-run", "-f", str(file)])
    assert (wrong.exit_code, "must be one of an object" in wrong.output) == (1, True)
    schema = runner.invoke(cli, ["schema", "typed"])
    assert '"minutes"' in schema.output
    file.write_text(kind("Offline", SCHEMA) + entity("Offline", "a", url="x") + entity("Offline", "b"))
    offline = runner.invoke(cli, ["validate", str(file)])
    assert offline.exit_code == 1
    assert "spec.url is missing" in offline.output


def test_kind_and_its_entities_come_from_one_location(place: Place) -> None:
    place.write(
        a=entity("Located", "one", url="x", minutes=50) + entity("Located", "two", url="x"), k=kind("Located", SCHEMA)
    )
    place.register()
    assert place.problems() == []
    assert place.get("located:default/one").json()["spec"]["minutes"] == 50
    place.write(k=kind("Located", STRICT))
    place.refresh()
    assert [problem["path"] for problem in place.problems()] == ["spec.minutes"]
    kept = place.get("located:default/one").json()
    assert kept["spec"]["minutes"] == 50
    assert [problem["line"] for problem in kept["problems"]] == [8]
    place.write(k=kind("Located", SCHEMA))
    place.refresh()
    assert place.problems() == []


def test_location_with_entities_of_a_kind_is_read_again_when_it_changes(place: Place, api: httpx.Client) -> None:
    place.write(a=entity("Elsewhere", "one", url="x", minutes=50))
    place.register()
    assert "There is no kind Elsewhere." in place.problems()[0]["reason"]
    put(api, kind("Elsewhere", SCHEMA))
    wait_for(lambda: place.problems() == [])
    assert place.get("elsewhere:default/one").status_code == 200
    put(api, kind("Elsewhere", STRICT))
    wait_for(lambda: place.problems() != [])
    assert place.get("elsewhere:default/one").json()["spec"]["minutes"] == 50


def test_location_of_somebody_who_may_not_define_kinds_brings_none(
    tmp_path: Path, client_of: Callable[[str], httpx.Client], server: RunningServer
) -> None:
    async def may_define(location_id: str) -> bool:
        async with server.database.read() as session:
            return (await get_location(session, UUID(location_id))).options.may_define_kinds

    found = {}
    for role in ("developer", "platform-engineer"):
        target = f"https://kinds.invalid/{role}.git"
        answer = client_of(role).post("/api/v1/locations", json={"type": "git", "target": target}).json()
        found[role] = server.run(may_define(answer["location_id"]))
    assert found == {"developer": False, "platform-engineer": True}
    (tmp_path / "a.yaml").write_text(kind("Smuggled") + component("smuggler"))
    source = FileSource(f"{tmp_path}/*.yaml")
    (file,) = Collector(source, "file:x", {}, BUILT_IN_KINDS, may_define_kinds=False).collect().files
    assert [str(entity.ref) for entity in file.entities or ()] == ["component:default/smuggler"]
    assert "may not define a kind" in file.problems[0].reason


def test_location_that_defines_a_kind_in_use_is_not_removed(place: Place, api: httpx.Client) -> None:
    place.write(k=kind("Needed", SCHEMA), a=entity("Needed", "inside", url="x"))
    place.register()
    put(api, entity("Needed", "outside", url="x"))
    refused = api.delete(f"/api/v1/locations/{place.id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "catalog.kind_in_use")
    api.delete("/api/v1/entities/needed/default/outside")
    assert api.delete(f"/api/v1/locations/{place.id}").status_code == 204


def test_kind_that_another_location_holds_stays_as_it_is(place: Place, other_place: Place) -> None:
    place.write(k=kind("Contested", SCHEMA))
    place.register()
    other_place.write(k=kind("Contested", STRICT), a=entity("Contested", "one", url="x", minutes=50))
    other_place.register()
    assert [problem["code"] for problem in other_place.problems()] == ["conflict"]
    assert other_place.get("contested:default/one").status_code == 200


COMPUTED = [
    {"name": "late", "type": "boolean", "expression": "has(spec.minutes) && spec.minutes > 10"},
    {"name": "owners", "type": "strings", "expression": "related.documents.map(d, d.owner)"},
    {"name": "broken", "type": "integer", "expression": "spec.minutes / 0"},
    {"name": "untyped", "type": "string", "expression": "related.documents[0].spec.dependsOn"},
    {"name": "past", "type": "boolean", "expression": 'now > timestamp("2020-01-01T00:00:00Z")'},
]


def test_computed_properties_are_worked_out_with_typed_values_and_errors(api: httpx.Client) -> None:
    put(api, kind("Computing", SCHEMA, relations=RELATIONS, computed=COMPUTED))
    put(api, component("computed-on", owner="kinds-team", dependsOn="['component:x']"))
    put(api, entity("Computing", "one", url="x", minutes=20, service="computed-on"))
    found = api.get("/api/v1/entities/computing/default/one").json()["computed"]
    assert found["late"] == {"type": "boolean", "value": True, "error": None}
    assert found["owners"]["value"] == ["group:default/kinds-team"]
    assert found["broken"]["value"] is None
    assert "Division by zero" in found["broken"]["error"]
    assert (found["untyped"]["value"], "must be a text" in found["untyped"]["error"]) == (None, True)
    assert found["past"]["value"] is True
    put(api, component("computed-on", owner="kinds-other"))
    found = api.get("/api/v1/entities/computing/default/one").json()["computed"]
    assert found["owners"]["value"] == ["group:default/kinds-other"]


def test_near_name_is_suggested_for_an_unknown_owner(api: httpx.Client) -> None:
    put(api, group("kinds-payments"))
    found = check(api, component("unowned-yet", owner="kinds-payment"))
    assert found["valid"] is True
    (problem,) = found["problems"]
    assert (problem["severity"], problem["path"], problem["line"]) == ("warning", "spec.owner", 9)
    assert problem["hint"] == "Did you mean group:default/kinds-payments?"


@pytest.mark.parametrize("text", [kind("Deep", {"type": "object", "properties": {"a": {"$ref": "#/$defs/missing"}}})])
def test_kind_that_cannot_be_taken_is_told_with_its_place(api: httpx.Client, text: str) -> None:
    problem = put(api, text).json()["problems"][0]
    assert problem["path"] == "spec.schema.properties.a.$ref"
    assert problem["line"] > 0
