"""kill -9 at seeded moments in each phase of a create run: it completes exactly once, and leaves nothing behind.

Each run is killed twice, in phases far apart. ROADBED_TEST_KILLS sets how many moments are tried in each phase; the
suite takes one.
"""

import json
import os
import random
import signal
import time
from datetime import UTC, datetime

import pytest

from tests.main_job.support import Installation, Json
from tests.moments import draw_moments
from tests.waiting import wait_for

SEED = 20261124
KILLS = int(os.environ.get("ROADBED_TEST_KILLS", "1"))
ATTEMPTS = 3  # a creation may end before the second kill: it is then tried with another
# A phase is a step of a run: kind of the run, key of the step.
PHASES = {
    "render": ("goldenpaths.create", "fetch"),
    "repository": ("goldenpaths.create", "publish"),
    "catalog": ("goldenpaths.create", "register"),
    "tests": ("delivery.pipeline", "test"),
    "artifact": ("delivery.pipeline", "artifact"),
    "database": ("environments.deploy", "resources"),
    "start": ("environments.deploy", "start"),
    "switch": ("environments.deploy", "switch"),
}


def begins(made: Installation, run_id: str, phase: str) -> bool:
    """Wait until a phase began; False when the creation ended meanwhile: a phase of moments may be overlooked."""
    kind, key = PHASES[phase]
    run: Json = wait_for(lambda: made.find_run(run_id, kind), what=f"a run {kind}")

    def has_begun() -> bool:  # asks for this run alone: the work goes on while questions are answered
        return any(step["key"] == key and step["started_at"] for step in made.run(run["id"])["steps"])

    wait_for(has_begun, what=f"phase {phase}")
    return not made.run(run_id)["finished_at"]


def kill(made: Installation, victim: str) -> None:
    if victim == "postgres":
        os.kill(made.roadbed.postgres_pid(), signal.SIGKILL)
        return
    made.roadbed.kill()
    made.roadbed.start()


def look(made: Installation, name: str) -> Json:
    """Return what there is of a service, counted."""
    repositories = made.get("/api/v1/repositories", q=name)["items"]
    deployments = made.get(f"/api/v1/environments/{name}/development/deployments")["items"]
    resources = [item for item in made.get("/api/v1/resources")["items"] if item["application"].endswith(f"/{name}")]
    return {
        "repositories": [item["name"] for item in repositories if item["name"] == name],
        "databases": [item["state"] for item in resources if item["environment"] == "development"],
        "deployments": [item["state"] for item in deployments],
    }


def create_and_kill(
    made: Installation, name: str, victim: str, phases: tuple[str, str], moments: random.Random
) -> bool:
    """Create a service, kill the victim in two phases, and look at what came of it.

    Returns:
        Whether each kill came before the creation had ended.
    """
    run_id = made.create(name)
    killed_at = datetime.min.replace(tzinfo=UTC)
    is_hit = True
    for phase in phases:
        is_hit = is_hit and begins(made, run_id, phase)
        time.sleep(moments.uniform(0, 0.25))
        killed_at = datetime.now(UTC)
        kill(made, victim)
    run = made.ends(run_id)
    assert run["state"] == "succeeded", json.dumps([name, run["error"], [step["error"] for step in run["steps"]]])
    assert look(made, name) == {"repositories": [name], "databases": ["ready"], "deployments": ["succeeded"]}, name
    return is_hit and datetime.fromisoformat(run["finished_at"]) > killed_at


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["server", "postgres"])
def test_create_completes_exactly_once_after_a_kill_in_each_phase(
    killed: Installation, victim: str, capsys: pytest.CaptureFixture[str]
) -> None:
    phases = list(PHASES)
    half = len(phases) // 2
    points = [(pair, number) for pair in zip(phases[:half], phases[half:], strict=True) for number in range(KILLS)]
    moments = draw_moments(capsys, f"{2 * len(points)} kills of the {victim}", seed=SEED)
    for pair, number in points:
        for attempt in range(ATTEMPTS):
            if create_and_kill(killed, f"{victim}-{pair[0]}-{number}-{attempt}", victim, pair, moments):
                break
        else:
            pytest.fail(f"each of {ATTEMPTS} creations had ended before both of {pair} were hit")
    unexplained = [item for item in killed.get("/api/v1/inventory")["items"] if not item["is_explained"]]
    assert unexplained == []
