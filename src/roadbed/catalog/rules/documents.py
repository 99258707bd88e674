"""Reading YAML files of several documents, with the place of every node and with limits that a hostile file meets.

Scalars are read by the core schema of YAML 1.2, as Backstage's reader does: `yes` and `2024-01-31` are texts, `0o14`
is 12, `0123` is 123, `<<` is an ordinary key. A document with a fault is reported and left out; the others are read.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import yaml
from yaml.error import Mark, MarkedYAMLError, YAMLError

from roadbed.catalog.rules.plain import read_plain
from roadbed.catalog.rules.problems import Path, Problem, Severity, write_path
from roadbed.kit.yamls import TELLING, Fault, resolve, write_key

_LOADER = cast("type[yaml.SafeLoader]", getattr(yaml, "CSafeLoader", yaml.SafeLoader))
_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_BOUNDARY = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.MULTILINE)
_ONLY_DIRECTIVES = re.compile(r"(?:[ \t]*(?:#.*)?(?:\r?\n|\Z)|%.*(?:\r?\n|\Z)|\.\.\.[ \t]*(?:\r?\n|\Z))*\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NO_KEY = object()


@dataclass(frozen=True)
class Limits:
    """What one file may hold. Nodes count an alias as what it stands for, so that bombs are met before they expand."""

    size_bytes: int = 5 * 1024 * 1024
    documents: int = 10_000
    nodes_of_document: int = 100_000
    depth: int = 100


LIMITS = Limits()


@dataclass(frozen=True)
class Document:
    """One YAML document as JSON data, with the places of its nodes.

    An ordinary one (`plain.py`) has no placeholders, and no places when it was read the quick way.
    """

    file: str
    data: Any
    line: int
    end_line: int
    marks: dict[int, dict[str | int, tuple[Mark, Mark]]] = field(default_factory=dict, repr=False)
    first_line: int = 0
    is_ordinary: bool = False

    def locate(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Return line and column, from 1, of the node at `path`, or of the nearest one above it that exists."""
        node, place = self.data, (self.line, 1)
        for part in path:
            marks = self.marks.get(id(node), {}).get(part)
            if marks is None:
                break
            mark = marks[0] if at_key else marks[1]
            place = (mark.line + self.first_line + 1, mark.column + 1)
            node = node[part]
        return place

    def problem(self, path: Path, reason: str, hint: str = "", *, at_key: bool = False) -> Problem:
        line, column = self.locate(path, at_key=at_key)
        return Problem(self.file, line, column, write_path(path), reason, hint)


@dataclass(frozen=True)
class Reading:
    """What was found. `has_places` is False when documents cannot say where their nodes stand."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]
    has_places: bool = True


def read_documents(
    content: bytes | str, *, file: str = "", limits: Limits = LIMITS, is_any_root: bool = False
) -> Reading:
    """Read all documents of a file. Empty documents are skipped; faults are returned, never raised.

    Args:
        content: the file.
        file: its name, for problems.
        limits: what it may hold.
        is_any_root: take lists and single values too, not only mappings.
    """
    try:
        text = _decode(content, limits)
    except Fault as fault:
        return Reading((), (Problem(file, fault.line, fault.column, "", fault.reason, fault.hint),))
    whole = _Builder(file, limits, is_any_root=is_any_root)
    try:
        whole.read(text)
    except YAMLError:
        return _read_apart(text, file, limits)
    return Reading(tuple(whole.documents), tuple(whole.problems))


def read_quickly(content: bytes, *, file: str = "", limits: Limits = LIMITS) -> Reading:
    """Read all documents of a file like `read_documents`, without their places where it is an ordinary file.

    Whoever has something to say about a document reads the file again, with places.
    """
    try:
        parser = _LOADER(_decode(content, limits))
    except (Fault, YAMLError):
        return read_documents(content, file=file, limits=limits)
    found = read_plain(parser, documents=limits.documents, nodes=limits.nodes_of_document, depth=limits.depth)
    if found is None:
        return read_documents(content, file=file, limits=limits)
    documents = (Document(file, data, line + 1, end + 1, is_ordinary=True) for data, line, end in found)
    return Reading(tuple(documents), (), has_places=False)


def from_json(data: Any, *, file: str = "") -> Document:
    """Wrap data that did not come from YAML, so that it can be validated alike; places are unknown."""
    return Document(file, data, line=0, end_line=0)


def is_storable(data: Any) -> bool:
    """Tell whether all texts of JSON data can be kept: PostgreSQL takes neither NUL nor half a surrogate pair."""
    if isinstance(data, str):
        return "\x00" not in data and not _SURROGATE.search(data)
    if isinstance(data, dict):
        return all(is_storable(key) and is_storable(value) for key, value in data.items())
    return not isinstance(data, list) or all(map(is_storable, data))


def _read_apart(text: str, file: str, limits: Limits) -> Reading:
    """Read each document by itself, so that a syntax error costs its own document only.

    A line that begins with `---` ends a document wherever it stands, even inside a block of text
    (YAML 1.2, c-forbidden).
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for first_line, chunk in cut_documents(text):
        if len(documents) >= limits.documents:
            break
        builder = _Builder(file, limits, first_line=first_line)
        try:
            builder.read(chunk)
        except YAMLError as error:
            problems.append(_describe(error, file, first_line))
            continue
        finally:
            problems.extend(builder.problems)
        documents.extend(builder.documents)
    return Reading(tuple(documents), tuple(problems))


