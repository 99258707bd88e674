"""Deployments on a live server, with a real service: it comes to run, is exchanged, and gives way."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from roadbed.core.errors import RoadbedError
from roadbed.environments.contract import (
    DeploymentState,
    DeploymentView,
    ScoreInvalid,
    WorkloadView,
    find_deployment_of_run,
    list_workloads,
)
from roadbed.environments.errors import EnvironmentTypeNotFound
from tests import plain_http
from tests.environments.conftest import Stage, score_of


def workloads(stage: Stage, component: str) -> list[WorkloadView]:
    async def read() -> list[WorkloadView]:
        async with stage.server.database.read() as session:
            return await list_workloads(session, components=(component,))

    return stage.server.run(read())


def deployment_of(stage: Stage, view: DeploymentView) -> DeploymentView:
    async def read() -> DeploymentView | None:
        async with stage.server.database.read() as session:
            return await find_deployment_of_run(session, view.run_id)

    found = stage.server.run(read())
    assert found is not None
    return found


def ask(workload: WorkloadView, path: str = "/") -> dict[str, Any]:
    """Ask the process of a workload itself."""
    answer: dict[str, Any] = plain_http.get(f"http://127.0.0.1:{workload.port}{path}", timeout=10).json()
    return answer


def test_deployed_service_runs_and_is_healthy(stage: Stage) -> None:
    component = stage.component()
    run = stage.deploy(component, stage.artifact(), score=score_of(component, GREETING="hello ${metadata.name}"))
    (workload,) = workloads(stage, component)
    name = component.rpartition("/")[2]
    assert (workload.environment, workload.application, workload.name) == ("development", component, name)
    assert (workload.version, workload.health) == ("1.0.0", "healthy")
    seen = ask(workload)
    assert seen["version"] == "1.0.0"
    assert seen["env"]["GREETING"] == f"hello {name}"
    assert not [variable for variable in seen["env"] if variable.startswith(("ROADBED_HOME", "PG"))]
    assert run["output"]["switch"]["set"].startswith("sha256:")
    statuses = stage.api.get(f"/api/v1/entities/component/default/{name}").json()["statuses"]
    assert {status["key"]: status["state"] for status in statuses} == {
        "health": "healthy",
        "health:development": "healthy",
    }


def test_new_version_takes_over_and_the_old_one_ends(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    (first,) = workloads(stage, component)
    stage.deploy(component, stage.artifact("2.0.0"))
    (second,) = workloads(stage, component)
    assert (second.version, second.id) == ("2.0.0", first.id)
    assert ask(second)["version"] == "2.0.0"
    with pytest.raises(httpx.ConnectError):
        plain_http.get(f"http://127.0.0.1:{first.port}/", timeout=5)


def test_service_that_never_becomes_ready_leaves_the_old_one_serving(stage: Stage) -> None:
    component = stage.component()
    stage.deploy(component, stage.artifact("1.0.0"))
    run = stage.ends(stage.start(component, stage.artifact("2.0.0", first="raise SystemExit('no licence')")).run_id)
    assert run["state"] == "failed"
    assert "does not stay up" in run["error"]["message"]
    assert "no licence" in stage.log(run["id"], "ready")
    (workload,) = workloads(stage, component)
    assert (workload.version, workload.health) == ("1.0.0", "healthy")
    assert ask(workload)["version"] == "1.0.0"


def test_retry_of_a_failed_deployment_is_refused_when_a_newer_one_runs(stage: Stage) -> None:
    component = stage.component()
    failed = stage.start(component, stage.artifact("1.0.0", first="raise SystemExit(1)"))
    assert stage.ends(failed.run_id)["state"] == "failed"
    stage.deploy(component, stage.artifact("2.0.0"))
    assert stage.api.post(f"/api/v1/runs/{failed.run_id}/retry").is_success
    run = stage.ends(failed.run_id)
    assert (run["state"], run["error"]["code"]) == ("failed", "environments.deployment_superseded")
    assert ask(workloads(stage, component)[0])["version"] == "2.0.0"


def test_same_key_is_the_same_deployment(stage: Stage) -> None:
    component, artifact = stage.component(), stage.artifact()
    first, second = (stage.start(component, artifact, key=f"once-{component}") for _ in range(2))
    assert first.id == second.id
    stage.ends(first.run_id)


def test_production_waits_for_an_approval(stage: Stage) -> None:
    component = stage.component()
    deployment = stage.start(component, stage.artifact(), "production")
    stage.until(lambda: stage.run_of(deployment.run_id), lambda run: run["state"] == "waiting")
    assert workloads(stage, component) == []
    found = stage.api.get("/api/v1/approvals", params={"subject": component}).json()["items"]
    assert len(found) == 1
    answer = stage.api.post(f"/api/v1/approvals/{found[0]['id']}/approve", json={"comment": "checked"})
    assert answer.is_success, answer.text
    assert stage.ends(deployment.run_id)["state"] == "succeeded"
    assert [workload.environment for workload in workloads(stage, component)] == ["production"]


def test_newer_deployment_supersedes_the_one_that_waits(stage: Stage) -> None:
    component = stage.component()
    older = stage.start(component, stage.artifact("1.0.0", ready=503))
    stage.until(lambda: stage.run_of(older.run_id)["steps"][3]["state"], lambda state: state == "running")
    stage.deploy(component, stage.artifact("2.0.0"))
    assert stage.ends(older.run_id)["state"] == "cancelled"
    assert [workload.version for workload in workloads(stage, component)] == ["2.0.0"]

    found = stage.until(lambda: deployment_of(stage, older), lambda one: one.finished_at is not None)
    assert (found.state, found.error) == (DeploymentState.SUPERSEDED, "Version 2.0.0 was deployed before it was done.")


def test_older_question_is_superseded_when_a_newer_deployment_waits(stage: Stage) -> None:
    component = stage.component()
    older = stage.start(component, stage.artifact("1.0.0"), "production")
    stage.until(lambda: stage.run_of(older.run_id)["state"], lambda state: state == "waiting")
    newer = stage.start(component, stage.artifact("2.0.0"), "production")
    run = stage.ends(older.run_id)
    words = "1.0.0 gave way to 2.0.0, which waits for production now."
    assert (run["state"], run["error"]["message"]) == ("cancelled", words)
    assert deployment_of(stage, older).state is DeploymentState.SUPERSEDED

    stage.until(lambda: stage.run_of(newer.run_id)["state"], lambda state: state == "waiting")
    asked = stage.api.get("/api/v1/approvals", params={"subject": component}).json()["items"]
    assert [(one["state"], one["comment"]) for one in asked] == [("waiting", ""), ("superseded", words)]
    refused = stage.api.post(f"/api/v1/approvals/{asked[1]['id']}/approve")
    assert (refused.status_code, refused.json()["code"]) == (409, "approvals.already_decided")
    assert words in refused.json()["detail"]
    assert words in stage.api.get(f"/approvals/{asked[1]['id']}").text
    assert words in stage.api.get(f"/runs/{older.run_id}").text
    audited = stage.api.get("/api/v1/audit", params={"subject": f"approval:{asked[1]['id']}"}).json()["items"]
    assert "approvals.approval_superseded" in [one["action"] for one in audited]


def test_approved_deployment_does_not_give_way_to_one_that_waits(stage: Stage) -> None:
    component = stage.component()
    older = stage.start(component, stage.artifact("1.0.0"), "production")
    asked = stage.until(
        lambda: stage.api.get("/api/v1/approvals", params={"subject": component}).json()["items"], lambda found: found
    )
    assert stage.api.post(f"/api/v1/approvals/{asked[0]['id']}/approve").is_success
    stage.start(component, stage.artifact("2.0.0"), "production")
    assert stage.ends(older.run_id)["state"] == "succeeded"


def test_approval_of_a_deployment_expires_after_a_week(stage: Stage) -> None:
    component = stage.component()
    stage.start(component, stage.artifact(), "production")
    asked = stage.until(
        lambda: stage.api.get("/api/v1/approvals", params={"subject": component}).json()["items"], lambda found: found
    )[0]
    created, expires = (datetime.fromisoformat(asked[name]) for name in ("created_at", "expires_at"))
    assert timedelta(hours=167) < expires - created < timedelta(hours=169)


@pytest.mark.parametrize(
    ("environment", "score", "error", "words"),
    [
        ("moon", None, EnvironmentTypeNotFound, "'moon'"),
        ("development", {"apiVersion": "score.dev/v1b1"}, ScoreInvalid, "metadata.name"),
    ],
)
def test_wish_that_cannot_be_met_is_refused_with_the_reason(
    stage: Stage, environment: str, score: dict[str, Any] | None, error: type[RoadbedError], words: str
) -> None:
    component = stage.component()
    with pytest.raises(error, match=words):
        stage.start(component, stage.artifact(), environment, score=score)


def test_resource_that_a_running_workload_uses_is_not_deleted(stage: Stage) -> None:
    component = stage.component()
    artifact = stage.artifact()
    score = score_of(component, DATABASE_URL="${resources.db.url}") | {"resources": {"db": {"type": "postgres"}}}
    stage.deploy(component, artifact, score=score)
    resource = stage.api.get("/api/v1/resources", params={"application": component}).json()["items"][0]
    refused = stage.api.delete(f"/api/v1/resources/{resource['id']}")
    assert (refused.status_code, refused.json()["code"]) == (409, "provisioning.resource_in_use")
    assert f"{component.rpartition('/')[2]} 1.0.0 uses it" in refused.json()["detail"]
    assert stage.api.get(f"/api/v1/resources/{resource['id']}").json()["state"] == "ready"
    stage.deploy(component, artifact)
    (workload,) = workloads(stage, component)
    assert "DATABASE_URL" not in ask(workload)["env"]

    def ask_deletion() -> httpx.Response:
        return stage.api.delete(f"/api/v1/resources/{resource['id']}")

    accepted = stage.until(ask_deletion, lambda answer: answer.status_code != 409)  # the old process is on its way out
    assert stage.ends(accepted.json()["run_id"])["state"] == "succeeded"
