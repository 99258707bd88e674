"""Reading a Score file (`score.dev/v1b1`): what the process runtime uses of it, and what it refuses by name."""

import re
from collections.abc import Mapping
from typing import Any

from roadbed.environments.errors import ScoreInvalid
from roadbed.environments.types import Probe, ResourceNeed, WorkloadSpec

API_VERSION = "score.dev/v1b1"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")
_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]")
_ID = re.compile(r"[a-z0-9]+(?:-+[a-z0-9]+)*(?:\.[a-z0-9]+(?:-+[a-z0-9]+)*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEADER = re.compile(r"[A-Za-z0-9_-]+")
_RESERVED = ("PORT", "HOME", "TMPDIR", "ROADBED_SANDBOX")
_NOT_DONE = "The process runtime does not do this; leave it out."


class _Reader:
    """Collects faults with their paths while values are taken out."""

    def __init__(self) -> None:
        self.problems: list[dict[str, str]] = []

    def fault(self, path: str, reason: str, hint: str = "") -> None:
        self.problems.append({"path": path, "reason": reason, "hint": hint})

    def mapping(self, value: Any, path: str, known: tuple[str, ...] = ()) -> Mapping[str, Any]:
        """Return a mapping; name the fields in it that do not exist in Score."""
        if value is None:
            return {}
        if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
            self.fault(path, "must be a mapping")
            return {}
        for key in value:
            if known and key not in known:
                self.fault(f"{path}.{key}".lstrip("."), "is no field of Score", f"Known here: {', '.join(known)}.")
        return value

    def texts(self, value: Any, path: str) -> tuple[str, ...]:
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.fault(path, "must be a list of texts")
            return ()
        return tuple(value)

    def refuse(self, holder: Mapping[str, Any], path: str, *keys: str) -> None:
        """Refuse fields that Score has and the runtime does not do."""
        for key in keys:
            if holder.get(key):
                self.fault(f"{path}.{key}", "is not supported", _NOT_DONE)


def read_score(document: Any) -> WorkloadSpec:
    """Return what Roadbed uses of a Score document.

    Raises:
        ScoreInvalid: with every fault and its path.
    """
    reader = _Reader()
    root = reader.mapping(document, "", ("apiVersion", "metadata", "service", "containers", "resources"))
    if root.get("apiVersion") != API_VERSION:
        reader.fault("apiVersion", f"must be {API_VERSION}")
    metadata = reader.mapping(root.get("metadata"), "metadata")
    name = metadata.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        reader.fault("metadata.name", "must be 2 to 63 lower-case letters, digits and hyphens")
        name = ""
    port = _read_port(reader, root)
    container, path = _read_container(reader, root)
    spec = WorkloadSpec(
        name=name,
        command=_read_command(reader, container, path),
        variables=_read_variables(reader, container, path),
        port=port[0] if port else None,
        ready=_read_probe(reader, container.get("readinessProbe"), f"{path}.readinessProbe", port),
        live=_read_probe(reader, container.get("livenessProbe"), f"{path}.livenessProbe", port),
        resources=_read_resources(reader, root),
        metadata=metadata,
        notes=_read_notes(container),
    )
    if reader.problems:
        first = reader.problems[0]
        raise ScoreInvalid(
            f"score.yaml: {first['path'] or 'the file'} {first['reason']}.",
            hint=first["hint"] or "Correct the file and push again.",
            problems=reader.problems,
        )
    return spec


def _read_port(reader: _Reader, root: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the numbers under which the one port of the workload is known; empty when it serves nothing."""
    ports = reader.mapping(reader.mapping(root.get("service"), "service", ("ports",)).get("ports"), "service.ports")
    if len(ports) > 1:
        names = ", ".join(ports)
        reader.fault("service.ports", f"names several ports: {names}", "The process runtime gives a workload one port.")
    for name, value in list(ports.items())[:1]:
        path = f"service.ports.{name}"
        entry = reader.mapping(value, path, ("port", "protocol", "targetPort"))
        if entry.get("protocol", "TCP") != "TCP":
            reader.fault(f"{path}.protocol", "must be TCP", _NOT_DONE)
        target = entry.get("targetPort", entry.get("port"))
        for key, number in (("port", entry.get("port")), ("targetPort", target)):
            if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= 65535:
                reader.fault(f"{path}.{key}", "must be a number from 1 to 65535")
                return ()
        return (target, entry["port"])
    return ()


def _read_container(reader: _Reader, root: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    containers = reader.mapping(root.get("containers"), "containers")
    if len(containers) != 1:
        count = len(containers) or "no"
        reader.fault("containers", f"has {count} entries", "The process runtime runs exactly one container a workload.")
        return {}, "containers"
    name = next(iter(containers))
    path = f"containers.{name}"
    known = ("image", "command", "args", "variables", "files", "volumes", "before", "resources")
    container = reader.mapping(containers[name], path, (*known, "livenessProbe", "readinessProbe"))
    if container.get("image") != ".":
        reader.fault(f"{path}.image", "must be `.`, what the pipeline built", "The process runtime runs no images.")
    reader.refuse(container, path, "files", "volumes", "before")
    return container, path


def _read_command(reader: _Reader, container: Mapping[str, Any], path: str) -> tuple[str, ...]:
    command = reader.texts(container.get("command"), f"{path}.command")
    if not command:
        reader.fault(f"{path}.command", "is missing", "Say how the workload starts from inside its folder.")
    return command + reader.texts(container.get("args"), f"{path}.args")


def _read_variables(reader: _Reader, container: Mapping[str, Any], path: str) -> Mapping[str, str]:
    variables = reader.mapping(container.get("variables"), f"{path}.variables")
    for name, value in variables.items():
        where = f"{path}.variables.{name}"
        if not _VARIABLE.fullmatch(name):
            reader.fault(where, "is no name of a variable")
        elif name in _RESERVED:
            reader.fault(where, "is set by the runtime", "Leave it out.")
        elif not isinstance(value, str):
            reader.fault(where, "must be a text", "Put the value in quotes.")
        elif "secret://" in value or "\0" in value:
            # A reference that a file could choose would open any secret of the platform to it.
            reader.fault(where, "may not hold a secret reference", "Secrets come from resources: `${resources.…}`.")
    return variables


def _read_probe(reader: _Reader, value: Any, path: str, port: tuple[int, ...]) -> Probe | None:
    if value is None:
        return None
    probe = reader.mapping(value, path, ("httpGet", "exec"))
    if probe.get("exec") and not probe.get("httpGet"):
        reader.fault(f"{path}.exec", "is not supported", "Use httpGet.")
        return None
    known = ("host", "scheme", "path", "port", "httpHeaders")
    get = reader.mapping(probe.get("httpGet"), f"{path}.httpGet", known)
    target = get.get("path")
    if not isinstance(target, str) or not target.startswith("/"):
        reader.fault(f"{path}.httpGet.path", "must begin with /")
        return None
    if get.get("scheme", "HTTP") != "HTTP":
        reader.fault(f"{path}.httpGet.scheme", "must be HTTP", _NOT_DONE)
    reader.refuse(get, f"{path}.httpGet", "host")
    if get.get("port") not in port:
        reader.fault(f"{path}.httpGet.port", "must be the port in service.ports")
    return Probe(target, _read_headers(reader, get.get("httpHeaders"), f"{path}.httpGet.httpHeaders"))


def _read_headers(reader: _Reader, value: Any, path: str) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    if value is not None and not isinstance(value, list):
        reader.fault(path, "must be a list")
        return headers
    for index, item in enumerate(value or ()):
        entry = reader.mapping(item, f"{path}[{index}]", ("name", "value"))
        name, text = entry.get("name"), entry.get("value")
        if not isinstance(name, str) or not _HEADER.fullmatch(name) or not isinstance(text, str) or "\n" in text:
            reader.fault(f"{path}[{index}]", "needs a name and a value")
            continue
        headers[name] = text
    return headers


def _read_resources(reader: _Reader, root: Mapping[str, Any]) -> Mapping[str, ResourceNeed]:
    needs: dict[str, ResourceNeed] = {}
    for name, value in reader.mapping(root.get("resources"), "resources").items():
        path = f"resources.{name}"
        entry = reader.mapping(value, path, ("type", "class", "id", "metadata", "params"))
        for key, pattern, is_required in (("type", _TYPE, True), ("class", _TYPE, False), ("id", _ID, False)):
            text = entry.get(key)
            is_wrong = text is not None and not (isinstance(text, str) and pattern.fullmatch(text))
            if is_wrong or (is_required and text is None):
                reader.fault(f"{path}.{key}", "is missing" if text is None else f"is not a valid {key}")
        params = reader.mapping(entry.get("params"), f"{path}.params")
        needs[name] = ResourceNeed(str(entry.get("type")), entry.get("class"), entry.get("id"), params)
    return needs


def _read_notes(container: Mapping[str, Any]) -> tuple[str, ...]:
    if not container.get("resources"):
        return ()
    return ("Requests and limits of CPU and memory are not enforced by the process runtime.",)
