"""The package as users get it: built, installed into an empty environment, started in an empty folder without Node."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from roadbed.core.bundled import read_folder
from tests import plain_http
from tests.folders import let_postgres_pass
from tests.main_job.support import cancel_hello
from tests.process import RoadbedProcess
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


def check_golden_paths(roadbed: RoadbedProcess, environment: Path) -> None:
    """Check that they came as one archive, which pip leaves alone, and lie in the repository as they do here."""
    installed = next(environment.glob("lib/python3.*/site-packages/roadbed/bundled"))
    assert (installed / "paths.tar").is_file()
    assert not (installed / "paths").exists()
    with roadbed.client(roadbed.token("viewer")) as client:
        address = "/api/v1/paths/default/python-fastapi"
        wait_for(lambda: client.get(address).status_code == 200)  # the catalog reads it while the server is up
        path = client.get(address).json()
        assert path["title"] == "Python FastAPI service"
        assert path["problems"] == []
        assert path["source"]["repository"] == "roadbed/paths"
    clone = roadbed.home.parent / "paths"
    address = f"{roadbed.url}/git/roadbed/paths.git".replace("http://", f"http://x:{roadbed.token()}@")
    subprocess.run(["git", "clone", "--quiet", "--branch", "python-fastapi-1.0.0", address, clone], check=True)
    shutil.rmtree(clone / ".git")
    assert read_folder(clone) == read_folder(ROOT / "paths")


@pytest.mark.slow
def test_installed_wheel_starts_in_an_empty_folder_without_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (ROOT / "src/roadbed/web/static/icons.svg").exists():
        pytest.skip("the pages' assets are not built: run `make test`")
    let_postgres_pass(tmp_path)
    subprocess.run(
        [UV, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", tmp_path, ROOT],
        env={**os.environ, "VIRTUAL_ENV": str(Path(sys.prefix))},
        check=True,
    )
    wheel = next(tmp_path.glob("roadbed-*.whl"))
    environment = tmp_path / "environment"
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, environment], check=True)
    python = environment / "bin" / "python"
    lock = ROOT / "requirements.lock"
    install: list[str | Path] = [UV, "pip", "install", "--quiet", "--python", python]
    subprocess.run([*install, "--require-hashes", "-r", lock], check=True)
    subprocess.run([*install, "--no-deps", wheel], check=True)
    without_node = os.pathsep.join(
        folder for folder in os.environ["PATH"].split(os.pathsep) if not shutil.which("node", path=folder)
    )
    programs = tmp_path / "programs"  # git may lie beside node
    programs.mkdir()
    (programs / "git").symlink_to(shutil.which("git") or "git")
    without_node = f"{without_node}{os.pathsep}{programs}"
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    roadbed = RoadbedProcess(tmp_path / "home", {"PATH": without_node}, program=environment / "bin" / "roadbed")
    roadbed.start("--sample")
    try:
        with roadbed.client(roadbed.token()) as client:
            cancel_hello(client)  # other tests see it through
        page = plain_http.get(f"{roadbed.url}/sign-in")
        assert page.status_code == 200
        styles = [part.split('"')[0] for part in page.text.split('href="')[1:] if ".css" in part.split('"')[0]]
        assert styles
        assert all(plain_http.get(roadbed.url + style).status_code == 200 for style in styles)
        found = roadbed.run("get", "component:orders", "-o", "name", token=roadbed.token("viewer"))
        assert found.stdout.strip() == "component:default/orders", found.stderr
        check_golden_paths(roadbed, environment)
    finally:
        assert roadbed.stop() == 0, roadbed.output
