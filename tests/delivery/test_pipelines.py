"""Pipelines from push to artifact, with real repositories and real commands."""

import json
import os
from pathlib import Path
from uuid import UUID

from roadbed.artifacts.contract import get_artifact, remove_artifact, unpack
from roadbed.artifacts.service.collecting import collect_unused
from roadbed.core.blobs import BlobStore
from roadbed.core.sandbox import Sandbox
from roadbed.delivery.service.reports import list_reports
from roadbed.delivery.workflows.runner import Runner
from tests.delivery.conftest import DEPLOYS, JUNIT, SCORE, STAGES, Shop, steps_of
from tests.waiting import wait_for

SBOM = {"bomFormat": "CycloneDX", "components": [{"name": "left-pad", "version": "1"}]}


def test_push_runs_the_pipeline_and_keeps_an_artifact(shop: Shop, tmp_path: Path) -> None:
    shop.files["score.yaml"] = SCORE
    shop.begin()
    commit = shop.push("work")  # only the default branch is deployed
    run = shop.ends(commit)
    assert run["state"] == "succeeded", json.dumps(run, indent=1)
    assert run["initiator"] == shop.owner.actor.label
    assert run["subject"] == f"component:default/{shop.name}"
    optional = {"setup", "lint", "integration", *DEPLOYS}
    assert steps_of(run) == {key: "skipped" if key in optional else "succeeded" for key in [*STAGES, *DEPLOYS]}
    notes = {step["key"]: step["note"] for step in run["steps"]}
    assert {notes[key] for key in DEPLOYS} == {"Only on the default branch"}
    detail = shop.detail(run["id"])
    assert detail["is_isolated"] is shop.server.services.get(Sandbox).isolation.is_isolated
    assert detail["tests"] == {"total": 1, "passed": 1, "failed": 0, "skipped": 0, "seconds": 0.1}
    scan = next(report for report in detail["reports"] if report["kind"] == "scan")
    assert scan["state"] == "not_checked"
    artifact = shop.client.get(f"/api/v1/artifacts/{detail['artifact']}").json()
    assert artifact["command"] == ["sh", "main.sh"]
    assert artifact["commit"] == commit
    sbom = shop.client.get(f"/api/v1/artifacts/{detail['artifact']}/sbom").json()
    assert sbom["components"][0]["name"] == "left-pad"
    target = tmp_path / "unpacked"
    shop.server.run(unpack(shop.server.services, detail["artifact"], target))
    assert (target / "lib" / "start").read_text() == "echo hello\n"
    said = shop.statuses(commit, until={"pipeline": "success"})
    assert said == {"pipeline": "success"} | {f"pipeline/{key}": "success" for key in [*STAGES[1:], *DEPLOYS]}
    folders = shop.server.services.get(Runner).folders
    wait_for(lambda: run["id"] not in map(str, folders.list_runs()))


def test_report_is_kept_when_the_artifact_it_describes_is_gone(shop: Shop) -> None:
    shop.targets["sbom"] = f"echo '{json.dumps(SBOM | {'serialNumber': shop.name})}' > build/sbom.cdx.json"
    shop.begin()
    run = shop.ends(shop.push("work"))
    services, kept = shop.server.services, shop.detail(run["id"])["artifact"]

    async def remove() -> list[str | None]:
        async with shop.server.database.write() as session:
            artifact = await get_artifact(session, kept)
            await remove_artifact(session, shop.owner.actor, artifact)
            return [report.blob for report in await list_reports(session, UUID(run["id"])) if report.blob]

    (digest,) = shop.server.run(remove())
    assert digest is not None
    file = shop.server.home / "blobs" / "sha256" / digest[7:9] / digest[7:]
    os.utime(file, (0, 0))
    shop.server.run(collect_unused(services))
    assert shop.name in services.get(BlobStore).read(digest).decode()


def test_failing_test_fails_the_run_and_says_which(shop: Shop) -> None:
    bad = JUNIT.format(name="subtracts", inside="<failure message='assert 3 == 1'>line 7</failure>")
    shop.targets["test"] = f'mkdir -p build/junit; echo "{bad}" > build/junit/unit.xml; echo working; exit 1'
    commit = shop.push()
    run = shop.ends(commit)
    assert run["state"] == "failed"
    assert run["error"]["message"] == "1 of 1 test failed: t.subtracts: assert 3 == 1"
    assert steps_of(run)["test"] == "failed"
    assert steps_of(run)["scan"] == "pending"
    said = shop.statuses(commit, until={"pipeline": "failure"})
    assert said["pipeline/test"] == "failure"
    assert "pipeline/scan" not in said
    page = shop.client.get(f"/runs/{run['id']}/tests").text
    assert "assert 3 == 1" in page
    assert "line 7" in page
    assert "Not checked" in page
    folders = shop.server.services.get(Runner).folders
    assert run["id"] in map(str, folders.list_runs()), "the workspace is kept for a retry"