def cut_documents(text: str) -> Iterator[tuple[int, str]]:
    """Yield the text of each document with its first line, counted from 0; from one to the next nothing is left out."""
    starts = [0, *(match.start() for match in _BOUNDARY.finditer(text) if match.start())]
    line, held_line, held = 0, 0, ""
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        chunk = text[start:end]
        if not held:
            held_line = line
        held += chunk
        line += chunk.count("\n")
        if not _ONLY_DIRECTIVES.match(held):
            yield held_line, held
            held = ""


def _decode(content: bytes | str, limits: Limits) -> str:
    if isinstance(content, str):
        content = content.encode("utf-8", "surrogatepass")
    if len(content) > limits.size_bytes:
        raise Fault(
            f"The file has {len(content):,} bytes; at most {limits.size_bytes:,} are read.",
            "Split it into several files and list them in a Location entity.",
        )
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        raise Fault(
            f"The file is not UTF-8: byte {content[error.start]:#04x} at offset {error.start}.",
            "Save it as UTF-8.",
            line=before.count(b"\n") + 1,
            column=error.start - before.rfind(b"\n"),
        ) from error


def _describe(error: YAMLError, file: str, first_line: int) -> Problem:
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    detail = (error.problem if isinstance(error, MarkedYAMLError) else None) or str(error).splitlines()[0]
    context = error.context if isinstance(error, MarkedYAMLError) else None
    reason = f"The YAML cannot be read: {detail}" + (f" {context}" if context else "")
    if isinstance(error, MarkedYAMLError) and error.context_mark and context:
        reason += f" that begins on line {error.context_mark.line + first_line + 1}"
    return Problem(
        file,
        mark.line + first_line + 1 if mark else first_line + 1,
        mark.column + 1 if mark else 1,
        "",
        reason + ".",
        "Check indentation, quotes and brackets on this line and the one before.",
    )


def _mark(event: yaml.Event) -> Mark:
    return cast("Mark", event.start_mark)  # events of the parser always have one


class _TooDeep(MarkedYAMLError):
    """Ends the parser at once: going on to the end of such a document could take minutes."""


class _Frame:
    """A mapping or list that is being read."""

    __slots__ = ("anchor", "container", "is_mapping", "key", "key_mark", "marks", "nodes")

    def __init__(self, container: dict[str, Any] | list[Any], anchor: str | None) -> None:
        self.container: Any = container
        self.is_mapping = isinstance(container, dict)
        self.anchor = anchor
        self.marks: dict[str | int, tuple[Mark, Mark]] = {}
        self.key: Any = _NO_KEY
        self.key_mark: Any = None
        self.nodes = 1


