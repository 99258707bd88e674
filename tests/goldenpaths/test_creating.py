"""Creating services from golden paths, over REST."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.goldenpaths.conftest import Paths, git

StepsOf = Callable[[dict[str, Any]], dict[str, str]]


def test_run_renders_a_repository_and_registers_its_entity(paths: Paths, tmp_path: Path, steps_of: StepsOf) -> None:
    paths.publish_folder("service")

    run = paths.start(name="refunds", owner="group:default/checkout")

    assert run["state"] == "succeeded", run
    assert run["title"] == "Create refunds"
    assert run["subject"] == "component:default/refunds"
    assert steps_of(run) == {
        "fetch": "succeeded",
        "extras": "skipped",
        "ports": "skipped",
        "publish": "succeeded",
        "register": "succeeded",
        "log": "succeeded",
        "roadbed-output": "succeeded",
    }
    clone = paths.clone("checkout", "refunds", tmp_path / "refunds")
    assert (clone / "run.sh").read_text() == '#!/bin/sh\necho "REFUNDS"\n'
    assert (clone / "run.sh").stat().st_mode & 0o100
    assert (clone / "docs" / "raw.md").read_text() == "Written as ${{ values.name }}.\n"
    entity = paths.api.get("/api/v1/entities/component/default/refunds").json()
    assert entity["spec"]["owner"] == "group:default/checkout"
    assert "Created component:default/refunds" in paths.log(run, "log")
    links = {link["title"]: link["href"] for link in run["links"]}
    assert links["checkout/refunds"] == "/repositories/checkout/refunds"
    assert links["Open it in the catalog"] == "/catalog/component/default/refunds"
    assert "Never" not in links


def test_repository_remembers_its_path_version_and_answers(paths: Paths, tmp_path: Path) -> None:
    name = paths.publish_folder("service")

    run = paths.start(name="remembers", owner="group:default/checkout", token="secret://checkout/token")

    assert run["state"] == "succeeded", run
    clone = paths.clone("checkout", "remembers", tmp_path / "clone")
    provenance = yaml.safe_load((clone / ".roadbed" / "path.yaml").read_text())
    assert provenance["path"] == f"template:default/{name}"
    assert provenance["version"] == "1.2.0"
    assert provenance["repository"] == f"path-tests/{name}"
    assert len(provenance["commit"]) == 40
    assert provenance["answers"]["lifecycle"] == "experimental"
    assert provenance["answers"]["token"] == "secret://checkout/token"
    git(clone, "fetch", "--quiet", "origin", "refs/roadbed/path")
    assert git(clone, "rev-parse", "FETCH_HEAD") == git(clone, "rev-list", "--max-parents=0", "main")
    assert paths.api.get(f"/api/v1/paths/default/{name}").json()["used_by"] == 1
