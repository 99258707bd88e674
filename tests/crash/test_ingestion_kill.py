"""kill -9 while a location is read: what it holds is seen as it was before or as it is then, and nothing in between."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.crash.test_kill import wait_until_finished
from tests.folders import make_home
from tests.moments import draw_moments
from tests.process import RoadbedProcess

SEED = 20261128
FILES, ENTITIES = 20, 100
KILLS = 4
COMPONENT = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: c-{number}, description: {version}}}
spec: {{type: service, lifecycle: production, owner: nobody}}
"""


@pytest.fixture
def roadbed(tmp_path: Path) -> Iterator[RoadbedProcess]:
    home = make_home(tmp_path)
    roadbed = RoadbedProcess(home).start()
    yield roadbed
    roadbed.stop()


def write(folder: Path, version: str) -> None:
    """Write all files anew, each entity with the version as its description."""
    folder.mkdir(exist_ok=True)
    for file in range(FILES):
        numbers = range(file * ENTITIES, (file + 1) * ENTITIES)
        documents = [COMPONENT.format(number=number, version=version) for number in numbers]
        (folder / f"{file}.yaml").write_text("---\n".join(documents))


def seen(client: httpx.Client) -> dict[str, int]:
    """Return the versions that there are, counted."""
    answer = client.get(
        "/api/catalog/entity-facets", params={"facet": "metadata.description", "filter": "kind=component"}
    )
    assert answer.status_code == 200, answer.text
    return {facet["value"]: facet["count"] for facet in answer.json()["facets"]["metadata.description"]}


def read_and_kill(roadbed: RoadbedProcess, location: str, version: str, *, seconds: float) -> dict[str, int]:
    """Have a location read, kill the server, and return what is seen first after the next start.

    Waits until the run has ended: taken up again, it would read what is half written for the next time.
    """
    token = roadbed.token()
    with roadbed.client(token) as client:
        run_id = client.post(f"/api/v1/locations/{location}/refresh").raise_for_status().json()["run_id"]
    time.sleep(seconds)  # nothing tells how far the reading is: the kill comes at a moment that was drawn
    roadbed.kill()
    roadbed.start()
    with roadbed.client(token) as client:
        first = seen(client)
        wait_until_finished(roadbed, token, run_id)
        last = seen(client)
    assert last == {version: FILES * ENTITIES}
    return first


@pytest.mark.slow
def test_location_is_seen_as_it_was_or_as_it_is(
    roadbed: RoadbedProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moments = draw_moments(capsys, f"{KILLS} kills while a location is read", seed=SEED)
    folder = tmp_path / "files"
    write(folder, "v0")
    with roadbed.client(roadbed.token()) as client:
        # The schedule would take what is half written here for a version of its own.
        wish = {"type": "file", "target": f"{folder}/*.yaml", "interval_seconds": 86_400}
        answer = client.post("/api/v1/locations", json=wish)
        assert answer.status_code == 201, answer.text
        made = answer.json()
        wait_until_finished(roadbed, roadbed.token(), made["run_id"])
        assert seen(client) == {"v0": FILES * ENTITIES}
    for number in range(1, KILLS + 1):
        write(folder, f"v{number}")
        first = read_and_kill(roadbed, made["location_id"], f"v{number}", seconds=moments.uniform(0, 1.2))
        assert first in [{f"v{known}": FILES * ENTITIES} for known in (number - 1, number)]
