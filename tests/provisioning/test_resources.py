"""Resources on a live server: databases that work, keep apart from each other, and leave a dump behind."""

import os
import signal
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from roadbed.core.inventory import Item, take_inventory
from roadbed.core.postgres import restore_database
from roadbed.provisioning.contract import EnvironmentKey, ResourceNotReady, get_outputs
from roadbed.provisioning.errors import ResourceNotFound
from tests.identity.people import new_name, new_person
from tests.provisioning.conftest import Yard, query


def inventory(yard: Yard) -> list[Item]:
    return yard.server.run(take_inventory(yard.server.services))


def test_outputs_open_a_database_that_works(yard: Yard) -> None:
    resource = yard.make()
    assert resource["state"] == "ready"
    assert resource["outputs"]["password"].startswith("secret://resources/component/default/app-")
    assert set(resource["outputs"]) == {"host", "port", "database", "name", "username", "password", "url"}
    outputs = yard.outputs(resource)
    assert outputs["url"].startswith("postgresql://")
    assert query(outputs["url"], "CREATE TABLE notes (id int)", "INSERT INTO notes VALUES (41)", "TABLE notes") == 41
    limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user"
    assert query(outputs["url"], limit) == 20
    can = "SELECT rolsuper OR rolcreatedb OR rolcreaterole OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    assert query(outputs["url"], can) is False


def test_no_secret_stands_in_the_run_or_its_log(yard: Yard) -> None:
    resource = yard.make()
    password = yard.outputs(resource)["password"]
    run_id = resource["run_id"]
    seen = yard.api.get(f"/api/v1/runs/{run_id}").text
    steps = yard.api.get(f"/api/v1/runs/{run_id}").json()["steps"]
    seen += "".join(yard.api.get(f"/api/v1/runs/{run_id}/steps/{step['key']}/log").text for step in steps)
    logs = (yard.workloads.folder / "log").glob("*.log")
    assert password not in seen
    assert all(password not in log.read_text() for log in logs)


def test_neighbours_cannot_reach_each_others_databases(yard: Yard) -> None:
    mine, theirs = (yard.outputs(yard.make()) for _ in range(2))
    for database in (theirs["database"], "postgres", "template1"):
        url = mine["url"].rpartition("/")[0] + f"/{database}"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            query(url, "SELECT 1")
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(mine["url"].replace(mine["password"], "wrong"), "SELECT 1")
    superuser = f"postgresql://roadbed@{mine['host']}:{mine['port']}/postgres"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        query(superuser, "SELECT 1")


def test_asking_again_changes_nothing(yard: Yard) -> None:
    application = f"component:default/{new_name('app')}"
    first = yard.make(application)
    password = yard.outputs(first)["password"]
    run = yard.ends(yard.ask(application))
    apply = next(step for step in run["steps"] if step["key"] == "apply-postgres-db")
    assert (run["state"], apply["state"], apply["note"]) == ("succeeded", "skipped", "It is as it should be")
    second = yard.api.get(f"/api/v1/resources/{first['id']}").json()
    assert second["outputs"] == first["outputs"]
    assert yard.outputs(second)["password"] == password


def test_same_idempotency_key_answers_with_the_same_run(yard: Yard) -> None:
    application, key = f"component:default/{new_name('app')}", new_name("key")
    runs = {yard.ask(application, headers={"Idempotency-Key": key}) for _ in range(2)}
    assert len(runs) == 1
    yard.ends(runs.pop())


def test_change_of_class_keeps_the_data_and_the_password(yard: Yard) -> None:
    application = f"component:default/{new_name('app')}"
    before = yard.outputs(yard.make(application))
    query(before["url"], "CREATE TABLE kept (id int)", "SELECT 1")
    resource = yard.make(application, **{"class": "small"})
    assert resource["class"] == "small"
    after = yard.outputs(resource)
    assert after["url"] == before["url"]
    assert query(after["url"], "SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user") == 10
    assert query(after["url"], "SELECT count(*) FROM kept") == 0


def test_delete_leaves_a_dump_that_can_be_restored(yard: Yard, tmp_path: Path) -> None:
    resource = yard.make()
    outputs = yard.outputs(resource)
    query(outputs["url"], "CREATE TABLE notes (id int)", "INSERT INTO notes VALUES (42)", "SELECT 1")
    run = yard.delete(resource)
    assert run["state"] == "succeeded", run["error"]
    copy = Path(run["output"]["destroy"]["copy"])
    assert copy.parent == yard.server.home / "dumps"
    assert copy.stat().st_mode & 0o777 == 0o600
    assert yard.api.get(f"/api/v1/resources/{resource['id']}").status_code == 404
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(outputs["url"], "SELECT 1")
    secret = yard.api.get(
        "/api/v1/secrets", params={"prefix": resource["outputs"]["password"].removeprefix("secret://")}
    )
    assert secret.json()["items"] == []
    other = yard.make()

    async def restore() -> None:
        server = await yard.workloads.start()
        database = other["outputs"]["database"]
        await restore_database(server.programs, url=server.url(database), file=copy, owner=database)

    yard.server.run(restore())
    assert query(yard.outputs(other)["url"], "TABLE notes") == 42