def test_retry_goes_on_from_the_failed_stage(shop: Shop) -> None:
    shop.targets["test"] = "test -e ../second || { touch ../second; echo not yet; exit 1; }"
    run = shop.ends(shop.push())
    assert run["state"] == "failed"
    assert run["error"]["message"] == "make test ended with code 2: not yet"
    shop.client.post(f"/api/v1/runs/{run['id']}/retry")
    again = shop.run_ends(run["id"])
    assert again["state"] == "succeeded"


def test_secret_that_a_scan_finds_fails_the_run(shop: Shop) -> None:
    report = {"checks": [{"name": "secrets", "state": "failed", "detail": "a.py:3 looks like a key."}]}
    shop.targets["scan"] = f"echo '{json.dumps(report)}' > build/scan.json; exit 1"
    run = shop.ends(shop.push())
    assert run["error"]["message"] == "make scan found something. a.py:3 looks like a key."


def test_scan_without_a_report_says_not_checked(shop: Shop) -> None:
    shop.targets["scan"] = "true"
    run = shop.ends(shop.push())
    assert run["state"] == "succeeded"
    scan = next(report for report in shop.detail(run["id"])["reports"] if report["kind"] == "scan")
    assert scan["state"] == "not_checked"


def test_required_target_that_is_missing_is_named(shop: Shop) -> None:
    del shop.targets["test"]
    run = shop.ends(shop.push())
    assert run["error"]["message"] == "The Makefile has no target test."


