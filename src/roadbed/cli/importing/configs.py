"""Reading Backstage's configuration: several files as one, with `$env`, `$file`, `$include` and `${VAR}`.

Later files go before earlier ones; objects are joined key by key, lists and values replaced. What comes from the
environment is kept as it is written until it is asked for, so that a secret is never read: `resolve` reads it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 5 * 1024 * 1024
_MAX_NODES, _MAX_DEPTH = 200_000, 50
_VARIABLE = re.compile(r"(?<!\$)\$\{([^{}]+)\}")


class ConfigError(ValueError):
    """A file that cannot be read; the message names it."""


@dataclass(frozen=True)
class Env:
    """A value of the environment, not read yet."""

    name: str


@dataclass
class _Reader:
    """One reading; counts nodes, so that aliases of aliases are met before they are followed."""

    nodes: int = 0

    def read(self, path: Path) -> Any:
        return self.expand(_parse(path), path.parent, 0)

    def expand(self, value: Any, folder: Path, depth: int) -> Any:
        """Return a value with the files that it names."""
        self.nodes += 1
        if self.nodes > _MAX_NODES or depth > _MAX_DEPTH:
            raise ConfigError(f"The configuration in {folder} is too large or too deep.")
        if isinstance(value, list):
            return [self.expand(item, folder, depth + 1) for item in value]
        if not isinstance(value, dict):
            return value
        if "$env" in value:
            return Env(str(value["$env"]))
        if "$file" in value:
            return _read_text(folder / str(value["$file"])).strip()
        if "$include" in value:
            name, _, pointer = str(value["$include"]).partition("#")
            path = folder / name
            return self.expand(_follow(_parse(path), pointer, path), path.parent, depth + 1)
        return {str(key): self.expand(item, folder, depth + 1) for key, item in value.items()}


def read_configs(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the files as one configuration.

    Raises:
        ConfigError: one of them cannot be read.
    """
    merged: Any = {}
    for path in paths:
        read = _Reader().read(path)
        if not isinstance(read, dict):
            raise ConfigError(f"{path} is not a configuration: it must hold an object.")
        merged = _merge(merged, read)
    return dict(merged)


def resolve(value: Any, environment: Mapping[str, str]) -> Any:
    """Return a value with what it takes from the environment; None where a variable is not set, as Backstage has it."""
    if isinstance(value, Env):
        return environment.get(value.name)
    if isinstance(value, str):
        return _substitute(value, environment)
    if isinstance(value, list):
        return [resolve(item, environment) for item in value]
    if isinstance(value, dict):
        return {key: resolve(item, environment) for key, item in value.items()}
    return value


def describe(value: Any) -> str:
    """Return how a secret is given, without the secret."""
    if isinstance(value, Env):
        return f"${{{value.name}}}"
    return value if isinstance(value, str) and _VARIABLE.fullmatch(value) else "given in the file"


def _substitute(text: str, environment: Mapping[str, str]) -> str | None:
    missing = False

    def replace(match: re.Match[str]) -> str:
        nonlocal missing
        name, colon, default = match[1].partition(":-")
        found = environment.get(name.strip()) or (default if colon else None)
        missing = missing or found is None
        return found or ""

    replaced = _VARIABLE.sub(replace, text)
    return None if missing else replaced.replace("$${", "${")


def _merge(below: Any, above: Any) -> Any:
    if isinstance(below, dict) and isinstance(above, dict):
        return {**below, **{key: _merge(below.get(key), value) for key, value in above.items()}}
    return above


def _parse(path: Path) -> Any:
    try:
        return yaml.safe_load(_read_text(path))
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path} has more than {MAX_BYTES:,} bytes.")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error


def _follow(value: Any, pointer: str, path: Path) -> Any:
    for part in pointer.split(".") if pointer else ():
        if not isinstance(value, dict) or part not in value:
            raise ConfigError(f"{path} has no {pointer}.")
        value = value[part]
    return value
