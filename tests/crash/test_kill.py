"""kill -9 at seeded moments while a run moves: it completes exactly once, and nothing that was answered is lost."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import escape

from tests.folders import make_home
from tests.moments import draw_moments
from tests.process import RoadbedProcess
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
SEED = 20261123
STEPS = 12


def install_plugin(folder: Path, name: str, place: str) -> Path:
    """Make an installed distribution of a plugin, as its entry point file would be on a user's machine."""
    info = folder / f"{name}_tests-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-tests\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[roadbed.plugins]\n{name} = {place}\n")
    return folder


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoadbedProcess]:
    """A home of its own, with a plugin that works and two that do not."""
    folder = tmp_path_factory.mktemp("crash")
    home = make_home(folder)
    plugins = install_plugin(folder / "site", "crash", "tests.crash.plugin:PLUGIN")
    install_plugin(plugins, "broken", "tests.crash.no_such_plugin:PLUGIN")
    install_plugin(plugins, "wrong", "tests.crash.plugin:START")  # something, and no manifest
    roadbed = RoadbedProcess(home, {"PYTHONPATH": f"{plugins}:{ROOT}"})
    yield roadbed
    if roadbed.process is not None:
        roadbed.stop()


@pytest.fixture
def roadbed(installation: RoadbedProcess) -> RoadbedProcess:
    """The server, running."""
    if installation.process is None or installation.process.poll() is not None:
        installation.start()
    return installation


def read_marks(folder: Path) -> tuple[int, int]:
    """Return how many effects there are, and how many attempts it took."""
    attempts = folder / "attempts.txt"
    return len(list(folder.glob("*.mark"))), len(attempts.read_text().splitlines()) if attempts.exists() else 0


def wait_until_finished(roadbed: RoadbedProcess, token: str, run_id: str) -> dict[str, object]:
    with roadbed.client(token) as client:
        run: dict[str, object] = wait_for(
            lambda: client.get(f"/api/v1/runs/{run_id}").json(), lambda run: run["finished_at"]
        )
        return run


@pytest.mark.slow
def test_run_survives_kills_of_server_and_database(
    roadbed: RoadbedProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    victims = ["server", "postgres", "both"]
    moments = draw_moments(capsys, f"{len(victims)} kills: {', '.join(victims)}", seed=SEED)
    token = roadbed.token()
    marks = tmp_path / "marks"
    marks.mkdir()
    with roadbed.client(token) as client:
        answer = client.post("/api/v1/crash-runs", json={"folder": str(marks), "steps": STEPS, "key": "once"})
    assert answer.status_code == 200, answer.text
    run_id = answer.json()["run_id"]
    for victim in victims:
        wanted = read_marks(marks)[1] + moments.randint(1, 3)
        deadline = time.monotonic() + 60
        while read_marks(marks)[1] < wanted and read_marks(marks)[0] < STEPS:
            assert time.monotonic() < deadline, f"the run stands still: {read_marks(marks)}"
            time.sleep(moments.uniform(0.005, 0.03))
        if victim in ("postgres", "both"):
            os.kill(roadbed.postgres_pid(), signal.SIGKILL)
        if victim in ("server", "both"):
            roadbed.kill()
            roadbed.start()
    run = wait_until_finished(roadbed, token, run_id)
    assert run["state"] == "succeeded", run
    made, attempts = read_marks(marks)
    assert made == STEPS
    assert attempts >= STEPS
    with roadbed.client(token) as client:
        again = client.post("/api/v1/crash-runs", json={"folder": str(marks), "steps": STEPS, "key": "once"})
    assert again.json()["run_id"] == run_id


def test_plugin_that_is_installed_is_loaded(roadbed: RoadbedProcess) -> None:
    with roadbed.client(roadbed.token("viewer")) as client:
        answer = client.post("/api/v1/crash-runs", json={"folder": "/nowhere", "steps": 1, "key": "denied"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


def test_plugin_that_fails_to_load_is_shown_and_the_server_starts(roadbed: RoadbedProcess) -> None:
    with roadbed.client(roadbed.token("platform-engineer")) as client:
        assert client.get("/readyz").status_code == 200
        plugins = {plugin["name"]: plugin for plugin in client.get("/api/v1/system").json()["plugins"]}
        page = client.get("/platform/system").text
    assert plugins["crash"] == {"name": "crash", "version": "1.0", "error": None}
    missing = "ModuleNotFoundError: No module named 'tests.crash.no_such_plugin'"
    assert plugins["broken"] == {"name": "broken", "version": "1.0", "error": missing}
    assert plugins["wrong"]["error"] is not None
    assert str(escape(missing)) in page


def test_follower_goes_on_when_the_server_is_back(roadbed: RoadbedProcess, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    (marks / "hold").touch()
    token, port = roadbed.token(), roadbed.url.rpartition(":")[2]
    wish = {"folder": str(marks), "steps": STEPS, "key": "followed"}
    with roadbed.client(token) as client:
        run_id = client.post("/api/v1/crash-runs", json=wish).raise_for_status().json()["run_id"]
    environment = roadbed.environment | {"ROADBED_URL": roadbed.url, "ROADBED_TOKEN": token}
    command = [str(roadbed.program), "runs", "follow", run_id]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        seen = []
        for line in follower.stdout:
            seen.append(line.strip())
            if len(seen) == 1:  # it is connected, and the first step waits
                roadbed.kill()
                (marks / "hold").unlink()
                roadbed.start("--port", port)
        assert follower.wait(60) == 0, seen
    ended = [line for line in seen if line.endswith(": succeeded")]
    assert sorted(ended) == sorted(f"Mark {number}: succeeded" for number in range(STEPS))


def test_live_stream_ends_when_the_server_stops(roadbed: RoadbedProcess, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    (marks / "hold").touch()
    with roadbed.client(roadbed.token()) as client:
        wish = {"folder": str(marks), "steps": 1, "key": "watched"}
        run_id = client.post("/api/v1/crash-runs", json=wish).raise_for_status().json()["run_id"]
        with client.stream("GET", f"/api/v1/runs/{run_id}/events") as answer:
            pieces = answer.iter_bytes()
            assert b"event:" in next(pieces)
            assert roadbed.process is not None
            roadbed.process.send_signal(signal.SIGTERM)
            for _ in pieces:  # a stream that is cut off instead of ended raises here
                pass
    assert roadbed.stop() == 0, roadbed.output