class _Builder:
    """Turns the parser's events into documents. It keeps its own stack, so that depth costs no recursion.

    A large catalog has millions of scalars: `_take_scalar` is written for speed.
    """

    def __init__(self, file: str, limits: Limits, *, first_line: int = 0, is_any_root: bool = False) -> None:
        self._is_any_root = is_any_root
        self.file = file
        self.limits = limits
        self.first_line = first_line
        self.documents: list[Document] = []
        self.problems: list[Problem] = []
        self._count = 0
        self._between: dict[type, Callable[[Any], None]] = {
            yaml.DocumentStartEvent: self._begin,
            yaml.DocumentEndEvent: self._finish,
        }
        self._within = self._between | {
            yaml.ScalarEvent: self._take_scalar,
            yaml.MappingStartEvent: self._open,
            yaml.SequenceStartEvent: self._open,
            yaml.MappingEndEvent: self._close,
            yaml.SequenceEndEvent: self._close,
            yaml.AliasEvent: self._take_alias,
        }
        self._takers: dict[type, Callable[[Any], None]] = self._within
        self._reset(0)

    def read(self, text: str) -> None:
        parser = _LOADER(text)
        get_event: Callable[[], yaml.Event | None] = parser.get_event
        try:
            while (event := get_event()) is not None and self._count <= self.limits.documents:
                take = self._takers.get(event.__class__)
                if take is not None:
                    try:
                        take(event)
                    except Fault as fault:
                        self._report(_mark(event), fault.reason, fault.hint)
                        self._takers = self._between  # nothing more of this document
        finally:
            parser.dispose()

    def _begin(self, event: yaml.Event) -> None:
        self._count += 1
        if self._count <= self.limits.documents:
            self._reset(_mark(event).line)
            return
        self._report(
            _mark(event),
            f"The file holds more than {self.limits.documents:,} documents; the rest is not read.",
            "Split it into several files and list them in a Location entity.",
        )

    def _reset(self, line: int) -> None:
        self._takers = self._within
        self._stack: list[_Frame] = []
        self._frame: _Frame | None = None
        self._root: Any = None
        self._line = line
        self._has_fault = False
        self._marks: dict[int, dict[str | int, tuple[Mark, Mark]]] = {}
        self._anchors: dict[str, tuple[Any, int]] = {}

    def _finish(self, event: yaml.Event) -> None:
        if self._has_fault or self._root is None:
            return
        line, end_line = self._line + self.first_line + 1, _mark(event).line + self.first_line + 1
        if self._is_any_root or isinstance(self._root, dict):
            self.documents.append(Document(self.file, self._root, line, end_line, self._marks, self.first_line))
            return
        found = "a list" if isinstance(self._root, list) else f"the value {self._root!r}"
        self.problems.append(
            Problem(
                self.file,
                line,
                1,
                "",
                f"The document is {found}, not an entity.",
                "An entity is a mapping with apiVersion, kind, metadata and spec.",
            )
        )

    def _report(self, mark: Mark, reason: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        path = write_path([frame.key for frame in self._stack if isinstance(frame.key, str)])
        self._has_fault = self._has_fault or severity is Severity.ERROR
        self.problems.append(
            Problem(self.file, mark.line + self.first_line + 1, mark.column + 1, path, reason, hint, severity)
        )

    def _take_scalar(self, event: yaml.ScalarEvent) -> None:
        value = event.value
        if not event.implicit[0] or event.tag is not None:
            value = self._read_scalar(event)
        elif not value or value[0] in TELLING:
            value = resolve(value)
        if event.anchor:
            self._anchors[event.anchor] = (value, 1)
        self._add(value, _mark(event), 1)

    def _take_alias(self, event: yaml.AliasEvent) -> None:
        self._add(*self._alias(event))

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if len(self._stack) >= self.limits.depth:
            raise _TooDeep(None, None, f"it is nested more than {self.limits.depth} levels deep", _mark(event))
        parent = self._frame
        if parent is not None and parent.is_mapping and parent.key is _NO_KEY:
            raise Fault("A key of a mapping must be a text, not a mapping or list.", "Quote the key.")
        if event.tag and event.tag not in _CORE_TAGS and event.tag != "!":
            self._warn_tag(event.tag, _mark(event))
        frame = _Frame({} if isinstance(event, yaml.MappingStartEvent) else [], event.anchor)
        if parent is not None:
            _place(parent, frame.container, _mark(event))
        else:
            self._root = frame.container
            self._line = _mark(event).line
        self._marks[id(frame.container)] = frame.marks
        self._stack.append(frame)
        self._frame = frame

    def _close(self, _: yaml.CollectionEndEvent) -> None:
        frame = self._stack.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.container, frame.nodes)
        self._frame = self._stack[-1] if self._stack else None
        if self._frame is not None:
            self._frame.key = _NO_KEY
            self._count_nodes(self._frame, frame.nodes)

    def _alias(self, event: yaml.AliasEvent) -> tuple[Any, Mark, int]:
        anchor = event.anchor
        if any(frame.anchor == anchor for frame in self._stack):
            raise Fault(f"The alias *{anchor} stands inside what it names, so it would never end.")
        if anchor not in self._anchors:
            raise Fault(f"The alias *{anchor} names nothing before it.", f"Set the anchor &{anchor} first.")
        value, nodes = self._anchors[anchor]
        return value, _mark(event), nodes

    def _add(self, value: Any, mark: Mark, nodes: int) -> None:
        frame = self._frame
        if frame is None:
            self._root = value
            self._line = mark.line
        elif frame.is_mapping and frame.key is _NO_KEY:
            self._take_key(frame, value, mark)
        else:
            _place(frame, value, mark)
            frame.key = _NO_KEY
            self._count_nodes(frame, nodes)

    def _take_key(self, frame: _Frame, value: Any, mark: Mark) -> None:
        if isinstance(value, dict | list):
            raise Fault("A key of a mapping must be a text, not a mapping or list.", "Quote the key.")
        key = write_key(value)
        if key in frame.container:
            first = frame.marks[key][0].line + self.first_line + 1
            frame.key = key
            self._report(mark, f"The key {key!r} stands twice; first on line {first}.", "Remove one of them.")
        elif key == "<<":
            self._report(
                mark,
                "Merge keys (<<) are not part of YAML 1.2 and are read as an ordinary key.",
                "Write the fields out.",
                Severity.WARNING,
            )
        frame.key = key
        frame.key_mark = mark

    def _count_nodes(self, frame: _Frame, nodes: int) -> None:
        frame.nodes += nodes
        if frame.nodes > self.limits.nodes_of_document:
            raise Fault(
                f"The document has more than {self.limits.nodes_of_document:,} nodes, "
                "aliases counted as what they stand for.",
                "Split it, or write without aliases.",
            )

    def _warn_tag(self, tag: str, mark: Mark) -> None:
        self._report(
            mark, f"The tag {tag} is ignored.", "Only the tags of YAML's core schema are read.", Severity.WARNING
        )

    def _read_scalar(self, event: yaml.ScalarEvent) -> Any:
        """Return the value of a scalar that has a tag or stands in quotes or a block."""
        if "\x00" in event.value:
            raise Fault("The text holds a NUL character, which cannot be kept.", "Remove it.")
        if event.implicit[0] and event.tag != "!":
            return resolve(event.value)
        tag = event.tag
        if event.implicit[1] or tag is None or tag == "!" or tag.endswith(":str"):
            return event.value
        if tag in _CORE_TAGS:
            value = resolve(event.value)
            return float(value) if tag.endswith(":float") and isinstance(value, int) else value
        self._warn_tag(tag, _mark(event))
        return event.value


def _place(frame: _Frame, value: Any, mark: Mark) -> None:
    """Put a value into its container; of a key that stands twice the first value stays."""
    if not frame.is_mapping:
        frame.marks[len(frame.container)] = (mark, mark)
        frame.container.append(value)
    elif frame.key not in frame.container:
        frame.container[frame.key] = value
        frame.marks[frame.key] = (frame.key_mark, mark)
