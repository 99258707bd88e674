"""A server that is killed within a stage, on a machine that isolates commands and on one that cannot.

pytestmark = pytest.mark.slow

The second machine is made by a PATH without the programs that isolate. What else differs between the two is tested on
the same servers: who may start commands, what is marked, and what commands can reach.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from uuid import uuid4

import psutil
import pytest

from tests.folders import make_home
from tests.main_job.support import Installation, Json
from tests.process import RoadbedProcess
from tests.waiting import wait_for

ISOLATING = ("bwrap", "setpriv")
SECRET = f"not-for-commands-{uuid4().hex}"
COMPONENT = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: {name}}}
spec: {{type: service, lifecycle: experimental, owner: "group:default/nobody"}}
"""
SCORE = """apiVersion: score.dev/v1b1
metadata: {{name: {name}}}
containers: {{main: {{image: ., command: [sh, main.sh]}}}}
"""
RESTS = {
    "scan": """mkdir -p build && echo '{"checks": []}' > build/scan.json""",
    "sbom": """mkdir -p build && echo '{"bomFormat": "CycloneDX", "components": []}' > build/sbom.cdx.json""",
    "build": "mkdir -p build/app && cp main.sh *.py build/app/",
}
SPY = '''
    """Tells what it can read of what does not concern it."""
    import glob
    import os
    import socket
    import sys

    secret = sys.argv[1].encode()[::-1]  # turned round, so that it does not find itself
    for pattern in sys.argv[2:]:
        for path in glob.glob(pattern) or [pattern]:
            try:
                if os.path.isdir(path):
                    os.listdir(path)
                elif path.endswith(".5432"):
                    socket.socket(socket.AF_UNIX).connect(path)
                else:
                    open(path, "rb").read(1)
            except OSError as error:
                print("refused", path, error.strerror)
            else:
                print("REACHED", path)
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            if secret in open(path, "rb").read():
                print("REACHED", path)
        except OSError:
            pass
    print("looked around", flush=True)
'''


class Machine(Installation):
    """A server with a repository for each service, whose pipeline runs what `targets` say."""

    def service(self, name: str) -> Path:
        """Put a component into the catalog; return a clone of its new repository."""
        self.post("/api/v1/repositories", owner="makers", name=name, is_protected=False)
        headers = {"Content-Type": "application/yaml"}
        answer = self.client.post("/api/v1/entities", content=COMPONENT.format(name=name), headers=headers)
        assert answer.is_success, answer.text
        clone = self.folder / name
        clone.mkdir()
        self.git(clone, "init", "--quiet", "--initial-branch=main")
        (clone / "README.md").write_text("Without a Makefile nothing is run.\n")
        self.git(clone, "add", "--all")
        self.git(clone, "commit", "--quiet", "--message=Begin")
        self.git(clone, "push", "--quiet", self.address("makers", name), "HEAD:main")
        return clone

    def push(self, clone: Path, targets: dict[str, str], *, branch: str = "work", token: str = "", **files: str) -> str:
        """Commit files and a Makefile and push them; returns the commit."""
        rules = "".join(f"{target}:\n\t@{line}\n" for target, line in (RESTS | targets).items())
        known = {
            "Makefile": f".PHONY: {' '.join(RESTS | targets)}\n{rules}",
            "catalog-info.yaml": COMPONENT.format(name=clone.name),
            "score.yaml": SCORE.format(name=clone.name),
            "main.sh": "sleep 300\n",
            "spy.py": dedent(SPY),
        }
        for name, text in (known | {name.replace("_", "."): text for name, text in files.items()}).items():
            (clone / name).write_text(text)
        self.git(clone, "add", "--all")
        self.git(clone, "commit", "--quiet", "--message=Change")
        address = self.address("makers", clone.name).replace(self.token, token or self.token)
        self.git(clone, "push", "--quiet", "--force", address, f"HEAD:{branch}")
        return self.git(clone, "rev-parse", "HEAD")

    def find_pipeline(self, commit: str) -> Json | None:
        found: list[Json] = self.get("/api/v1/pipelines/runs", commit=commit)["items"]
        return found[0] if found else None

    def pipeline(self, commit: str) -> Json:
        """Return the pipeline run of a commit, as soon as there is one."""
        found: Json = wait_for(lambda: self.find_pipeline(commit), what=f"the pipeline of {commit}")
        return found

    def log(self, run_id: str, step: str) -> str:
        return self.client.get(f"/api/v1/runs/{run_id}/steps/{step}/log.txt").text

    def page(self, path: str) -> str:
        answer = self.client.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    def workload(self, name: str) -> Json:
        """Return the workload of a service in development, as soon as it is healthy."""

        def find() -> Json | None:
            found: list[Json] = self.get("/api/v1/workloads", component=f"component:default/{name}")["items"]
            return next(
                (one for one in found if one["environment"] == "development" and one["state"] == "running"), None
            )

        found: Json = wait_for(find, what=f"the workload {name}")
        return found


