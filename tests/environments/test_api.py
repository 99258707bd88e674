"""Environments over REST: what runs where, promoting, rolling back, logs."""

import re
from typing import Any

import yaml

from tests.environments.conftest import Stage, score_of

ROOT = "/api/v1/environments"


def address(component: str, environment: str = "development") -> str:
    return f"{ROOT}/{component.rpartition('/')[2]}/{environment}"


def running(stage: Stage, component: str, environment: str = "development") -> list[str]:
    found: dict[str, Any] = stage.api.get(address(component, environment)).json()
    return [workload["version"] for workload in found["workloads"]]


def test_version_is_promoted_and_rolled_back(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    stage.deploy(component, stage.artifact("2.0.0"))
    headers = {"Idempotency-Key": f"promote-{component}"}
    answers = [
        stage.api.post(f"{address(component, 'staging')}/deployments", json={"version": "2.0.0"}, headers=headers)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [202, 202], answers[0].text
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert stage.ends(answers[0].json()["run_id"])["state"] == "succeeded"
    assert running(stage, component, "staging") == ["2.0.0"]
    back = stage.api.post(f"{address(component)}/rollback")
    assert back.status_code == 202, back.text
    assert stage.ends(back.json()["run_id"])["state"] == "succeeded"
    assert running(stage, component) == ["1.0.0"]
    page = stage.api.get(f"{address(component)}/deployments", params={"limit": 2}).json()
    assert [item["version"] for item in page["items"]] == ["1.0.0", "2.0.0"]
    rest = stage.api.get(f"{address(component)}/deployments", params={"cursor": page["next_cursor"]}).json()
    assert [item["version"] for item in rest["items"]] == ["1.0.0"]


def test_unknown_version_is_refused_with_those_there_are(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    answer = stage.api.post(f"{address(component, 'staging')}/deployments", json={"version": "9"})
    assert answer.status_code == 404
    assert "1.0.0" in answer.json()["hint"]
    answer = stage.api.post(f"{address(component)}/rollback")
    assert (answer.status_code, answer.json()["code"]) == (404, "environments.deployment_not_found")
    lines = stage.api.get(f"{address(component)}/workloads/{component.rpartition('/')[2]}/logs").json()["lines"]
    assert "service 1.0.0 starts" in lines


def test_viewer_sees_environments_and_cannot_deploy(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    viewer = stage.server.client_as("viewer")
    assert viewer.get(address(component)).status_code == 200
    assert viewer.post(f"{address(component)}/rollback").status_code == 403
    assert viewer.get(f"{ROOT}/nothing-here/development").status_code == 404


def test_pages_show_what_runs_where(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    name = component.rpartition("/")[2]
    page = stage.api.get(f"/environments/{name}/development", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert "Healthy" in page.text
    matrix = stage.api.get("/environments", headers={"Accept": "text/html"})
    assert name in matrix.text
    empty = stage.api.get(f"/environments/{name}/production", headers={"Accept": "text/html"})
    assert "Nothing runs here" in empty.text
    entity = stage.api.get(f"/catalog/component/default/{name}", headers={"Accept": "text/html"})
    assert "deploy-strip" in entity.text
    assert f"http://{name}.development.{name}.localhost" in entity.text


def test_list_of_environments_is_paged(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    name = component.rpartition("/")[2]
    query: dict[str, Any] = {"application": name, "limit": 2}
    pages = [stage.api.get(ROOT, params=query).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(stage.api.get(ROOT, params={**query, "cursor": cursor}).json())
    items = [item for page in pages for item in page["items"]]
    assert [len(page["items"]) for page in pages[:-1]] == [2] * (len(pages) - 1)  # other tests make types of their own
    found = {item["name"]: len(item["workloads"]) for item in items}
    assert len(found) == len(items) >= 3
    assert found == dict.fromkeys(found, 0) | {"development": 1, "staging": 0, "production": 0}


def test_workload_is_found_by_its_name(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    name = component.rpartition("/")[2]
    (found,) = stage.api.get("/api/v1/workloads", params={"name": name}).json()["items"]
    assert (found["application_name"], found["environment"], found["version"]) == (name, "development", "1.0.0")
    assert stage.api.get("/api/v1/workloads", params={"name": name, "environment": "staging"}).json()["items"] == []


def test_component_is_deployed_from_what_its_pipeline_made(stage: Stage) -> None:
    component = stage.component()
    repository, commit = stage.repository({"score.yaml": yaml.safe_dump(score_of(component))})
    older, newer = (
        stage.artifact(version, repository=repository, commit=commit, subject=component)
        for version in ("1.0.0", "2.0.0")
    )
    body = {"component": component, "environment": "development"}
    newest = stage.api.post("/api/v1/deployments", json=body)
    assert newest.status_code == 202, newest.text
    assert stage.ends(newest.json()["run_id"])["state"] == "succeeded"
    assert running(stage, component) == ["2.0.0"]
    assert newest.json()["artifact"] == newer.digest
    chosen = stage.api.post("/api/v1/deployments", json={**body, "environment": "staging", "version": "1.0.0"})
    assert chosen.json()["artifact"] == older.digest
    assert stage.ends(chosen.json()["run_id"])["state"] == "succeeded"
    refused = stage.api.post("/api/v1/deployments", json={**body, "version": "9"})
    assert refused.status_code == 404
    assert "version 9" in refused.json()["detail"]


def test_artifact_without_a_score_file_is_refused_with_the_place(stage: Stage) -> None:
    component = stage.component()
    repository, commit = stage.repository({"README.md": "nothing"})
    stage.artifact("1.0.0", repository=repository, commit=commit, subject=component)
    answer = stage.api.post("/api/v1/deployments", json={"component": component, "environment": "development"})
    assert (answer.status_code, answer.json()["code"]) == (422, "environments.score_invalid")
    assert f"score.yaml of {repository} at {commit[:7]} is not there" in answer.json()["detail"]


def test_two_environments_are_compared(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    stage.deploy(component, stage.artifact("1.0.0"), "staging", score=score_of(component, OLD="1", SAME="x"))
    stage.deploy(component, stage.artifact("2.0.0"), score=score_of(component, NEW="2", SAME="x"))
    found = stage.api.get(f"{address(component, 'staging')}/compare/development").json()
    assert (found["application"], found["before"], found["after"]) == (name, "staging", "development")
    assert found["is_equal"] is False
    lines = {
        (line["sign"], line["name"]): (line["before"], line["after"]) for line in found["workloads"][0]["differences"]
    }
    assert lines["~", "version"] == ("1.0.0", "2.0.0")
    assert lines["+", "variable NEW"] == (None, "2")
    assert lines["-", "variable OLD"] == ("1", None)
    assert ("~", "variable SAME") not in lines
    assert stage.api.get(f"{address(component)}/compare/development").json()["is_equal"] is True
    (only,) = stage.api.get(f"{address(component, 'production')}/compare/staging").json()["workloads"]
    assert (only["is_in_before"], only["is_in_after"]) == (False, True)
    assert stage.api.get(f"{address(component)}/compare/moon").status_code == 404


HTML = {"Accept": "text/html"}


def test_pages_offer_only_what_is_allowed(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    stage.deploy(component, stage.artifact("1.0.0"))
    page = f"/environments/{name}/development"
    for words in ("Restart", "Stop…", "Promote to staging"):
        assert words in stage.api.get(page, headers=HTML).text
    assert "Roll back" not in stage.api.get(page, headers=HTML).text  # there is nothing to go back to
    viewer = stage.server.client_as("viewer")
    shown = viewer.get(page, headers=HTML).text
    assert "1.0.0" in shown
    assert "<form" not in shown.partition("<main")[2].partition("</main>")[0]
    for verb in (f"workloads/{name}/restart", f"workloads/{name}/stop"):
        assert viewer.post(f"{page}/{verb}").status_code == 403
    assert viewer.post(f"{page}/rollback", data={"component": component}).status_code == 403
    started = stage.api.post(f"{page}/promote", data={"component": component, "target": "staging"})
    assert started.status_code == 303
    assert stage.ends(started.headers["location"].rpartition("/")[2])["state"] == "succeeded"
    assert running(stage, component, "staging") == ["1.0.0"]


def test_log_page_goes_back_without_script(stage: Stage) -> None:
    component = stage.component()
    name = component.rpartition("/")[2]
    first = "for number in range(1200): print('line', number, flush=True)"
    stage.deploy(component, stage.artifact("1.0.0", first=first))
    address = f"/environments/{name}/development/workloads/{name}/log"
    seen: list[str] = []
    for _ in range(4):
        text = stage.api.get(address, headers=HTML).text
        found = [line for line in range(1200) if f"<span>line {line}</span>" in text]
        seen = [*(f"line {line}" for line in found), *seen]
        earlier = re.search(rf'href="({re.escape(address.partition("?")[0])}\?before=\d+)"', text)
        if earlier is None:
            break
        address = earlier[1]
    assert seen == [f"line {number}" for number in range(1200)]
