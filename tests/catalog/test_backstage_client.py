"""The published client of Backstage's catalog works against Roadbed, operation by operation."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import platformdirs
import pytest

from tests.catalog.conftest import Place, component

HERE = Path(__file__).parent / "backstage_client"


@pytest.fixture(scope="session")
def client_folder() -> Path:
    """The client as npm installs it from the lock file, kept from run to run."""
    folder = platformdirs.user_cache_path("roadbed-tests") / "backstage-client"
    folder.mkdir(parents=True, exist_ok=True)
    lock = (HERE / "package-lock.json").read_bytes()
    installed = folder / "installed"
    if not installed.exists() or installed.read_bytes() != lock:
        if shutil.which("npm") is None or shutil.which("node") is None:
            pytest.skip("node and npm are not there")
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, folder / name)
        done = subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"npm could not install the client: {done.stderr.strip().splitlines()[-1:]}")
        installed.write_bytes(lock)
    shutil.copyfile(HERE / "operations.mjs", folder / "operations.mjs")
    return folder


@pytest.mark.slow
def test_published_client_runs_its_operations(place: Place, client_folder: Path) -> None:
    place.write(a=component("client-one"), b=component("client-two", type="website"))
    place.register()
    done = subprocess.run(
        ["node", "operations.mjs", place.server.base_url, place.server.token(), "component:default/client-one"],
        cwd=client_folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["byRef"] == "client-one"
    assert found["missing"] is None
    assert found["byRefs"] == ["client-one", None]
    assert found["entities"] == [{"metadata": {"name": "client-one"}}]
    assert found["offset"] == 1
    first, second, back = found["pages"]
    assert (first < second, first == back) == (True, True)
    assert found["fullText"] == ["client-one"]
    assert found["facets"] == {
        "kind": [{"value": "Component", "count": 1}],
        "spec.type": [{"value": "service", "count": 1}],
    }
    assert found["ancestors"] == 2
    assert found["streamed"] >= 2
    assert (found["valid"], found["invalid"]) == (True, False)
    assert found["refreshed"] is None
    assert found["location"] == "https://example.com/catalog-client.yaml"
    assert found["locationByRef"]
    assert "https://example.com/catalog-client.yaml" in found["locations"]
    assert found["removed"] is None
    assert found["refused"] == "ResponseError"
