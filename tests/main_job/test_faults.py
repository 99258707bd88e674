"""What goes wrong in a service's creation ends in words that name the thing and the next step."""

import pytest

from tests.main_job.support import OWNER, Installation, Json

pytestmark = pytest.mark.slow


def failure(run: Json) -> Json:
    """Return the error of the step that failed."""
    assert run["state"] == "failed", run
    error: Json = next(step["error"] for step in run["steps"] if step["state"] == "failed")
    return error


def test_failing_test_is_named_on_the_run_that_creates_the_service(made: Installation) -> None:
    error = failure(made.ends(made.create("broken", fault="test")))
    assert "test_no_fault_was_asked_for" in error["message"]
    assert error["hint"]


def test_service_that_never_becomes_ready_is_named_with_its_probe(made: Installation) -> None:
    error = failure(made.ends(made.create("unready", fault="ready")))
    assert "/readyz" in error["message"]
    assert error["hint"]
    workloads = made.get("/api/v1/environments/unready/development")["workloads"]
    assert [workload["version"] for workload in workloads] == [None]


def test_service_that_ends_at_once_is_named_with_its_last_line(made: Installation) -> None:
    error = failure(made.ends(made.create("ending", fault="start")))
    assert "the fault that was asked for" in error["message"]


def test_name_of_a_repository_that_is_taken_is_refused_before_anything_happens(made: Installation) -> None:
    made.post("/api/v1/repositories", owner="makers", name="taken")
    values = {"name": "taken", "owner": OWNER}
    answer = made.client.post("/api/v1/paths/default/small-service/runs", json={"values": values})
    assert answer.status_code in (409, 422), answer.text
    assert "makers/taken" in answer.text
    assert answer.json()["hint"]
