"""Installing mkdocs beside Roadbed: an environment of its own in the home folder, with hash-checked packages."""

import os
import shutil
import subprocess
import sys
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

from uv import find_uv_bin

from roadbed.core.errors import RoadbedError
from roadbed.core.settings import load_settings

LOCK = "mkdocs.lock"
_ASK = "from importlib.metadata import version; print(version('mkdocs-techdocs-core'))"


class InstallFailed(RoadbedError):
    code = "docs.install_failed"


def install_mkdocs(home: Path | None) -> tuple[Path, str]:
    """Make the environment anew; returns its folder and the version of mkdocs-techdocs-core.

    Raises:
        InstallFailed: uv could not; what it said is above.
    """
    folder = load_settings(home=home).mkdocs_folder
    folder.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".mkdocs-") as scratch:
        fresh = Path(scratch) / folder.name
        _call("venv", "--quiet", "--relocatable", "--python", sys.base_prefix, str(fresh))
        with as_file(files("roadbed.docs.workflows") / LOCK) as lock:
            _call("pip", "install", "--quiet", "--require-hashes", "--python", str(fresh), "-r", str(lock))
        asked = subprocess.run([fresh / "bin" / "python", "-c", _ASK], capture_output=True, text=True, check=True)
        fresh.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.rename(folder)
    return folder, asked.stdout.strip()


def _call(*arguments: str) -> None:
    environment = {**os.environ, "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    done = subprocess.run([find_uv_bin(), *arguments], env=environment, stdout=sys.stderr, check=False)
    if done.returncode:
        raise InstallFailed(
            f"uv {arguments[0]} ended with {done.returncode}.",
            hint="Is the package index reachable that uv and pip are configured for? What it said is above.",
        )
