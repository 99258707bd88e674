"""Paths and references: what they look like, and where they stand in JSON values."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from roadbed.secrets.errors import InvalidSecretPath
from roadbed.secrets.types import SCHEME

MAX_PATH = 400
MAX_VALUE_BYTES = 65_536

_SEGMENT = r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*")
# Inside a longer text a reference stands in ${…}, because "@" or "/" after it would otherwise be part of the path.
_EMBEDDED = re.compile(r"\$\{secret://([^}]*)\}")


def check_path(path: str) -> str:
    """Return `path` when it is sound.

    Raises:
        InvalidSecretPath: with what it should look like.
    """
    if len(path) > MAX_PATH or not _PATH.fullmatch(path):
        raise InvalidSecretPath(
            f"{path[:MAX_PATH]!r} is not a path of a secret.",
            hint="Use lower-case letters, digits, dots, dashes and underscores, in parts divided by single slashes: "
            "`teams/checkout/stripe-key`.",
        )
    return path


def path_of(reference: str) -> str:
    """Return the path that `reference` (`secret://path`) names.

    Raises:
        InvalidSecretPath: it is no reference.
    """
    if not reference.startswith(SCHEME):
        raise InvalidSecretPath(f"{reference[:MAX_PATH]!r} is not a reference.", hint="It begins with `secret://`.")
    return check_path(reference.removeprefix(SCHEME))


def find_paths(value: Any) -> Iterator[str]:
    """Yield the path of each reference in a JSON value, also of those in `${secret://…}` inside a text."""
    if isinstance(value, str):
        if value.startswith(SCHEME):
            yield path_of(value)
        else:
            yield from (check_path(match[1]) for match in _EMBEDDED.finditer(value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from find_paths(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from find_paths(item)


def replace_references(value: Any, lookup: Callable[[str], str]) -> Any:
    """Return the JSON value with each reference exchanged for what `lookup` gives for its path."""
    if isinstance(value, str):
        if value.startswith(SCHEME):
            return lookup(path_of(value))
        return _EMBEDDED.sub(lambda match: lookup(match[1]), value)
    if isinstance(value, Mapping):
        return {key: replace_references(item, lookup) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replace_references(item, lookup) for item in value]
    return value
