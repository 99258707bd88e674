"""The package as users get it: built, installed into an empty environment, started in an empty folder without Node."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.process import RoadbedProcess

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")


@pytest.mark.slow
def test_installed_wheel_starts_in_an_empty_folder_without_node(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (ROOT / "src/roadbed/web/static/icons.svg").exists():
        pytest.skip("the pages' assets are not built: run `make test`")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
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
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    roadbed = RoadbedProcess(tmp_path / "home", {"PATH": without_node}, program=environment / "bin" / "roadbed")
    roadbed.start("--sample")
    try:
        page = httpx.get(f"{roadbed.url}/sign-in")
        assert page.status_code == 200
        styles = [part.split('"')[0] for part in page.text.split('href="')[1:] if ".css" in part.split('"')[0]]
        assert styles
        assert all(httpx.get(roadbed.url + style).status_code == 200 for style in styles)
        found = roadbed.run("get", "component:orders", "-o", "name", token=roadbed.token("viewer"))
        assert found.stdout.strip() == "component:default/orders", found.stderr
    finally:
        assert roadbed.stop() == 0, roadbed.output
