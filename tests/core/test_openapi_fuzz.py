"""Requests made out of the description of the REST API, sound ones and broken ones: none of them ends in an error 500.

Few examples of each, always the same: `python -m tests.core.test_openapi_fuzz 50` makes more of them by hand.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from tests.catalog.conftest import component, group
from tests.process import RoadbedProcess

EXAMPLES = 1
SECONDS = 30
API = """---
apiVersion: backstage.io/v1alpha1
kind: API
metadata: {name: fuzzed}
spec: {type: openapi, lifecycle: production, owner: fuzzed, definition: "openapi: 3.0.0"}
"""
OF_REPOSITORIES = {
    "owner": "fuzzed",
    "name": "fuzzed",
    "number": "1",
    "sha": "main",
    "branch": "main",
    "path": "README.md",
}
OF_PATHS = {"namespace": "default", "name": "python-fastapi"}


@dataclass
class Fuzzing:
    """Sends requests and counts what is answered. `faults` are those answered with an error of ours, once each."""

    server: RoadbedProcess
    token: str
    session: requests.Session
    known: dict[str, str]
    answers: Counter[int] = field(default_factory=Counter)
    faults: dict[str, str] = field(default_factory=dict)

    def run(self, *, examples: int, has_invented: bool = False) -> None:
        """Send so many requests of each sort to each operation.

        Args:
            examples: how many at most.
            has_invented: ask about what is not there also where something is known to be there.
        """
        with self.server.client(self.token) as client:
            document = client.get("/api/v1/openapi.json").json()
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            assert isinstance(found, Ok), found
            operation = found.ok()
            places = self._find_places(operation.path, [one.name for one in operation.path_parameters])
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                for place in places if has_invented else places[:1]:
                    self._send_all(operation.as_strategy(generation_mode=mode, path_parameters=place), examples)

    def _find_places(self, path: str, names: list[str]) -> list[dict[str, str] | None]:
        """Return the parameters of a path that lead to something, and none, for invented ones."""
        known = self.known
        if "/repositories/" in path:
            known = OF_REPOSITORIES
        elif "/paths/" in path:
            known = OF_PATHS
        elif path.endswith("/ownership"):
            known = {**known, "kind": "group"}
        elif "/definition" in path:
            known = {**known, "kind": "api"}
        place = {name: known[name] for name in names if name in known}
        return [place, None] if place else [None]

    def _send_all(self, strategy: Any, examples: int) -> None:
        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(strategy)
        def send(case: schemathesis.Case[Any]) -> None:
            self._send(case)

        send()

    def _send(self, case: schemathesis.Case[Any]) -> None:
        request = case.as_transport_kwargs(base_url=self.server.url)
        request["headers"] = {**(request.get("headers") or {}), "Authorization": f"Bearer {self.token}"}
        try:
            answer = self.session.request(**request, timeout=SECONDS, allow_redirects=False)
        except (requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL, UnicodeError):
            return  # the client cannot send it
        self.answers[answer.status_code] += 1
        if answer.status_code == 500:
            label = f"{case.operation.method.upper()} {case.operation.path}"
            self.faults.setdefault(label, f"{answer.text}\n{request}")


@contextmanager
def fuzz(home: Path) -> Iterator[Fuzzing]:
    """Start a Roadbed with a few things in it, which requests can be about."""
    server = RoadbedProcess(home).start()
    try:
        token = server.token()
        with server.client(token) as client:
            written = component("fuzzed", dependsOn="[component:fuzzed, resource:none]") + API + group("fuzzed")
            as_yaml = {"Content-Type": "application/yaml"}
            client.post("/api/v1/entities", content=written, headers=as_yaml).raise_for_status()
            client.post("/api/v1/repositories", json={"owner": "fuzzed", "name": "fuzzed"}).raise_for_status()
            wish = {"type": "git", "target": "roadbed:fuzzed/fuzzed"}
            started = client.post("/api/v1/locations", json=wish).raise_for_status().json()
        entity = {"kind": "component", "namespace": "default", "name": "fuzzed", "position": "1"}
        with requests.Session() as session:
            yield Fuzzing(server, token, session, {**entity, **started, "path": "fuzzed/secret"})
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::hypothesis.errors.HypothesisDeprecationWarning")
def test_no_request_ends_in_an_error_500(tmp_path: Path) -> None:
    with fuzz(tmp_path / "home") as fuzzing:
        fuzzing.run(examples=EXAMPLES)
    assert fuzzing.faults == {}
    assert fuzzing.answers[200] > 20
    assert fuzzing.answers[422] > 20


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch, fuzz(Path(scratch) / "home") as by_hand:
        try:
            by_hand.run(examples=int(sys.argv[1]), has_invented=True)
        finally:  # also what was found until it was interrupted
            found = (f"{label}: {told}" for label, told in by_hand.faults.items())
            print(dict(by_hand.answers), *found, sep="\n")  # noqa: T201
