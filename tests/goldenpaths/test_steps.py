"""What steps of a path may do: repeat, be skipped, hand on, fail and be tried again, and be taken back."""

from typing import Any

from roadbed.scm.contract import FileContent
from tests.goldenpaths.conftest import Paths

CATALOG_INFO = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: "${{ values.name }}"}
spec: {type: service, lifecycle: experimental, owner: team-a}
"""
FETCH: dict[str, Any] = {
    "id": "fetch",
    "name": "Render",
    "action": "fetch:template",
    "input": {"url": "./skeleton", "values": {"name": "${{ parameters.name }}"}},
}
PUBLISH: dict[str, Any] = {
    "id": "publish",
    "name": "Publish",
    "action": "publish:repository",
    "input": {"repository": "path-made/${{ parameters.name }}", "protectDefaultBranch": False},
}
REGISTER: dict[str, Any] = {
    "id": "register",
    "name": "Register",
    "action": "catalog:register",
    "input": {"repoContentsUrl": "${{ steps.publish.output.repoContentsUrl }}"},
}


def say(key: str, message: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "name": key.title(), "action": "debug:log", "input": {"message": message}, **more}


def test_step_is_repeated_for_each_item_and_skipped_where_its_condition_is_false(paths: Paths) -> None:
    paths.publish_steps(
        say("twice", "port ${{ each.value }} of ${{ parameters.name }}", each=[8080, 9090]),
        say("never", "not said", **{"if": "${{ parameters.name === 'somebody-else' }}"}),
        say("always", "said", **{"if": "${{ parameters.name === 'repeated' }}"}),
    )
    run = paths.start(name="repeated")
    assert run["state"] == "succeeded", run["error"]
    states = {step["key"]: step["state"] for step in run["steps"]}
    assert (states["twice"], states["never"], states["always"]) == ("succeeded", "skipped", "succeeded")
    log = paths.log(run, "twice")
    assert "port 8080 of repeated" in log
    assert "port 9090 of repeated" in log


def test_failed_run_is_tried_again_from_the_failed_step_and_taken_back(paths: Paths) -> None:
    name = f"{paths.name[-20:].strip('-')}-made"
    broken = "kind: Component\nmetadata: {name: [}\n"
    paths.publish_steps(FETCH, PUBLISH, REGISTER, **{"skeleton__catalog-info.yaml": broken})
    run = paths.start(name=name)
    assert run["state"] == "failed"
    assert [step["state"] for step in run["steps"]][:3] == ["succeeded", "succeeded", "failed"]
    assert "catalog-info.yaml" in str(run["error"]), run["error"]
    assert run["error"]["hint"]

    assert paths.api.post(f"/api/v1/runs/{run['id']}/retry").status_code in (200, 202)
    again = paths.wait(run["id"])
    assert again["state"] == "failed"  # nothing was mended
    assert [step["attempt"] for step in again["steps"]][:2] == [1, 1]
    assert paths.find_repository("path-made", name) is not None

    developer = paths.server.client_as("developer")
    refused = developer.post(f"/api/v1/runs/{run['id']}/cancel", json={"undo": True})
    assert refused.status_code == 403, "the repository would be deleted, which developers may not do"
    assert "scm.repository.manage" in refused.json()["hint"]
    answer = paths.api.post(f"/api/v1/runs/{run['id']}/cancel", json={"undo": True})
    assert answer.status_code in (200, 202), answer.text
    assert paths.wait(run["id"])["state"] == "cancelled"
    assert paths.find_repository("path-made", name) is None
    assert paths.api.get(f"/api/v1/entities/component/default/{name}").status_code == 404


def test_key_sent_again_after_the_run_was_undone_is_answered_as_before_and_creates_nothing(paths: Paths) -> None:
    name = f"{paths.name[-20:].strip('-')}-once"
    paths.publish_steps(FETCH, PUBLISH, **{"skeleton__README.md": "Once.\n"})
    first = paths.post("runs", key=f"first {name}", name=name)
    run_id = first.json()["run_id"]
    assert paths.wait(run_id)["state"] == "succeeded"
    assert paths.api.post(f"/api/v1/runs/{run_id}/cancel", json={"undo": True}).status_code == 200
    assert paths.wait(run_id)["state"] == "cancelled"
    again = paths.post("runs", key=f"first {name}", name=name)
    assert (again.status_code, again.json()) == (201, first.json())
    assert paths.find_repository("path-made", name) is None
    second = paths.post("runs", key=f"second {name}", name=name).json()["run_id"]
    assert second != run_id
    assert paths.wait(second)["state"] == "succeeded"
    assert paths.find_repository("path-made", name) is not None


def test_template_that_is_no_yaml_is_said_with_file_and_line_and_the_last_good_one_stays(paths: Paths) -> None:
    paths.publish_steps(say("hello", "hello"))
    paths.commit({"path/template.yaml": FileContent(b"kind: Template\nmetadata:\n  name: [oops\nspec: {}\n")})
    location = next(
        item
        for item in paths.api.get("/api/v1/locations", params={"limit": 100}).json()["items"]
        if f"path-tests/{paths.name}#" in item["target"]
    )
    answer = paths.api.post(f"/api/v1/locations/{location['id']}/refresh")
    assert answer.status_code in (200, 201, 202), answer.text
    paths.wait(answer.json()["run_id"])
    problems = paths.api.get(f"/api/v1/locations/{location['id']}").json()["problems"]
    assert len(problems) == 1, problems
    assert (problems[0]["file"], problems[0]["line"]) == ("path/template.yaml", 4)
    assert paths.api.get(f"/api/v1/paths/default/{paths.name}").status_code == 200


def test_action_that_does_not_exist_keeps_a_path_from_being_started(paths: Paths) -> None:
    paths.publish_steps({"id": "fetch", "name": "Fetch", "action": "fetch:templat", "input": {}})
    answer = paths.post("runs", name="never")
    assert answer.status_code == 409
    assert "fetch:templat" in answer.json()["detail"]
    assert answer.json()["hint"]
