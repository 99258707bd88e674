"""A server that is killed within a stage, on a machine that isolates commands and on one that cannot.

The second machine is made by a PATH without the programs that isolate.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

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
    "build": "mkdir -p build/app && cp main.sh build/app/",
}


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
    for parent in (folder, *folder.parents[:3]):
        if parent.name.startswith(("pytest-", "test_", "popen-", "run", "roadbed-tests-", "machine")):
            parent.chmod(0o755)
    home = folder / "home"
    home.mkdir(mode=0o755)
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


def test_output_over_the_limit_is_dropped_and_the_setting_named(isolating: Machine) -> None:
    clone = isolating.service("talking")
    commit = isolating.push(clone, {"test": "head -c 300000 /dev/zero | tr '\\0' x; printf 'a\\0b'"})
    run = isolating.ends(isolating.pipeline(commit)["run_id"])
    assert run["state"] == "succeeded", run["error"]
    log = isolating.log(run["id"], "test")
    assert "make test printed more than 20.0 kB: 280 kB were dropped." in log
    assert "raise ROADBED_DELIVERY__OUTPUT_BYTES" in log
    assert len(log) < 25_000