def path_without(folder: Path, *programs: str) -> str:
    """Return a PATH that has all programs of the machine's own but some."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(":")):
        for program in Path(place).glob("*"):
            link = folder / program.name
            link.unlink(missing_ok=True)
            if program.name not in programs:
                link.symlink_to(program)
    return str(folder)


def start(folder: Path, **env: str) -> Iterator[Machine]:
    home = make_home(folder)
    limits = {"ROADBED_DELIVERY__OUTPUT_BYTES": "20000", "ROADBED_ENVIRONMENTS__READY_SECONDS": "20"}
    made = Machine(RoadbedProcess(home, {"NOT_FOR_COMMANDS": SECRET} | limits | env), folder)
    try:
        made.roadbed.start()
        made.token = made.roadbed.token()
        yield made
    finally:
        made.close()
        if made.roadbed.process is not None:
            made.roadbed.stop()


@pytest.fixture(scope="module")
def isolating(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    yield from start(tmp_path_factory.mktemp("machine"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    yield from start(folder, PATH=path_without(folder / "bin", *ISOLATING))


def count_processes(mark: str) -> int:
    found = 0
    for process in psutil.process_iter():
        try:
            found += process.status() != psutil.STATUS_ZOMBIE and mark in process.cmdline()
        except psutil.Error:  # it has ended
            continue
    return found


@pytest.mark.parametrize("kind", ["isolating", "bare"])
def test_stage_that_a_kill_cut_off_is_begun_once_more_and_nothing_of_it_is_left(
    kind: str, request: pytest.FixtureRequest
) -> None:
    machine: Machine = request.getfixturevalue(kind)
    mark, name = f"300.{uuid4().int % 10**9}", f"cut-{kind}"
    again = f"test -e ../begun && exit 0; touch ../begun; setsid sleep {mark} & (setsid sleep {mark} &) ; sleep {mark}"
    commit = machine.push(machine.service(name), {"test": again})
    run_id = machine.pipeline(commit)["run_id"]
    wait_for(lambda: count_processes(mark) == 3, what="the commands of the stage")
    machine.roadbed.kill()
    if kind == "bare":
        assert count_processes(mark), "without isolation commands outlive a killed server"
    machine.roadbed.start()
    assert count_processes(mark) == 0, "they are ended before the server says that it is there"
    run = machine.ends(run_id)
    assert run["state"] == "succeeded", run["error"]
    attempts = {step["key"]: step["attempt"] for step in run["steps"] if step["state"] == "succeeded"}
    assert attempts.pop("test") == 2
    assert set(attempts.values()) == {1}
    digest = machine.pipeline(commit)["artifact"]
    artifacts = [item["name"] for item in machine.get("/api/v1/inventory", kind="artifact")["items"]]
    assert artifacts.count(digest) == 1
    assert machine.get("/api/v1/inventory", unexplained=True)["items"] == []


def test_pipeline_that_cannot_be_isolated_is_retried_by_those_who_may_start_it(bare: Machine) -> None:
    commit = bare.push(bare.service("retried"), {"test": "test -e ../tried || { touch ../tried; exit 1; }"})
    run_id = bare.pipeline(commit)["run_id"]
    assert bare.ends(run_id)["state"] == "failed"
    with bare.roadbed.client(bare.roadbed.token("developer")) as developer:
        refused = developer.post(f"/api/v1/runs/{run_id}/retry")
        assert "/retry" not in developer.get(f"/runs/{run_id}").text
    assert (refused.status_code, refused.json()["code"]) == (403, "delivery.not_isolated")
    assert bare.run(run_id)["state"] == "failed"
    assert bare.client.post(f"/api/v1/runs/{run_id}/retry").status_code == 200
    assert bare.ends(run_id)["state"] == "succeeded"


def test_only_admins_start_what_cannot_be_isolated_and_it_is_marked(bare: Machine) -> None:
    clone, developer = bare.service("marked"), bare.roadbed.token("developer")
    commit = bare.push(clone, {"test": "true"}, branch="main", token=developer)
    said = "Not started: This machine cannot isolate the commands of a pipeline: bubblewrap is not installed"
    wait_for(
        lambda: said in bare.page(f"/repositories/makers/marked/commits/{commit}"), what="the status of the commit"
    )
    assert bare.find_pipeline(commit) is None
    refuses(bare, developer, "/api/v1/repositories/makers/marked/pipeline-runs", {"commit": commit})
    run_id = bare.post("/api/v1/repositories/makers/marked/pipeline-runs", commit=commit)["run_id"]
    workload = bare.workload("marked")
    assert workload["is_isolated"] is False
    pipeline = bare.pipeline(commit)
    assert pipeline["is_isolated"] is False
    assert bare.run(run_id)["title"].endswith("not isolated")
    place = "/environments/marked/development"
    steering = f"{place}/workloads/marked"
    for path in (f"/runs/{run_id}", f"/runs/{run_id}/tests", "/environments", place, f"{steering}/log"):
        assert "not isolated" in bare.page(path).lower(), path
    entity = bare.page("/catalog/component/default/marked")
    for card in ("where", "pipeline-runs"):
        assert "not isolated" in entity.partition(f'aria-labelledby="{card}"')[2].partition("</section>")[0], card
    wish = {"component": "component:default/marked", "environment": "development"}
    refuses(bare, developer, "/api/v1/deployments", wish)
    refuses(bare, developer, f"/api/v1{steering}/restart", {})
    with bare.roadbed.client(developer) as client:
        stopped = client.post(f"/api/v1{steering}/stop")
    assert stopped.status_code == 202, "who stops a workload starts nothing"
    assert bare.ends(stopped.json()["run_id"])["state"] == "succeeded"
    refuses(bare, developer, f"/api/v1{steering}/restart", {})


def refuses(bare: Machine, token: str, path: str, body: Json) -> None:
    with bare.roadbed.client(token) as client:
        answer = client.post(path, json=body)
    assert (answer.status_code, answer.json()["code"].partition(".")[2]) == (403, "not_isolated"), answer.text
    assert "bubblewrap is not installed" in answer.json()["detail"]
    assert "bubblewrap" in answer.json()["hint"]


def test_commands_of_pipelines_and_workloads_reach_nothing_of_the_server_nor_of_each_other(isolating: Machine) -> None:
    home, owner = isolating.roadbed.home, isolating.service("neighbour")
    kept = isolating.ends(isolating.pipeline(isolating.push(owner, {"test": "exit 1"}))["run_id"])
    assert (home / "delivery" / "workspaces" / kept["id"] / "source" / "Makefile").is_file()
    pointer = home / "postgres" / "location"
    postgres = Path(pointer.read_text().strip()) if pointer.exists() else home / "postgres"
    assert isolating.roadbed.process is not None
    wanted = [
        home / "secrets.key",
        *(path for path in postgres.rglob(".s.PGSQL.*") if not path.name.endswith(".lock")),
        postgres / "data" / "postgresql.conf",
        home / "delivery" / "workspaces" / kept["id"] / "source" / "*",
        home / "delivery" / "caches" / "*",
        home / "repositories" / "*" / "HEAD",
        home / "blobs" / "sha256" / "*" / "*",
        Path(f"/proc/{isolating.roadbed.process.pid}/environ"),
    ]
    assert any(path.name.startswith(".s.PGSQL") for path in wanted)
    look = f"python3 spy.py {SECRET[::-1]} " + " ".join(f"'{path}'" for path in wanted)
    clone = isolating.service("spy")
    files = {"main_sh": f"{look}; sleep 300\n"}
    commit = isolating.push(clone, {"test": look}, branch="main", **files)
    run_id = isolating.pipeline(commit)["run_id"]
    isolating.workload("spy")
    path = "/api/v1/environments/spy/development/workloads/spy/logs"
    said = wait_for(lambda: "looked around" in (text := str(isolating.get(path)["lines"])) and text)
    for text in (isolating.log(run_id, "test"), said):
        assert "looked around" in text
        assert f"refused {home}/secrets.key" in text
        assert "REACHED" not in text


def test_output_over_the_limit_is_dropped_and_the_setting_named(isolating: Machine) -> None:
    clone = isolating.service("talking")
    commit = isolating.push(clone, {"test": "head -c 300000 /dev/zero | tr '\\0' x; printf 'a\\0b'"})
    run = isolating.ends(isolating.pipeline(commit)["run_id"])
    assert run["state"] == "succeeded", run["error"]
    log = isolating.log(run["id"], "test")
    assert "make test printed more than 20.0 kB: 280 kB were dropped." in log
    assert "raise ROADBED_DELIVERY__OUTPUT_BYTES" in log
    assert len(log) < 25_000
