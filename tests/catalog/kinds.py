"""Kinds that tests declare, and entities of them."""

from typing import Any

import yaml

EXAMPLE_API = "example.com/v1"


def kind(name: str, schema: dict[str, Any] | None = None, **more: Any) -> str:
    """Return an entity that declares a kind as YAML; `more` are further fields of its spec."""
    spec = {
        "plural": f"{name.lower()}-plural",
        "apiVersions": [EXAMPLE_API],
        "schema": schema or {"type": "object", "properties": {"text": {"type": "string"}}},
        **more,
    }
    return _write("roadbed.dev/v1", "Kind", name, spec)


def entity(kind_name: str, name: str, **spec: Any) -> str:
    """Return an entity of a declared kind as YAML."""
    return _write(EXAMPLE_API, kind_name, name, spec)


def _write(api_version: str, kind_name: str, name: str, spec: dict[str, Any]) -> str:
    document = {"apiVersion": api_version, "kind": kind_name, "metadata": {"name": name}, "spec": spec}
    return "---\n" + yaml.safe_dump(document, sort_keys=False)
