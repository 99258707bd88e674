"""What a command of a pipeline finds beside the system's programs: uv and Python, and the environment it gets."""

import filecmp
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote, urlsplit

from uv import find_uv_bin

from roadbed.core.sandbox import Isolation
from roadbed.delivery.workflows.workspaces import Place

SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


@dataclass(frozen=True)
class Tools:
    """Programs that do not belong to the system.

    Args:
        readable: what a command must be able to read to use them.
        folders: go in front of PATH.
        python: the interpreter for virtual environments, if commands can read it.
    """

    readable: tuple[Path, ...]
    folders: tuple[Path, ...]
    python: Path | None


def find_tools(isolation: Isolation, folder: Path) -> Tools:
    """Find the uv that is installed with Roadbed and the Python that it runs under, where commands can reach them.

    Args:
        isolation: how commands are kept from the server's files.
        folder: where a program is copied that commands could not reach otherwise.
    """
    base = Path(sys.base_prefix).resolve()
    python = base / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"
    uv = Path(find_uv_bin()).resolve()
    sees_all_named = isolation.mechanism.has_namespace
    if not sees_all_named and not _is_passable(uv, isolation):
        uv = _copy(uv, folder)
    readable, folders = [uv], [uv.parent]
    has_python = python.is_file() and (sees_all_named or _is_passable(python, isolation))
    if has_python:
        readable.append(base)
        folders.append(python.parent)
    return Tools(tuple(readable), tuple(dict.fromkeys(folders)), python if has_python else None)


def _copy(program: Path, folder: Path) -> Path:
    copy = folder / program.name
    folder.mkdir(mode=0o755, exist_ok=True)
    if not (copy.is_file() and filecmp.cmp(program, copy)):
        fresh = folder / f"{program.name}.new"
        shutil.copy2(program, fresh)
        fresh.replace(copy)
    return copy


def _is_passable(path: Path, isolation: Isolation) -> bool:
    """Tell whether an account of its own reaches a path; without isolation commands have the server's account."""
    if not isolation.mechanism.has_uid:
        return True
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.parents)


def build_environment(
    place: Place, tools: Tools, *, passed: Mapping[str, str], about: Mapping[str, str]
) -> dict[str, str]:
    """Return the environment of a command.

    Args:
        place: where it works.
        tools: what it finds.
        passed: what it gets of the server's own environment.
        about: what tells it what it is run for.
    """
    cache = place.cache
    environment = dict(passed) | {
        "PATH": ":".join([*map(str, tools.folders), SYSTEM_PATH]),
        "CI": "true",
        "XDG_CACHE_HOME": str(cache),
        "UV_CACHE_DIR": str(cache / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        "PIP_CACHE_DIR": str(cache / "pip"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "npm_config_cache": str(cache / "npm"),
        "MYPY_CACHE_DIR": str(cache / "mypy"),
        "RUFF_CACHE_DIR": str(cache / "ruff"),
        "GOCACHE": str(cache / "go-build"),
        "GOMODCACHE": str(cache / "go-mod"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        **about,
    }
    if tools.python is not None:
        environment["UV_PYTHON"] = str(tools.python)
    return environment


def pick_environment(environment: Mapping[str, str], patterns: Sequence[str]) -> dict[str, str]:
    """Return the variables that are passed on. Roadbed's own settings never are, whatever the patterns say."""
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith("ROADBED_") and any(fnmatchcase(name, pattern) for pattern in patterns)
    }


def passwords_of(values: Iterable[str]) -> list[str]:
    """Return the passwords in addresses, as registries have them, so that they are masked."""
    found: set[str] = set()
    for value in values:
        for url in _URL.findall(value):
            try:
                password = urlsplit(url).password
            except ValueError:
                continue
            found |= {password, unquote(password)} if password else set()
    return sorted(found)
