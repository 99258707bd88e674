"""Entities as YAML, as people would write them."""

from collections.abc import Mapping
from typing import Any

from roadbed.kit.yamls import write_yaml

_PARTS = ("apiVersion", "kind", "metadata", "spec")


def write_entity(document: Mapping[str, Any]) -> str:
    """Return an entity as YAML, its parts in the usual order."""
    return write_yaml({name: document[name] for name in _PARTS})
