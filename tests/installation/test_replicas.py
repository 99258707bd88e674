"""Several Roadbed processes over one PostgreSQL: they share the work, and do that of one that is gone."""

import asyncio
import base64
import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests import plain_http
from tests.crash.test_kill import ROOT, install_plugin, wait_until_finished
from tests.process import RoadbedProcess
from tests.waiting import wait_for

LEASE_SECONDS = 12  # it is to outlast a machine that does something else for seconds
PATIENCE_SECONDS = 60
CONCURRENCY = 2

pytestmark = pytest.mark.slow


@dataclass
class Fleet:
    """One web process and two workers. A worker that a test ends is replaced by the fixture of the next."""

    folder: Path
    env: dict[str, str]
    web: RoadbedProcess
    workers: list[RoadbedProcess]
    token: str = ""
    greetings: tuple[str, ...] = ()
    """What each printed at its first start."""

    def member(self, name: str) -> RoadbedProcess:
        return RoadbedProcess(self.folder / name, self.env)

    def client(self) -> httpx.Client:
        return self.web.client(self.token)

    def new_marks(self, name: str, *, is_held: bool) -> Path:
        marks = self.folder / name
        marks.mkdir()
        if is_held:
            (marks / "hold").touch()
        return marks

    def start_run(self, marks: Path, key: str, **wish: int) -> str:
        with self.client() as client:
            answer = client.post("/api/v1/crash-runs", json={"folder": str(marks), "key": key, "steps": 2, **wish})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["run_id"])

    def query(self, statement: str, *values: Any) -> list[Any]:
        async def work() -> list[Any]:
            connection = await asyncpg.connect(self.env["ROADBED_DATABASE__URL"])
            try:
                return list(await connection.fetch(statement, *values))
            finally:
                await connection.close()

        return asyncio.run(work())


def pid_of(roadbed: RoadbedProcess) -> int:
    assert roadbed.process is not None
    return roadbed.process.pid


def read_attempts(marks: Path) -> list[tuple[str, int]]:
    """Return step and process of each attempt, in order."""
    file = marks / "attempts.txt"
    lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
    return [(step, int(pid)) for step, _, pid in lines]


def count_marks(marks: Path) -> int:
    return len(list(marks.glob("*.mark")))


@pytest.fixture(scope="module")
def started(open_folder: Path, database_url: str) -> Iterator[Fleet]:
    """The fleet, all of it started at once on an empty database."""
    plugin = install_plugin(open_folder / "site", "crash", "tests.crash.plugin:PLUGIN")
    env = {
        "PYTHONPATH": f"{plugin}:{ROOT}",
        "ROADBED_DATABASE__URL": database_url,
        "ROADBED_SECRETS__KEY": base64.b64encode(bytes(32)).decode(),
        "ROADBED_ARTIFACTS__FOLDER": str(open_folder / "blobs"),
        "ROADBED_REPLICAS__LEASE_SECONDS": str(LEASE_SECONDS),
        "ROADBED_RUNS__CONCURRENCY": str(CONCURRENCY),
        "CRASH_TICKS_FILE": str(open_folder / "ticks.txt"),
    }
    names = ("web", "worker-1", "worker-2")
    web, *workers = (RoadbedProcess(open_folder / name, env) for name in names)
    fleet = Fleet(open_folder, env, web, workers)
    members = [(web, "web"), *((worker, "worker") for worker in workers)]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda member: member[0].start("--role", member[1]), members))
        fleet.greetings = tuple(one.output for one in (web, *workers))
        fleet.token = web.token()
        yield fleet
    finally:
        living = [one for one in (web, *fleet.workers) if one.process is not None and one.process.poll() is None]
        ended = {one.home.name: (one.stop(), one.home.with_name(f"{one.home.name}.log").read_text()) for one in living}
    wrong = {name: log[-3000:] for name, (code, log) in ended.items() if code != 0}
    assert wrong == {}


@pytest.fixture
def fleet(started: Fleet) -> Fleet:
    for number, worker in enumerate(started.workers):
        if worker.process is not None and worker.process.poll() is not None:
            started.workers[number] = started.member(worker.home.name).start("--role", "worker")
    return started


