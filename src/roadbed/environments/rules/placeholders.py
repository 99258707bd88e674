"""Placeholders of Score: `${metadata.name}`, `${resources.db.host}`; `$$` stands for a dollar sign."""

import re
from collections.abc import Mapping
from typing import Any

from roadbed.environments.errors import PlaceholderUnknown

_PLACEHOLDER = re.compile(r"\$(?:(?P<escape>\$)|\{(?P<path>[^}]*)\})")
_SCHEME = "secret://"


def resolve_text(text: str, *, metadata: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> str:
    """Return `text` with its placeholders exchanged; secret outputs stay references.

    Args:
        text: as the Score file has it.
        metadata: of the Score file.
        resources: outputs by the name that the file gives the resource.

    Raises:
        PlaceholderUnknown: with what there is.
    """
    whole = _PLACEHOLDER.fullmatch(text)

    def exchange(match: re.Match[str]) -> str:
        if match["escape"]:
            return "$"
        value = _look_up(match["path"], metadata, resources)
        # Inside a longer text the secrets domain finds references only in this form.
        return f"${{{value}}}" if value.startswith(_SCHEME) and not whole else value

    return _PLACEHOLDER.sub(exchange, text)


def resolve_json(value: Any, *, metadata: Mapping[str, Any]) -> Any:
    """Return a JSON value with `${metadata.…}` exchanged in its texts: parameters of resources.

    Raises:
        PlaceholderUnknown.
    """
    if isinstance(value, str):
        return resolve_text(value, metadata=metadata, resources={})
    if isinstance(value, Mapping):
        return {key: resolve_json(item, metadata=metadata) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve_json(item, metadata=metadata) for item in value]
    return value


def source_of(text: str) -> str:
    """Return where a value is from, for people."""
    for match in _PLACEHOLDER.finditer(text):
        if match["path"] and match["path"].startswith("resources."):
            return f"resource {match['path'].split('.')[1]}"
    return "score.yaml"


def _look_up(path: str, metadata: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> str:
    first, _, rest = path.partition(".")
    if first == "metadata":
        value: Any = metadata
        for part in rest.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if isinstance(value, str | int | float):
            return str(value)
        raise PlaceholderUnknown(
            f"${{{path}}} is not in the metadata of the Score file.", hint="Add it, or correct it."
        )
    if first == "resources":
        name, _, output = rest.partition(".")
        if name in resources and output in resources[name]:
            return str(resources[name][output])
        known = ", ".join(sorted(resources.get(name, resources))) or "none"
        what = f"output {output!r} of resource {name!r}" if name in resources else f"resource {name!r}"
        raise PlaceholderUnknown(f"${{{path}}}: there is no {what}.", hint=f"There are: {known}.")
    raise PlaceholderUnknown(
        f"${{{path}}} is no placeholder of Score.", hint="Write `${metadata.…}` or `${resources.NAME.OUTPUT}`."
    )
