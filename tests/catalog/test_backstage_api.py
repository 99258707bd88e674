"""What a real Backstage answered, Roadbed answers too, but for the differences that are listed with their reasons.

Cases, data set and comparison come from outside the repository; where they are absent these tests are skipped and say
so. The data set is replayed twice: as it is, and without the entities that Backstage loses and Roadbed keeps, where
the cases that differ because of these must not differ any more.
"""

import importlib.util
import json
import os
import shutil
import socket
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import yaml

from tests.folders import let_postgres_pass
from tests.process import RoadbedProcess

SHARED = Path(os.environ.get("ROADBED_SHARED", Path(__file__).parents[2] / ".." / "shared"))
RECORDED = SHARED / "conformance" / "backstage-api"
EXPECTED = tomllib.loads((Path(__file__).parent / "backstage_differences.toml").read_text())

Differences = dict[str, list[str]]


def load_cases() -> list[dict[str, Any]]:
    path = RECORDED / "cases.json"
    cases: list[dict[str, Any]] = json.loads(path.read_text())["cases"] if path.exists() else []
    return cases


CASES = {case["id"]: case for case in load_cases()}


@pytest.fixture(scope="module")
def replay() -> Iterator[ModuleType]:
    """The comparison that came with the recording, serving files for the cases that need it."""
    spec = importlib.util.spec_from_file_location("replay", RECORDED / "replay.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serving = module.start_serving(f"127.0.0.1:{port}")
    yield module
    serving.shutdown()
    serving.server_close()


@pytest.fixture(scope="module")
def fresh_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RoadbedProcess]:
    home = tmp_path_factory.mktemp("backstage-home")
    let_postgres_pass(home)
    roadbed = RoadbedProcess(home / "home", {"ROADBED_OUTBOUND__ALLOWED_HOSTS": "127.0.0.1"}).start()
    yield roadbed
    assert roadbed.stop() == 0, roadbed.output


@dataclass
class Data:
    """The data set in a folder of its own, registered as one location."""

    folder: Path
    api: httpx.Client
    location_id: str = ""

    def write(self, *, without: list[str]) -> None:
        """Write all files anew, leaving out documents by `kind:name`."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(RECORDED / "bsdata", self.folder)
        for path in self.folder.rglob("*.yaml") if without else ():
            path.chmod(0o644)
            parts = path.read_text().split("\n---")
            path.write_text("\n---".join(part for part in parts if name_of(part) not in without))

    def read(self) -> None:
        """Have it read, and wait."""
        if self.location_id:
            answer = self.api.post(f"/api/v1/locations/{self.location_id}/refresh")
        else:
            wanted = {"type": "file", "target": f"{self.folder}/root.yaml"}
            answer = self.api.post("/api/v1/locations", json=wanted)
            self.location_id = answer.json()["location_id"]
        with self.api.stream("GET", f"/api/v1/runs/{answer.json()['run_id']}/events") as stream:
            for line in stream.iter_lines():
                if line == "event: end":
                    break


def name_of(text: str) -> str:
    """Return `kind:name` of a YAML document, as far as it can be read."""
    try:
        document = yaml.safe_load(text.removeprefix("---"))
        return f"{document['kind']}:{document['metadata']['name']}"
    except (yaml.YAMLError, TypeError, KeyError):
        return ""


@pytest.fixture(scope="module")
def found(
    replay: ModuleType, fresh_server: RoadbedProcess, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Differences, Differences]:
    """Differences by case: without what Roadbed keeps, for the cases that it changes, and of the whole data set."""
    folder = tmp_path_factory.mktemp("data") / "bsdata"
    let_postgres_pass(folder.parent)
    token = fresh_server.token()
    data = Data(folder, fresh_server.client(token))
    client = replay.Client(fresh_server.url, token, "/api/catalog")

    def run(names: list[str]) -> Differences:
        return {name: replay.run_case(client, CASES[name])[0] for name in names}

    data.write(without=EXPECTED["kept"]["entities"])
    data.read()
    without = run([name for name, reason in EXPECTED["cases"].items() if reason == "kept" and name in CASES])
    data.write(without=[])
    data.read()
    whole = run(list(CASES))
    if client.conn is not None:
        client.conn.close()
    return without, whole


@pytest.mark.skipif(not CASES, reason=f"{RECORDED} is not there; set ROADBED_SHARED")
@pytest.mark.slow
def test_answers_are_backstages_unless_a_difference_is_listed(found: tuple[Differences, Differences]) -> None:
    without, whole = found
    listed = {name for name in EXPECTED["cases"] if name in CASES}
    assert {name: whole[name] for name in whole.keys() - listed if whole[name]} == {}
    assert [name for name in listed if not whole[name]] == [], "no longer differ; take them from the list"
    assert {name: faults for name, faults in without.items() if faults} == {}, "differ for another reason too"


def test_every_listed_difference_has_a_reason_that_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "backstage-compatibility.md").read_text()
    assert set(EXPECTED["cases"].values()) <= set(EXPECTED["reasons"])
    for reason in EXPECTED["reasons"].values():
        assert reason in page