def test_first_processes_may_start_together(fleet: Fleet) -> None:
    assert sum("with the password one-time-" in greeting for greeting in fleet.greetings) == 1


def test_workers_share_the_work_and_web_does_none(fleet: Fleet) -> None:
    marks = fleet.new_marks("shared", is_held=True)
    runs = [fleet.start_run(marks, f"shared-{number}") for number in range(2 * CONCURRENCY)]
    wait_for(lambda: len(read_attempts(marks)) == len(runs), seconds=PATIENCE_SECONDS)
    assert {pid for _, pid in read_attempts(marks)} == {pid_of(worker) for worker in fleet.workers}
    (marks / "hold").unlink()
    for run in runs:
        assert wait_until_finished(fleet.web, fleet.token, run)["state"] == "succeeded"
    assert count_marks(marks) == len(read_attempts(marks)) == 2 * len(runs)


def test_run_of_a_killed_worker_is_finished_by_the_other_and_followed_on_web(fleet: Fleet) -> None:
    marks = fleet.new_marks("killed", is_held=True)
    run = fleet.start_run(marks, "killed")
    with following(fleet, run) as events:
        wait_for(lambda: bool(read_attempts(marks)), seconds=PATIENCE_SECONDS)
        victim = next(worker for worker in fleet.workers if pid_of(worker) == read_attempts(marks)[0][1])
        other = next(worker for worker in fleet.workers if worker is not victim)
        victim.kill()
        killed_at = time.monotonic()
        wait_for(lambda: len(read_attempts(marks)) == 2, seconds=PATIENCE_SECONDS)
        assert time.monotonic() - killed_at < 2 * LEASE_SECONDS
        (marks / "hold").unlink()
        assert wait_until_finished(fleet.web, fleet.token, run)["state"] == "succeeded"
        wait_for(lambda: "end" in [name for name, _ in events])
    assert read_attempts(marks) == [
        ("mark-0", pid_of(victim)),
        ("mark-0", pid_of(other)),
        ("mark-1", pid_of(other)),
    ]
    assert count_marks(marks) == 2
    told = [data["text"] for name, data in events if name == "line"]
    assert told[-2:] == ["attempt 2", "attempt 1"]
    assert events[-1][1]["state"] == "succeeded"


class following:  # noqa: N801 - used as a function
    """Follow a run on the web replica; gives the list of `(name, data)` that grows meanwhile."""

    def __init__(self, fleet: Fleet, run: str) -> None:
        self._fleet, self._run = fleet, run
        self._events: list[tuple[str, Any]] = []
        self._thread = threading.Thread(target=self._follow)

    def _follow(self) -> None:
        with self._fleet.client() as client, client.stream("GET", f"/api/v1/runs/{self._run}/events") as answer:
            name = ""
            for line in answer.iter_lines():
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data":
                    self._events.append((name, json.loads(value)))

    def __enter__(self) -> list[tuple[str, Any]]:
        self._thread.start()
        return self._events

    def __exit__(self, *_: object) -> None:
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()


def take_lease(fleet: Fleet, worker: RoadbedProcess) -> None:
    """Take the lease of a worker that lives and works."""
    taken = fleet.query(
        "UPDATE leases SET holder = '', expires_at = now() WHERE process LIKE $1 RETURNING name",
        f"worker, process {pid_of(worker)} on %",
    )
    assert len(taken) == 1


def stand_still(fleet: Fleet, worker: RoadbedProcess) -> None:
    """Stop a worker for so long that the others take its lease, and let it go on."""
    os.kill(pid_of(worker), signal.SIGSTOP)
    who = f"worker, process {pid_of(worker)} on %"
    look = "SELECT 1 FROM leases WHERE holder = '' AND process LIKE $1"
    wait_for(lambda: bool(fleet.query(look, who)), seconds=PATIENCE_SECONDS)
    os.kill(pid_of(worker), signal.SIGCONT)