def test_same_commit_pushed_twice_is_run_once(shop: Shop) -> None:
    commit = shop.push()
    shop.workspace.git("push", "-q", "origin", "HEAD:refs/heads/other")
    path = f"/api/v1/repositories/{shop.repository.full_name}/pipeline-runs"
    answers = [shop.client.post(path, json={"commit": commit}) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {201}
    run = shop.ends(commit)
    assert {answer.json()["run_id"] for answer in answers} == {run["id"]}
    assert len(shop.runs_of(commit)) == 1


def test_commit_that_comes_to_the_default_branch_runs_there_too(shop: Shop) -> None:
    shop.begin()
    commit = shop.push("work")
    first = shop.ends(commit)
    shop.workspace.git("push", "-q", "origin", "HEAD:main")
    wait_for(lambda: len(shop.runs_of(commit)) == 2)
    second = shop.run_ends(shop.runs_of(commit)[0]["run_id"])
    assert second["id"] != first["id"]
    assert second["inputs"]["is_default_branch"] is True


def test_stage_that_deploys_and_does_something_else_is_refused(shop: Shop) -> None:
    shop.uses_pipeline(f"""
apiVersion: roadbed.dev/v1
kind: Pipeline
metadata: {{name: {shop.name}}}
spec:
  version: "1"
  stages:
    - {{id: both, steps: [{{make: build}}, {{uses: deploy, with: {{environment: development}}}}]}}
""")
    commit = shop.push()
    said = shop.statuses(commit, until={"pipeline": "error"})
    assert said == {"pipeline": "error"}


def test_own_pipeline_adds_stages_and_keeps_the_required_ones(shop: Shop) -> None:
    shop.uses_pipeline(f"""
apiVersion: roadbed.dev/v1
kind: Pipeline
metadata: {{name: {shop.name}}}
spec:
  version: "3"
  stages:
    - {{id: test, steps: [{{make: nothing}}]}}
    - {{id: build, steps: [{{make: other-build}}]}}
    - {{id: load, needs: [integration], steps: [{{make: load}}]}}
""")
    shop.targets |= {"nothing": "true", "load": "echo loaded", "other-build": shop.targets["build"]}
    run = shop.ends(shop.push())
    assert run["state"] == "succeeded"
    keys = [step["key"] for step in run["steps"]]
    assert keys == [*STAGES[:5], "load", *STAGES[5:], *DEPLOYS]
    assert "make test" in shop.log(run["id"], "test"), "a required stage is not replaced"
    assert "make other-build" in shop.log(run["id"], "build")
    assert shop.detail(run["id"])["version"].startswith("3+")


def test_standard_pipeline_is_changed_by_nobody(shop: Shop) -> None:
    platform = shop.server.client_as("platform-engineer")
    answer = shop.put(
        "apiVersion: roadbed.dev/v1\nkind: Pipeline\nmetadata: {name: standard}\n"
        "spec: {version: '0', stages: [{id: test, steps: [{make: nothing}]}]}"
    )
    assert answer.json()["code"] == "catalog.entity_managed"
    assert platform.delete("/api/v1/entities/pipeline/default/standard").json()["code"] == "catalog.entity_managed"


def test_stage_that_takes_too_long_is_ended_with_all_it_started(shop: Shop) -> None:
    pipeline = f"""
apiVersion: roadbed.dev/v1
kind: Pipeline
metadata: {{name: {shop.name}}}
spec:
  version: "1"
  stages:
    - {{id: slow, timeoutSeconds: 1, steps: [{{make: slow}}]}}
"""
    shop.uses_pipeline(pipeline)
    shop.targets["slow"] = "echo began; (sleep 987654 & setsid sleep 987654 & wait)"
    run = shop.ends(shop.push())
    assert run["error"]["message"].startswith("make slow did not end within")
    assert "began" in shop.log(run["id"], "slow")
    left = [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"987654" in read_bytes(path)]
    assert left == []


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # it has ended
        return b""


def test_pipeline_sees_nothing_of_the_server(shop: Shop) -> None:
    home = shop.server.home
    probes = [f"{home}/secrets.key", str(home), f"{home}/blobs", "/proc/1/environ"]
    lines = "; ".join(f'cat {path} >/dev/null 2>&1 && echo "READ {path}"; ls {path} 2>/dev/null' for path in probes[:3])
    shop.targets["test"] = f"{lines}; env | sort; touch {home}/mine 2>/dev/null && echo WROTE; true"
    run = shop.ends(shop.push())
    assert run["state"] == "succeeded"
    log = shop.log(run["id"], "test")
    assert "READ" not in log
    assert "WROTE" not in log
    assert "secrets.key" not in log
    assert "ROADBED_SECRETS" not in log
    assert "CI=true" in log
    assert f"ROADBED_REPOSITORY={shop.repository.full_name}" in log
    assert not (home / "mine").exists()


def test_links_out_of_the_workspace_are_not_read(shop: Shop) -> None:
    """What a pipeline leaves behind is read by the server, which sees more than the pipeline did."""
    shop.targets["test"] = "mkdir -p build/junit && ln -s /etc/passwd build/junit/unit.xml"
    shop.targets["build"] = "ln -s /etc build/app"
    run = shop.ends(shop.push())
    detail = shop.detail(run["id"])
    assert detail["tests"] is None
    assert detail["artifact"] is None
    assert "The build left no folder build/app" in shop.log(run["id"], "artifact")


def test_unreadable_report_is_shown_and_does_not_fail(shop: Shop) -> None:
    shop.targets["test"] = "mkdir -p build/junit && echo oops > build/junit/unit.xml"
    run = shop.ends(shop.push())
    assert run["state"] == "succeeded"
    report = next(report for report in shop.detail(run["id"])["reports"] if report["kind"] == "junit")
    assert report["state"] == "unreadable"
    assert "not XML" in report["summary"]["reason"]


def test_cache_passes_from_one_run_to_the_next(shop: Shop) -> None:
    shop.targets["test"] = "mkdir -p $$UV_CACHE_DIR; cat $$UV_CACHE_DIR/seen; echo before >> $$UV_CACHE_DIR/seen; true"
    shop.statuses(shop.push(), until={"pipeline": "success"})
    shop.statuses(second := shop.push(), until={"pipeline": "success"})
    assert "before" in shop.log(shop.ends(second)["id"], "test")


def test_files_of_the_commit_are_known_to_git(shop: Shop) -> None:
    shop.files[".gitignore"] = "build\n"
    shop.targets["test"] = "git ls-files"
    run = shop.ends(shop.push())
    assert "main.sh" in shop.log(run["id"], "test")


def test_cancelled_run_ends_its_commands_and_says_so(shop: Shop) -> None:
    shop.targets["test"] = "echo begun; sleep 876543"
    commit = shop.push()
    run_id = shop.run_of(commit)["run_id"]
    wait_for(lambda: "begun" in shop.log(run_id, "test"))
    shop.client.post(f"/api/v1/runs/{run_id}/cancel")
    assert shop.run_ends(run_id)["state"] == "cancelled"
    assert shop.statuses(commit, until={"pipeline": "error"})["pipeline/test"] == "error"
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if b"876543" in read_bytes(path)]


def test_repository_without_a_makefile_is_left_alone(shop: Shop) -> None:
    workspace = shop.workspace
    commit = workspace.commit("README.md", "# Nothing to build\n")
    workspace.git("push", "-q", "origin", "HEAD:main")
    path = f"/api/v1/repositories/{shop.repository.full_name}/pipeline-runs"
    answer = shop.client.post(path, json={"commit": commit})
    assert answer.status_code == 422
    assert answer.json()["code"] == "delivery.nothing_to_run"
    assert shop.runs_of(commit) == []


def test_unknown_pipeline_is_said_on_the_commit(shop: Shop) -> None:
    shop.names_pipeline("nowhere")
    commit = shop.push()
    assert shop.statuses(commit, until={"pipeline": "error"}) == {"pipeline": "error"}
    assert shop.runs_of(commit) == []


def test_viewer_cannot_start_a_pipeline(shop: Shop) -> None:
    viewer = shop.server.client_as("viewer")
    path = f"/api/v1/repositories/{shop.repository.full_name}/pipeline-runs"
    assert viewer.post(path, json={"commit": "main"}).status_code == 403
    assert viewer.get("/api/v1/pipelines/runs").status_code == 200
