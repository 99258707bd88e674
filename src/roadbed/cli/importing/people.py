"""Users and groups from CSV: lines become entities, and what is wrong is said with its line."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_BYTES = 20 * 1024 * 1024
COLUMNS = (
    "kind",
    "name",
    "namespace",
    "display_name",
    "email",
    "picture",
    "description",
    "groups",
    "parent",
    "type",
)
_API_VERSION = "backstage.io/v1alpha1"
_NAME = re.compile(r"[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?")
_NAMESPACE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_OF_USERS, _OF_GROUPS = ("groups", "email"), ("parent", "type")


@dataclass(frozen=True)
class Fault:
    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}"


@dataclass(frozen=True)
class PeopleFile:
    """What a file holds: entities, what is wrong with lines, and refs of groups that it does not hold itself."""

    entities: tuple[dict[str, Any], ...]
    faults: tuple[Fault, ...]
    foreign_groups: Mapping[str, int]


@dataclass(frozen=True)
class _Line:
    number: int
    values: Mapping[str, str]

    @property
    def is_group(self) -> bool:
        return self.values.get("kind", "").lower() == "group"

    @property
    def namespace(self) -> str:
        return self.values.get("namespace") or "default"

    @property
    def ref(self) -> str:
        kind = "group" if self.is_group else "user"
        return f"{kind}:{self.namespace}/{self.values['name']}".lower()

    def groups(self) -> list[str]:
        """Return the refs of the groups that are named, in full."""
        named = [self.values.get("parent", "")] if self.is_group else self.values.get("groups", "").split(";")
        return [_full(name.strip(), self.namespace) for name in named if name.strip()]


def read_people(content: bytes) -> PeopleFile:
    """Read a CSV file in UTF-8 with a line of column names; separators are commas or semicolons."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return PeopleFile((), (Fault(1, f"the file is not UTF-8: {error.reason} at byte {error.start}"),), {})
    faults: list[Fault] = []
    lines = list(_read_lines(text, faults))
    sound = _drop_repeated([line for line in lines if not _note_faults(line, faults)], faults)
    held = {line.ref for line in lines if line.is_group and line.values.get("name")}
    foreign = {ref: line.number for line in reversed(sound) for ref in line.groups() if ref not in held}
    entities = tuple(_group(line) if line.is_group else _user(line) for line in sound)
    return PeopleFile(entities, tuple(sorted(faults, key=lambda fault: fault.line)), foreign)


def _read_lines(text: str, faults: list[Fault]) -> Iterator[_Line]:
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        unknown = sorted({name for name in names if name not in COLUMNS})
        if unknown or "name" not in names:
            reason = f"there is no column {', '.join(unknown)}" if unknown else "the column name is missing"
            faults.append(Fault(1, f"{reason}; columns are {', '.join(COLUMNS)}"))
            return
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(names):
                faults.append(Fault(reader.line_num, f"it has {len(row)} values for {len(names)} columns"))
                continue
            yield _Line(reader.line_num, {name: cell.strip() for name, cell in zip(names, row, strict=True)})
    except csv.Error as error:
        faults.append(Fault(reader.line_num, f"it is not CSV: {error}"))


def _note_faults(line: _Line, faults: list[Fault]) -> bool:
    """Note what is wrong with a line; tells whether anything is."""
    found = list(_find_faults(line))
    faults += [Fault(line.number, reason) for reason in found]
    return bool(found)


def _find_faults(line: _Line) -> Iterator[str]:
    values = line.values
    if values.get("kind", "").lower() not in ("", "user", "group"):
        yield f"kind is {values['kind']!r}; it is user or group"
    if not _NAME.fullmatch(values["name"]):
        yield f"name is {values['name']!r}; it has 1 to 63 letters, digits, and - _ . between them"
    if values.get("namespace") and not _NAMESPACE.fullmatch(values["namespace"]):
        yield f"namespace is {values['namespace']!r}; it has lower-case letters, digits, and - between them"
    if values.get("email") and not _EMAIL.fullmatch(values["email"]):
        yield f"email is {values['email']!r}, which is no address"
    for name in _OF_USERS if line.is_group else _OF_GROUPS:
        if values.get(name) and not (line.is_group and name == "email"):
            yield f"{name} is not for a {'group' if line.is_group else 'user'}"
    for ref in line.groups():
        namespace, _, name = ref.removeprefix("group:").partition("/")
        if not ref.startswith("group:") or not _NAMESPACE.fullmatch(namespace) or not _NAME.fullmatch(name):
            yield f"{ref!r} is not the ref of a group"


def _drop_repeated(lines: list[_Line], faults: list[Fault]) -> list[_Line]:
    first: dict[str, _Line] = {}
    for line in lines:
        if line.ref in first:
            faults.append(Fault(line.number, f"{line.ref} stands on line {first[line.ref].number} already"))
        first.setdefault(line.ref, line)
    return list(first.values())


def _full(ref: str, namespace: str) -> str:
    kind, colon, rest = ref.lower().partition(":")
    kind, rest = (kind, rest) if colon else ("group", kind)
    return f"{kind}:{rest}" if "/" in rest else f"{kind}:{namespace}/{rest}"


def _user(line: _Line) -> dict[str, Any]:
    return _entity("User", line, {"profile": _profile(line), "memberOf": line.groups()})


def _group(line: _Line) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "type": line.values.get("type") or "team",
        "profile": _profile(line),
        "children": [],
    }
    if line.groups():
        spec["parent"] = line.groups()[0]
    return _entity("Group", line, spec)


def _profile(line: _Line) -> dict[str, str]:
    names = {"displayName": "display_name", "email": "email", "picture": "picture"}
    return {field: line.values[column] for field, column in names.items() if line.values.get(column)}


def _entity(kind: str, line: _Line, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": line.values["name"], "namespace": line.namespace}
    if line.values.get("description"):
        metadata["description"] = line.values["description"]
    return {"apiVersion": _API_VERSION, "kind": kind, "metadata": metadata, "spec": spec}
