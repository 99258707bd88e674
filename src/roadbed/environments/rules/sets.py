"""Deployment sets: everything that runs in an environment, under the digest of its content."""

from collections.abc import Mapping
from typing import Any

from roadbed.environments.types import Difference
from roadbed.kit.jsons import digest


def change_set(content: Mapping[str, Any] | None, *, workload: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of a set after a deployment: the entries of that component are exchanged for the new one."""
    workloads = (content or {}).get("workloads", {})
    kept = {name: other for name, other in workloads.items() if other["component"] != entry["component"]}
    return {"workloads": dict(sorted({**kept, workload: dict(entry)}.items()))}


def without_component(content: Mapping[str, Any], *, component: str) -> dict[str, Any]:
    """Return the content of a set in which nothing of a component runs."""
    kept = {name: entry for name, entry in content["workloads"].items() if entry["component"] != component}
    return {"workloads": kept}


def former_version(content: Mapping[str, Any], *, component: str) -> str | None:
    """Return the version of a component in a set."""
    entry = find_entry(content, component=component)
    return entry["version"] if entry is not None else None


def find_entry(content: Mapping[str, Any], *, component: str) -> Mapping[str, Any] | None:
    """Return the entry of a component in a set."""
    return next((entry for entry in content["workloads"].values() if entry["component"] == component), None)


def set_id_of(content: Mapping[str, Any]) -> str:
    return f"sha256:{digest(content)}"


def facts_of(entry: Mapping[str, Any] | None) -> dict[str, str]:
    """Return what is told of an entry of a set: version, commit, artifact, and each variable as the Score file has it.

    Secrets stand there as placeholders of resources; their values are in no set.
    """
    if entry is None:
        return {}
    facts = {"version": entry["version"], "commit": entry["commit"][:7], "artifact": entry["artifact"][7:19]}
    for container in (entry["score"].get("containers") or {}).values():
        facts |= {f"variable {name}": value for name, value in sorted((container.get("variables") or {}).items())}
    return {name: value for name, value in facts.items() if value}


def describe_change(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    """Return the facts that differ, in the order of `after`."""
    names = [*after, *(name for name in before if name not in after)]
    return [
        Difference(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)
    ]
