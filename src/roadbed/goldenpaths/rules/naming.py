"""Names that a run gives: its title and subject, and the repository that a step asks for."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from roadbed.goldenpaths.errors import InputInvalid
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.kit.text import slugify

_ENTITY_NAME = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")


def title_of(path_title: str, values: Mapping[str, Any]) -> str:
    """Return what a run is called: by the name of what it makes, else by the path."""
    name = _name_in(values)
    return f"Create {name}" if name else f"Create from {path_title}"


def subject_of(path_ref: str, values: Mapping[str, Any]) -> str:
    """Return what a run is about: the component that will be, else the path."""
    name = _name_in(values)
    return f"component:default/{name}".lower() if name else path_ref


def _name_in(values: Mapping[str, Any]) -> str | None:
    for key in ("name", "component_id", "componentName"):
        value = values.get(key)
        if isinstance(value, str) and len(value) <= 63 and _ENTITY_NAME.fullmatch(value):
            return value
    return None


def repository_of(given: Mapping[str, Any], answers: Mapping[str, Any]) -> tuple[str, str]:
    """Return owner and name of the repository that a step's input asks for.

    It is named by `repository` (`owner/name`), by `repoUrl` (`host?owner=…&repo=…`), or by `name`, where the owner
    defaults to the name of the team that owns the service.

    Raises:
        InputInvalid: nothing names it.
    """
    whole = str(given.get("repository") or "")
    if "/" in whole:
        owner, _, name = whole.partition("/")
        return owner, name
    parts = parse_qs(urlsplit(f"https://{given['repoUrl']}").query) if given.get("repoUrl") else {}
    name = whole or _first(parts, "repo") or str(given.get("name") or answers.get("name") or "")
    owner = _first(parts, "owner") or _owner_slug(given.get("owner") or answers.get("owner"))
    if not name or not owner:
        missing = "name" if not name else "owner"
        raise InputInvalid(
            f"The {missing} of the repository is not known.",
            hint="The step's input names it: repository: owner/name, or name and owner.",
        )
    return owner, name


def _first(parts: Mapping[str, list[str]], key: str) -> str:
    return parts.get(key, [""])[0]


def _owner_slug(owner: Any) -> str:
    if not isinstance(owner, str) or not owner:
        return ""
    try:
        return slugify(parse_ref(owner, default_kind="Group").name)
    except InvalidRef:
        return slugify(owner)