@pytest.mark.parametrize(
    ("lose", "words"),
    [
        (take_lease, "The lease of this process was taken away: others are doing its work, so it ends."),
        (stand_still, "This process could not renew its lease for 9 s and ends"),
    ],
)
def test_worker_that_lost_its_lease_ends_and_says_why(
    fleet: Fleet, lose: Callable[[Fleet, RoadbedProcess], None], words: str
) -> None:
    worker = fleet.workers[0]
    marks = fleet.new_marks(lose.__name__, is_held=True)
    runs = [fleet.start_run(marks, f"{lose.__name__}-{number}") for number in range(2 * CONCURRENCY)]
    wait_for(lambda: len(read_attempts(marks)) == len(runs), seconds=PATIENCE_SECONDS)
    lose(fleet, worker)
    assert worker.process is not None
    assert worker.process.wait(PATIENCE_SECONDS) == 1
    assert words in worker.home.with_name(f"{worker.home.name}.log").read_text()
    (marks / "hold").unlink()
    for run in runs:
        assert wait_until_finished(fleet.web, fleet.token, run)["state"] == "succeeded"
    assert count_marks(marks) == 2 * len(runs)


def test_no_time_of_a_schedule_is_run_twice(fleet: Fleet) -> None:
    file = fleet.folder / "ticks.txt"

    def read_ticks() -> list[tuple[str, int]]:
        lines = file.read_text().splitlines() if file.exists() else []
        return [(workflow, int(pid)) for workflow, pid in (line.split() for line in lines)]

    first = len(read_ticks())
    wait_for(lambda: len(read_ticks()) >= first + 4, seconds=PATIENCE_SECONDS)
    ticks = read_ticks()[first:]
    assert len({workflow for workflow, _ in ticks}) == len(ticks)
    assert {pid for _, pid in ticks} <= {pid_of(worker) for worker in fleet.workers}


def test_worker_serves_probes_and_metrics_only(fleet: Fleet) -> None:
    with fleet.workers[1].client(fleet.token) as client:
        codes = {path: client.get(path).status_code for path in ("/livez", "/readyz", "/metrics", "/api/v1/runs", "/")}
    assert codes == {"/livez": 200, "/readyz": 200, "/metrics": 200, "/api/v1/runs": 404, "/": 404}


def test_what_needs_the_host_waits_for_it_and_web_says_where_it_is(fleet: Fleet) -> None:
    marks = fleet.new_marks("hosted", is_held=False)
    run = fleet.start_run(marks, "hosted", host_steps=1)

    def read_run() -> Any:
        with fleet.client() as client:
            return client.get(f"/api/v1/runs/{run}").json()

    wait_for(lambda: (read_run()["steps"][2]["note"] or "").startswith("Waits for the host"), seconds=30)
    assert [step for step, _ in read_attempts(marks)] == ["mark-0", "mark-1"]
    check_refusals(fleet, "no host is up")
    host = fleet.member("host").start()
    try:
        assert wait_until_finished(fleet.web, fleet.token, run)["state"] == "succeeded"
        assert read_attempts(marks)[-1] == ("host-0", pid_of(host))
        assert read_run()["steps"][2]["note"] is None
        wait_for(lambda: host.url in ask_git(fleet).text, seconds=LEASE_SECONDS)
        check_refusals(fleet, host.url)
        second = fleet.member("second").run("up", "--port", "0")
        assert second.returncode == 1
        assert f"is the host of this database already: all, process {pid_of(host)} on" in second.stderr
        assert "--role web or --role worker" in second.stderr
    finally:
        assert host.stop() == 0, host.output


def ask_git(fleet: Fleet) -> httpx.Response:
    return plain_http.get(f"{fleet.web.url}/git/a/b.git/info/refs?service=git-upload-pack", auth=("x", fleet.token))


def check_refusals(fleet: Fleet, words: str) -> None:
    """Check that git and workloads are refused with what to do, and pages without them are not."""
    workload = plain_http.get(fleet.web.url, headers={"Host": "shop.development.orders.localhost"})
    for answer in (ask_git(fleet), workload):
        assert answer.status_code == 503, answer.text
        assert words in answer.text
    with fleet.client() as client:
        assert client.get("/api/v1/entities").status_code == 200
        assert client.get("/api/v1/repositories").status_code == 200
