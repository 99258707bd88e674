"""Deployment sets: everything that runs in an environment, under the digest of its content."""

from collections.abc import Mapping
from typing import Any

from roadbed.kit.jsons import digest


def change_set(content: Mapping[str, Any] | None, *, workload: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a set after a deployment: the entries of that component are exchanged for the new one."""
    workloads = (content or {}).get("workloads", {})
    kept = {name: other for name, other in workloads.items() if other["component"] != entry["component"]}
    return {"workloads": dict(sorted({**kept, workload: dict(entry)}.items()))}


def set_id_of(content: Mapping[str, Any]) -> str:
    return f"sha256:{digest(content)}"


def describe_change(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return what differs between two entries of a set as lines of a diff: `sign`, `name`, `before`, `after`.

    Secrets are named by their references; their values are in no set.
    """
    old, new = _facts(before), _facts(after)
    lines = []
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) != new.get(name):
            sign = "+" if name not in old else "-" if name not in new else "~"
            lines.append({"sign": sign, "name": name, "before": old.get(name), "after": new.get(name)})
    return lines


def _facts(entry: Mapping[str, Any] | None) -> dict[str, str]:
    if entry is None:
        return {}
    facts = {"version": entry["version"], "commit": entry["commit"][:7], "artifact": entry["artifact"][7:19]}
    containers = entry["score"].get("containers") or {}
    for container in containers.values():
        facts |= {f"variable {name}": value for name, value in sorted((container.get("variables") or {}).items())}
    for name, need in sorted((entry["score"].get("resources") or {}).items()):
        facts[f"resource {name}"] = " ".join(filter(None, (need["type"], need.get("class"))))
    return {name: value for name, value in facts.items() if value}