def test_database_whose_drop_was_interrupted_is_dropped(yard: Yard) -> None:
    resource = yard.make()
    name = resource["outputs"]["database"]

    async def interrupt() -> None:
        """Leave the database as PostgreSQL does when it is killed within DROP DATABASE."""
        server = await yard.workloads.start()
        async with server.connect() as connection:
            await connection.execute("UPDATE pg_database SET datconnlimit = -2 WHERE datname = $1", name)

    yard.server.run(interrupt())
    assert yard.delete(resource)["state"] == "succeeded"
    assert name not in yard.server.run(yard.workloads.list_databases())


def test_deleting_twice_is_one_run(yard: Yard) -> None:
    resource = yard.make()
    first = yard.api.delete(f"/api/v1/resources/{resource['id']}").json()
    second = yard.api.delete(f"/api/v1/resources/{resource['id']}")
    assert second.status_code == 404 or second.json()["run_id"] == first["run_id"]
    assert yard.ends(first["run_id"])["state"] == "succeeded"


def test_workload_postgres_that_is_killed_is_there_again(yard: Yard) -> None:
    outputs = yard.outputs(yard.make())
    query(outputs["url"], "CREATE TABLE notes (id int)", "INSERT INTO notes VALUES (43)", "SELECT 1")
    pid = yard.workloads.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)

    def look() -> dict[str, Any]:
        try:
            return {"found": query(outputs["url"], "TABLE notes")}
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            return {"error": repr(error)}

    assert yard.until(look, lambda found: "found" in found) == {"found": 43}
    assert yard.workloads.pid != pid
    assert yard.make()["state"] == "ready"


def test_database_that_was_lost_is_made_anew_with_the_same_password(yard: Yard) -> None:
    application = f"component:default/{new_name('app')}"
    resource = yard.make(application)
    outputs = yard.outputs(resource)

    async def lose() -> None:
        server = await yard.workloads.start()
        async with server.connect() as connection:
            await connection.execute(f'DROP DATABASE "{outputs["database"]}" WITH (FORCE)')

    yard.server.run(lose())
    assert yard.outputs(yard.make(application)) == outputs
    assert query(outputs["url"], "SELECT 1") == 1


def test_definition_of_a_missing_driver_refuses_and_names_those_there_are(yard: Yard) -> None:
    application = f"component:default/{new_name('app')}"
    yard.put(
        f"apiVersion: roadbed.dev/v1\nkind: ResourceDefinition\nmetadata: {{name: {new_name('missing')}}}\n"
        f"spec: {{type: postgres, version: '1', driver: nowhere, criteria: [{{application: '{application}'}}]}}\n"
    )
    body = {"application": application, "environment": "development", "type": "postgres", "id": "db"}
    refused = yard.api.post("/api/v1/resources", json=body).json()
    assert refused["code"] == "provisioning.driver_missing"
    assert "local (postgres)" in refused["hint"]


def test_inventory_knows_what_everything_belongs_to(yard: Yard) -> None:
    resource = yard.make()
    items = inventory(yard)
    mine = [item for item in items if item.name == resource["outputs"]["database"]]
    assert {(item.kind, item.belongs_to) for item in mine} == {
        ("database", f"resource:{resource['id']}"),
        ("role", f"resource:{resource['id']}"),
    }
    assert [item for item in items if item.belongs_to is None] == []


def test_catalog_shows_one_resource_for_all_environments(yard: Yard) -> None:
    application = new_name("shop")
    yard.put(
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {{name: {application}}}\n"
        "spec: {type: service, lifecycle: production, owner: checkout}\n"
    )
    first = yard.make(f"component:default/{application}")
    second = yard.make(f"component:default/{application}", environment="staging")
    entity = yard.api.get(f"/api/v1/entities/resource/default/{application}-db").json()
    assert "group:default/checkout" in str(entity)
    page = yard.api.get(f"/catalog/component/default/{application}", headers={"accept": "text/html"}).text
    assert f"/resources/{first['id']}" in page
    assert f"/resources/{second['id']}" in page
    yard.delete(first)
    assert yard.api.get(f"/api/v1/entities/resource/default/{application}-db").status_code == 200
    yard.delete(second)
    assert yard.api.get(f"/api/v1/entities/resource/default/{application}-db").status_code == 404


