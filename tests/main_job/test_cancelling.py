"""A creation that is cancelled in any phase ends, leaves nothing behind that is not explained, and can be undone."""

import json
import random
import time
from pathlib import Path

import pytest

from roadbed.artifacts.service.inventory import NOT_RECORDED
from tests.main_job.support import Installation, Json
from tests.waiting import wait_for

pytestmark = pytest.mark.slow

SEED = 20261127
# A phase is a step of a run: kind of the run, key of the step.
PHASES = {
    "render": ("goldenpaths.create", "fetch"),
    "repository": ("goldenpaths.create", "publish"),
    "register": ("goldenpaths.create", "register"),
    "lint": ("delivery.pipeline", "lint"),
    "test": ("delivery.pipeline", "test"),
    "artifact": ("delivery.pipeline", "artifact"),
    "provisioning": ("environments.deploy", "resources"),
    "deploy": ("environments.deploy", "ready"),
    "approval": ("environments.deploy", "approve"),
}
UNDONE_LATER = ("repository", "test", "deploy")  # a phase of each kind of run: what undoing does is the same as above
LASTING = ("provisioning", "provisioning: PostgreSQL for workloads", "owner:makers", NOT_RECORDED)
"""What the first service brings and the last one leaves: the database server, last copies, the caches of its owner; and
what waits to be collected."""


def begin(made: Installation, name: str, phase: str, moment: float) -> str:
    """Start a creation and come to a moment in one of its phases. Returns its run."""
    run_id = made.create(name)
    kind, key = PHASES[phase]

    def has_begun() -> bool:
        for run in made.family(run_id):
            if run["kind"] == kind and any(step["key"] == key and step["started_at"] for step in run["steps"]):
                return True
        return False

    wait_for(has_begun, seconds=300, what=f"phase {phase} of {name}")
    if phase == "approval":
        made.ends(run_id)
    else:
        time.sleep(moment)
    return run_id


def cancel(made: Installation, run_id: str, *, undo: bool) -> None:
    answer = made.client.post(f"/api/v1/runs/{run_id}/cancel", json={"undo": undo})
    assert answer.is_success or answer.json()["code"] == "runs.already_finished", answer.text


def all_end(made: Installation, run_id: str) -> list[Json]:
    """Wait until a run and all below it have ended."""

    def ended() -> list[Json] | None:
        family = list(made.family(run_id))
        return family if all(run["finished_at"] for run in family) else None

    found: list[Json] = wait_for(ended, what=f"the end of {run_id} and of what it started")
    return found


def things(made: Installation) -> set[tuple[str, str]]:
    """Return all that is on the machine, apart from what stays for the next service."""
    items = made.get("/api/v1/inventory")["items"]
    assert [item for item in items if not item["is_explained"]] == []
    return {(item["kind"], item["name"]) for item in items if item["belongs_to"] not in LASTING}


def settles(made: Installation, before: set[tuple[str, str]]) -> None:
    """Wait until there is what there was before; consumers of events are a moment behind."""
    wait_for(lambda: things(made) - before, lambda left: not left, what="the end of what it left")


def assert_gone(made: Installation, name: str, run: Json) -> None:
    assert run["state"] == "cancelled", json.dumps([run["error"], [step["error"] for step in run["steps"]]])
    assert made.get("/api/v1/repositories", q=name)["items"] == []
    assert made.client.get(f"/api/v1/entities/component/default/{name}").status_code == 404
    assert made.client.get(f"/api/v1/entities/resource/default/{name}-db").status_code == 404
    assert [one for one in made.get("/api/v1/resources")["items"] if one["application"].endswith(f"/{name}")] == []
    assert made.get("/api/v1/environments", application=name)["items"] == []
    assert made.get("/api/v1/approvals", state="waiting", subject=f"component:default/{name}")["items"] == []


def is_deployed(made: Installation, process: str) -> bool:
    """Tell whether a process is that of a deployed workload: cancelling leaves what runs already."""
    items = made.get("/api/v1/inventory", kind="process")["items"]
    return any(item["name"] == process and item["details"].get("workload") for item in items)


def workspaces(made: Installation, family: list[Json]) -> list[Path]:
    """Return the folders in which these runs worked."""
    folders = [Path(made.roadbed.home, name) for name in ("delivery/workspaces", "goldenpaths")]
    found = (folder / run["id"] for folder in folders for run in family)
    return [path for path in found if path.exists()]


@pytest.mark.parametrize("phase", PHASES)
def test_creation_cancelled_with_undo_leaves_nothing(made: Installation, phase: str) -> None:
    moments = random.Random(f"{SEED} undo {phase}")  # noqa: S311 - chooses moments
    before = things(made)
    name = f"undone-{phase}"
    run_id = begin(made, name, phase, moments.uniform(0, 0.25))
    cancel(made, run_id, undo=True)
    family = all_end(made, run_id)
    assert_gone(made, name, family[0])
    settles(made, before)
    assert workspaces(made, family) == []


@pytest.mark.parametrize("phase", UNDONE_LATER)
def test_creation_cancelled_ends_and_can_be_undone_later(made: Installation, phase: str) -> None:
    moments = random.Random(f"{SEED} cancel {phase}")  # noqa: S311 - chooses moments
    before = things(made)
    name = f"cancelled-{phase}"
    run_id = begin(made, name, phase, moments.uniform(0, 0.25))
    open_runs = [run["id"] for run in made.family(run_id) if not run["finished_at"]]
    cancel(made, open_runs[0], undo=False)
    family = all_end(made, run_id)
    assert {run["state"] for run in family} <= {"cancelled", "succeeded"}
    wait_for(lambda: not workspaces(made, family), what="the end of the workspaces")
    assert not [name for kind, name in things(made) - before if kind == "process" and not is_deployed(made, name)]
    cancel(made, run_id, undo=True)
    assert_gone(made, name, all_end(made, run_id)[0])
    settles(made, before)


def test_finished_creation_is_undone_in_words_and_its_name_is_free_again(made: Installation) -> None:
    run_id = made.create("again")
    assert made.ends(run_id)["state"] == "succeeded"
    cancel(made, run_id, undo=True)
    assert_gone(made, "again", all_end(made, run_id)[0])
    page = made.client.get(f"/runs/{run_id}").text
    assert "What was taken back" in page
    for words in (
        "in development, with its processes and its address",
        "postgres db of again in development; its last copy is",
        "the environments of again: development, staging, production",
        "the artifact again",
        "component:default/again from the catalog",
        "the repository makers/again",
    ):
        assert words in page, words
    second = made.create("again", key="the second time")
    assert second != run_id
    assert made.ends(second)["state"] == "succeeded"
    push_a_change(made, "again")
    cancel(made, second, undo=True)
    all_end(made, second)
    page = made.client.get(f"/runs/{second}").text
    assert "the repository makers/again, because it has commits on notes that this run did not make" in page
    assert [item["name"] for item in made.get("/api/v1/repositories", q="again")["items"]] == ["again"]
    assert made.client.get("/api/v1/entities/component/default/again").status_code == 200


def push_a_change(made: Installation, name: str) -> None:
    clone = made.folder / f"clone-of-{name}"
    made.git(made.folder, "clone", "--quiet", made.address("makers", name), str(clone))
    (clone / "NOTES.md").write_text("Somebody was here.\n")
    made.git(clone, "add", "--all")
    made.git(clone, "commit", "--quiet", "--message=Add notes")
    made.git(clone, "push", "--quiet", "origin", "main:notes")
    wait_for(lambda: made.get("/api/v1/runs", kind="delivery.pipeline", limit=1)["items"][0]["finished_at"], what="it")
