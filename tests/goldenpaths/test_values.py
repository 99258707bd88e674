"""Answers to a path's questions: defaults, what is wrong with them, and what they would do."""

from typing import Any

import pytest

from tests.goldenpaths.conftest import Paths

GOOD = {"name": "refunds", "owner": "group:default/checkout"}


def problems_of(paths: Paths, **values: Any) -> dict[str, dict[str, Any]]:
    answer = paths.post("validate", **values)
    assert answer.status_code == 200, answer.text
    return {problem["path"]: problem for problem in answer.json()["problems"]}


def test_defaults_are_filled_in_also_where_an_answer_brings_questions(paths: Paths) -> None:
    paths.publish_folder("service")

    values = paths.post("validate", **GOOD, extras=True).json()

    assert values["is_valid"], values
    assert values["values"]["lifecycle"] == "experimental"
    assert values["values"]["size"] == "small"
    assert "size" not in paths.post("validate", **GOOD).json()["values"]


def test_each_wrong_answer_is_named_with_its_page_and_what_was_meant(paths: Paths) -> None:
    paths.publish_folder("service")

    problems = problems_of(
        paths, name="Refunds API", lifecycle="experimentl", nmae="x", size="huge", extras=True, token="hunter2"
    )

    assert problems["name"]["page"] == 1
    assert problems["name"]["suggestion"] == "refunds-api"
    assert problems["owner"]["reason"] == "An answer is needed here."
    assert problems["lifecycle"]["suggestion"] == "experimental"
    assert problems["size"]["page"] == 2
    assert "secret://" in problems["token"]["reason"]
    assert problems["nmae"] == {
        "page": 0,
        "path": "nmae",
        "reason": "This path does not ask for nmae. Did you mean name?",
        "suggestion": "name",
    }


def test_answer_to_a_question_that_is_not_asked_is_refused(paths: Paths) -> None:
    paths.publish_folder("service")

    problems = problems_of(paths, **GOOD, size="large")

    assert problems["size"]["reason"] == (
        "With the other answers, size is not asked for. Leave it out, or change them."
    )


def test_run_is_not_started_with_wrong_answers(paths: Paths) -> None:
    name = paths.publish_folder("service")

    answer = paths.post("runs", name="refunds")

    assert answer.status_code == 422
    problem = answer.json()
    assert problem["code"] == "goldenpaths.values_invalid"
    assert problem["detail"] == "owner: An answer is needed here."
    assert problem["problems"][0]["page_title"] == "Service"
    assert f"/api/v1/paths/default/{name}" in problem["hint"]


def test_preview_tells_files_repository_and_skipped_steps(paths: Paths) -> None:
    paths.publish_folder("service")

    seen = paths.post("preview", name="foreseen", owner="group:default/checkout", ports=[80, 443]).json()

    assert seen["repositories"] == ["checkout/foreseen"]
    assert {"run.sh", "catalog-info.yaml", "port-80.txt", "port-443.txt"} <= set(seen["files"])
    assert seen["problems"] == []
    assert {step["id"]: step["state"] for step in seen["steps"]}["extras"] == "skipped"
    assert paths.find_repository("checkout", "foreseen") is None


def test_same_key_gives_the_same_run(paths: Paths) -> None:
    paths.publish_folder("service")
    values = {"name": "only-once", "owner": "group:default/checkout"}

    first = paths.post("runs", key="again", **values).json()
    paths.wait(first["run_id"])
    second = paths.post("runs", key="again", **values).json()

    assert second["run_id"] == first["run_id"]


def test_taken_repository_name_is_refused_before_anything_happens(paths: Paths) -> None:
    paths.publish_folder("service")
    paths.start(name="taken", owner="group:default/checkout")

    answer = paths.post("runs", name="taken", owner="group:default/checkout")

    assert answer.status_code == 409
    assert answer.json()["code"] == "goldenpaths.would_fail"
    assert answer.json()["detail"] == "There is a repository checkout/taken already. Choose another name."
    assert paths.post("preview", name="taken", owner="group:default/checkout").json()["problems"]


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("developer", 422)])
def test_developers_may_start_paths_and_viewers_may_only_see_them(paths: Paths, role: str, status: int) -> None:
    name = paths.publish_folder("service")
    client = paths.server.client_as(role)

    assert client.get("/api/v1/paths").status_code == 200
    assert client.post(f"/api/v1/paths/default/{name}/runs", json={"values": {}}).status_code == status


def test_unknown_path_names_those_that_exist(paths: Paths) -> None:
    paths.publish_folder("service")

    answer = paths.api.get("/api/v1/paths/default/nothing-here")

    assert answer.status_code == 404
    assert f"default/{paths.name}" in answer.json()["hint"]