def test_outputs_are_given_by_environment_and_id(yard: Yard) -> None:
    resource = yard.make()
    here = EnvironmentKey(resource["application"], "development")

    async def read(environment: EnvironmentKey, name: str) -> dict[str, Any]:
        async with yard.server.database.read() as session:
            return await get_outputs(session, environment, name)

    assert yard.server.run(read(here, "db")) == resource["outputs"]
    with pytest.raises(ResourceNotFound):
        yard.server.run(read(here, "other"))
    with pytest.raises((ResourceNotFound, ResourceNotReady)):
        yard.server.run(read(here, "bad"))


@pytest.mark.parametrize(
    ("fields", "code", "path"),
    [
        ({"type": "redis"}, "provisioning.unknown_type", None),
        ({"class": "gigantic"}, "provisioning.resource_invalid", "class"),
        ({"id": "Bad Id"}, "provisioning.resource_invalid", "id"),
        ({"params": {"extra": 1}}, "provisioning.resource_invalid", "params"),
        ({"application": "group:default/people"}, "provisioning.resource_invalid", "application"),
    ],
)
def test_request_that_does_not_fit_is_refused_with_the_field(
    yard: Yard, fields: dict[str, Any], code: str, path: str | None
) -> None:
    body = {"application": f"component:default/{new_name('app')}", "environment": "development", "type": "postgres"}
    answer = yard.api.post("/api/v1/resources", json={**body, "id": "db", **fields})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    if path is not None:
        assert [problem["path"] for problem in answer.json()["problems"]] == [path]


def test_pages_ask_show_and_delete(yard: Yard) -> None:
    person = new_person(yard.server, "platform-engineer")
    form = {
        "application": f"component:default/{new_name('page')}",
        "environment": "development",
        "type": "postgres",
        "id": "db",
        "class": "small",
        "~type": "postgres",
        "~key": new_name("key"),
    }
    assert "Ask for PostgreSQL" in person.browser.get("/resources/ask?type=postgres").text
    wrong = person.browser.post("/resources/ask", data=form | {"id": "Not good"})
    assert (wrong.status_code, "Use lower-case letters" in wrong.text) == (422, True)
    foreseen = person.browser.post("/resources/ask/questions", data=form).text
    assert "it applies everywhere" in foreseen
    assert "Only its own role may connect" in foreseen
    assert f"--application {form['application']}" in foreseen
    answer = person.browser.post("/resources/ask", data=form)
    assert answer.status_code == 303, answer.text
    yard.ends(answer.headers["location"].rpartition("/")[2])
    resource = yard.api.get("/api/v1/resources", params={"application": form["application"]}).json()["items"][0]
    page = person.browser.get(f"/resources/{resource['id']}").text
    assert "local-postgres" in page
    assert "applies everywhere" in page
    assert yard.outputs(resource)["password"] not in page
    label = form["application"].rpartition("/")[2] + "-development-db"
    refused = person.browser.post(f"/resources/{resource['id']}/delete", data={"confirm_name": "no"})
    assert refused.status_code == 422
    answer = person.browser.post(f"/resources/{resource['id']}/delete", data={"confirm_name": label})
    assert answer.status_code == 303
    run = yard.ends(answer.headers["location"].rpartition("/")[2])
    assert run["state"] == "succeeded", run["error"]


def test_developer_asks_and_does_not_delete_and_viewer_only_sees(yard: Yard) -> None:
    resource = yard.make()
    developer, viewer = (yard.server.client(yard.server.token(role)) for role in ("developer", "viewer"))
    body = {"application": resource["application"], "environment": "development", "type": "postgres", "id": "db"}
    assert developer.post("/api/v1/resources", json=body).status_code == 202
    assert developer.delete(f"/api/v1/resources/{resource['id']}").status_code == 403
    assert viewer.post("/api/v1/resources", json=body).status_code == 403
    assert viewer.get(f"/api/v1/resources/{resource['id']}").status_code == 200


def test_undoing_what_made_a_database_needs_the_permission_to_delete_it(yard: Yard) -> None:
    developer, engineer = (yard.server.client_as(role) for role in ("developer", "platform-engineer"))
    application = f"component:default/{new_name('app')}"
    body = {"application": application, "environment": "development", "type": "postgres", "id": "db"}
    run_id = developer.post("/api/v1/resources", json=body).json()["run_id"]
    assert yard.ends(run_id)["state"] == "succeeded"
    refused = developer.post(f"/api/v1/runs/{run_id}/cancel", json={"undo": True})
    assert refused.status_code == 403
    assert "provisioning.resource.delete" in refused.json()["hint"]
    found = developer.get("/api/v1/resources", params={"application": application}).json()["items"]
    assert [resource["state"] for resource in found] == ["ready"]
    assert engineer.post(f"/api/v1/runs/{run_id}/cancel", json={"undo": True}).status_code == 200
    assert yard.ends(run_id)["state"] == "cancelled"
    assert developer.get("/api/v1/resources", params={"application": application}).json()["items"] == []
