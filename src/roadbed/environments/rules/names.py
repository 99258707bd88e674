"""Names in addresses: `<workload>.<environment>.<application>.localhost`."""

import hashlib

from roadbed.kit.refs import EntityRef
from roadbed.kit.text import slugify

SUFFIX = ".localhost"
LABEL_LENGTH = 63


def application_label(ref: EntityRef) -> str:
    """Return the part of an application in addresses: its name, after its namespace unless that is `default`."""
    name = ref.name if ref.namespace.lower() == "default" else f"{ref.namespace}-{ref.name}"
    label = slugify(name) or "application"
    if len(label) <= LABEL_LENGTH:
        return label
    return f"{label[:54]}-{hashlib.sha256(str(ref).encode()).hexdigest()[:8]}"


def host_of(*, workload: str, environment: str, application: str) -> str:
    return f"{workload}.{environment}.{application}{SUFFIX}"


def split_host(host: str) -> tuple[str, str, str] | None:
    """Return (workload, environment, application) of a Host header; None when it is no address of a workload."""
    name = host.rsplit(":", 1)[0].rstrip(".").lower()
    labels = name.removesuffix(SUFFIX).split(".")
    if not name.endswith(SUFFIX) or len(labels) != 3 or not all(labels):
        return None
    return labels[0], labels[1], labels[2]


def resource_id(*, workload: str, application: str, name: str, wanted: str | None) -> str:
    """Return the id of a resource in its environment.

    With an id of its own it may be shared; without one it belongs to the workload. Where the workload is the whole
    application its name would say nothing, and is left out.
    """
    if wanted is not None:
        return wanted
    return name if workload == application else f"{workload}-{name}"
