"""Entities as YAML, as people would write them."""

from collections.abc import Mapping
from typing import Any, cast

import yaml

from roadbed.catalog.rules.scalars import is_text

_BASE = cast("type[yaml.SafeDumper]", getattr(yaml, "CSafeDumper", yaml.SafeDumper))
_PARTS = ("apiVersion", "kind", "metadata", "spec")


class _Dumper(_BASE):  # type: ignore[misc, valid-type]  # which of the two is known at run time only
    """Writes texts of several lines as blocks, and quotes what not every reader takes for a text."""


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if is_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def write_yaml(data: Any) -> str:
    """Return JSON data as YAML, keys in their own order."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def write_entity(document: Mapping[str, Any]) -> str:
    """Return an entity as YAML, its parts in the usual order."""
    return write_yaml({name: document[name] for name in _PARTS})
