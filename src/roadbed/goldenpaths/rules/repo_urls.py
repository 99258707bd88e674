"""The question `RepoUrlPicker`: asked as owner and repository, kept as Backstage does: `host?owner=…&repo=…`."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from roadbed.core import forms
from roadbed.goldenpaths.types import ParameterPage

FIELD = "RepoUrlPicker"
_OWN_HOST = "roadbed"
_PARTS = {"owner": "Owner", "repo": "Name"}


def expand_page(page: ParameterPage) -> ParameterPage:
    """Have a page ask for the parts of each address. It changes the schema, which `read_pages` makes anew each time."""
    for part in forms.walk_parts(page.schema):
        properties = part.get("properties") or {}
        for name, declared in properties.items():
            if _is_address(declared):
                properties[name] = _ask_parts(declared)
    return page


def split_addresses(page: ParameterPage, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as an expanded page asks for them."""
    names = _names(page)
    return {
        name: _split(value) if name in names and isinstance(value, str) else value for name, value in values.items()
    }


def join_addresses(page: ParameterPage, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as the path's own schema wants them; an address of which a part is missing is left out."""
    names = _names(page)
    joined = {}
    for name, value in values.items():
        if name not in names or not isinstance(value, Mapping):
            joined[name] = value
        elif all(value.get(part) for part in _PARTS):
            joined[name] = f"{names[name]}?{urlencode({part: value[part] for part in _PARTS})}"
    return joined


def _is_address(declared: Any) -> bool:
    return isinstance(declared, Mapping) and declared.get("ui:field") == FIELD


def _ask_parts(declared: Mapping[str, Any]) -> dict[str, Any]:
    options = declared.get("ui:options") or {}
    parts: dict[str, Any] = {part: {"title": title, "type": "string"} for part, title in _PARTS.items()}
    for part, allowed in (("owner", options.get("allowedOwners")), ("repo", options.get("allowedRepos"))):
        if allowed:
            parts[part]["enum"] = list(allowed)
    kept = {word: declared[word] for word in ("title", "description", "ui:help", "ui:why") if word in declared}
    hosts = options.get("allowedHosts") or [_OWN_HOST]
    return {**kept, "type": "object", "required": list(_PARTS), "properties": parts, "ui:host": str(hosts[0])}


def _names(page: ParameterPage) -> dict[str, str]:
    """Return the hosts of an expanded page's addresses, by the name of the question."""
    found = {}
    for part in forms.walk_parts(page.schema):
        for name, declared in (part.get("properties") or {}).items():
            if isinstance(declared, Mapping) and "ui:host" in declared:
                found[name] = declared["ui:host"]
    return found


def _split(address: str) -> dict[str, str]:
    asked = parse_qs(urlsplit(f"https://{address}").query)
    return {part: asked[part][0] for part in _PARTS if part in asked}
